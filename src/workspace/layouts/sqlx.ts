import { problem, type DbkitError } from '../../errors.js'
import { canonicalVersion, compareVersions } from '../version.js'
import { nextNumber, wholeFile } from './files.js'
import type { Draft, Folder, Layout, Section } from './layout.js'

const NAME = /^(\d+)_([^/]*?)(?:\.(up|down))?\.sql$/
/** What makes a plain numbered file one of another tool. */
const MARKED = /^\s*--\s*(?:migrate:|\+goose\b|\+migrate\b|[\s-]*(?:up|down)\s+migration)/im

/** 20260101120000_name.sql without a way back, or .up.sql and .down.sql; the first line may take a file out of its transaction. */
export const sqlx: Layout = {
  name: 'sqlx',
  toldBy: 'Cargo.toml',
  recognise(folder) {
    const named = folder.names.filter((name) => NAME.test(name))
    // Drizzle's files look the same, and their journal says so.
    if (named.length === 0 || folder.names.includes('meta/_journal.json')) return undefined
    const inRust = folder.around('Cargo.toml')
    // Among pairs, a file without a direction is one whose name is wrong.
    if (!inRust && named.some((name) => NAME.exec(name)?.[3] !== undefined)) return undefined
    if (named.some((name) => MARKED.test(folder.text(name)))) return undefined
    return inRust
      ? 'numbered .sql files in a Rust package'
      : `${folder.show(named[0] ?? '')} is a numbered file without the mark of any tool`
  },
  read(folder) {
    const problems: DbkitError[] = []
    const notes: string[] = []
    const found = new Map<string, { up?: string; down?: string }>()
    for (const file of folder.names) {
      const [, digits, , direction = 'up'] = NAME.exec(file) ?? []
      if (digits === undefined) {
        if (/^[^/]+\.sql$/.test(file))
          notes.push(`${folder.show(file)} does not begin with a number and _, and sqlx passes over it`)
        continue
      }
      const side = direction === 'down' ? 'down' : 'up'
      const version = canonicalVersion(digits)
      const entry = found.get(version) ?? {}
      found.set(version, entry)
      const taken = entry[side]
      if (taken === undefined) entry[side] = file
      else {
        const files = [folder.show(taken), folder.show(file)]
        problems.push(problem('workspace.duplicate-version', { version, files }))
      }
    }
    const migrations = [...found].flatMap(([version, { up, down }]): readonly Draft[] => {
      const name = (up ?? down ?? '').replace(/(?:\.(?:up|down))?\.sql$/, '')
      if (up === undefined) {
        const missing = `${name}.up.sql`
        problems.push(problem('workspace.unpaired', { file: folder.show(down ?? ''), missing }))
        return []
      }
      return [
        {
          version,
          name,
          up: section(folder, up),
          down: down === undefined ? undefined : section(folder, down),
          ...(up.endsWith('.up.sql') ? {} : { irreversible: 'simple migrations of sqlx have no way back' }),
        },
      ]
    })
    return { migrations, order: compareVersions, notes, problems }
  },
  create(title, context) {
    const label = `${nextNumber(context, 'timestamp')}_${title}`
    const isReversible =
      context.known.length === 0 || context.folder.names.some((name) => /^\d+_.*\.up\.sql$/.test(name))
    const { texts } = context
    const text = (way: 'up' | 'down', otherwise: string): string =>
      texts === undefined
        ? otherwise
        : `${texts.transaction[way] ? '' : '-- no-transaction\n'}${texts[way] ?? ''}`
    return isReversible
      ? [
          { path: `${label}.up.sql`, text: text('up', '-- Add up migration script here\n') },
          { path: `${label}.down.sql`, text: text('down', '-- Add down migration script here\n') },
        ]
      : [{ path: `${label}.sql`, text: text('up', '-- Add migration script here\n') }]
  },
}

function section(folder: Folder, file: string): Section {
  return wholeFile(folder, file, folder.text(file).startsWith('-- no-transaction') ? 'none' : 'one')
}
