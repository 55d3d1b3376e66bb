import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Folder } from '../support/cli.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
const text = (page: string): string => readFileSync(join(root, page), 'utf8')

/** Every command line that a page shows: in a console block after its $, or between backquotes. */
function commandsOf(page: string): readonly string[] {
  const shown = [...text(page).matchAll(/(?:^\$ (?:npx )?|`)(dbkit [^`\n]+)/gm)].map(
    (match) => match[1] ?? '',
  )
  return [...new Set(shown.map((line) => line.trim()))]
}

let folder: Folder | undefined
afterEach(() => {
  folder?.remove()
  folder = undefined
})

describe.each(pages)('%s', (page) => {
  test('names only commands and flags that exist', async () => {
    for (const line of commandsOf(page)) {
      const words = line.split(/\s+/).slice(1)
      const command = words.slice(0, words.findIndex((word) => !/^[a-z]+$/.test(word)) >>> 0).slice(0, 2)
      const { exit, stdout } = await runCli([...command, '--help'])
      expect({ line, exit }).toEqual({ line, exit: 0 })
      expect({ line, usage: stdout.split('\n')[0] }).toEqual({
        line,
        usage: expect.stringContaining(['dbkit', ...command].join(' ')) as unknown,
      })
      for (const flag of words.filter((word) => /^--?[a-z]/.test(word)))
        expect({ line, flag, known: stdout.includes(flag) }).toEqual({ line, flag, known: true })
    }
  })

  test('links to files that are there', () => {
    const links = [...text(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? '')
    const folderOf = page.includes('/') ? join(root, 'docs') : root
    expect(links.filter((link) => !existsSync(join(folderOf, link)))).toEqual([])
  })
})

describe('README.md', () => {
  test('its first command brings up and seeds every database, embedded, and can be repeated', async () => {
    expect(text('README.md')).toContain('npm ci && npx dbkit migrate up && npx dbkit seed')
    folder = makeFolder()
    for (const part of ['sql', 'seeds', 'dbkit.config.ts'])
      cpSync(join(root, part), join(folder.path, part), { recursive: true })
    const known = readdirSync(join(root, 'sql'))
    for (const args of [['migrate', 'up'], ['seed'], ['migrate', 'up'], ['seed']]) {
      const { exit, stdout, stderr } = await runCli(args, { cwd: folder.path })
      expect({ args, exit, stderr }).toEqual({ args, exit: 0, stderr: '' })
      for (const database of known) expect(stdout).toContain(database)
    }
    const { stdout } = await runCli(['migrate', 'status', '--exit-code', '--quiet'], { cwd: folder.path })
    expect(stdout).toBe('')
  }, 300_000)

  test('its failing example fails as it is shown', async () => {
    folder = makeFolder({
      'migrations/0001_people.up.sql': 'create table people (id integer primary key, name text not null);',
      'migrations/0001_people.down.sql': 'drop table people;',
      'migrations/0002_email.up.sql':
        "alter table people add email text;\nupdate people set email = nmae || '@example.org';\n",
      'migrations/0002_email.down.sql': 'alter table people drop email;',
      'migrations/0003_view.up.sql': 'create view names as select name from people;',
      'migrations/0003_view.down.sql': 'drop view names;',
    })
    const { exit, stderr } = await runCli(['migrate', 'up', '--dir', './migrations', '-d', 'shop'], {
      cwd: folder.path,
    })
    expect(exit).toBe(3)
    const shown = text('README.md')
    for (const line of stderr.trimEnd().split('\n')) expect(shown).toContain(line)
  })
})
