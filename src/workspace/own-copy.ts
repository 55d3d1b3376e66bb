import { directivesIn, type ScriptText } from './migration-file.js'
import { compareVersions } from './version.js'
import type { Migration, Script, Workspace } from './workspace.js'

/** A migration of another tool as files of dbkit's own layout. */
export interface OwnCopy {
  readonly of: Migration
  readonly name: string
  readonly up: string
  readonly down: string | undefined
}

/**
 * Every migration in dbkit's own layout. Numbers stay as long as they say the order; where the tool goes by something else (text, a
 * list, dotted numbers, words), the migrations are counted.
 */
export function copyAsOwn(workspace: Workspace, read: (script: Script) => ScriptText): readonly OwnCopy[] {
  const { migrations } = workspace
  const numbers = migrations.map(({ name }) => /^\d+/.exec(name.replace(/^V/, ''))?.[0])
  const keep = migrations.every(
    ({ version }, index) =>
      /^\d+(?:$|[_-])/.test(version) &&
      (index === 0 || compareVersions(canonical(numbers[index - 1]), canonical(numbers[index])) < 0),
  )
  const width = Math.max(4, String(migrations.length).length)
  return migrations.map((migration, index) => {
    const number = keep ? numbers[index] : undefined
    const title = titleOf(migration.name)
    const name = `${number ?? String(index + 1).padStart(width, '0')}_${title}`
    const up = read(migration.up)
    const down = migration.down === undefined ? undefined : read(migration.down)
    const why = up.directives.irreversible ?? 'there was no way back where it comes from'
    return {
      of: migration,
      name,
      up: (down === undefined ? `-- dbkit: irreversible ${why}\n` : '') + textOf(up),
      down: down === undefined ? undefined : textOf(down),
    }
  })
}

function canonical(number: string | undefined): string {
  return (number ?? '0').replace(/^0+(?=\d)/, '')
}

/** What is left of a name without its number, in the letters that dbkit takes. */
function titleOf(name: string): string {
  const title = name
    .replace(/^V?[\d._-]*?(?:__|[_-])(?=\D)/, '')
    .replaceAll(/[^A-Za-z0-9_-]+/g, '_')
    .replaceAll(/^[_-]+|[_-]+$/g, '')
  return title === '' ? 'migration' : title
}

/** The SQL, with what its tool said outside of it as directives. */
function textOf({ text, directives, file }: ScriptText): string {
  const body = `${text.replace(/^\s*\n/, '').trimEnd()}\n`
  const said = directivesIn(body, file)
  const has = !('code' in said) && !said.transaction
  return directives.transaction || has ? body : `-- dbkit: no-transaction\n${body}`
}
