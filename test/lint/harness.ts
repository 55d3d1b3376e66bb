import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach } from '@jest/globals'
import { lint, settleConfig, type DatabaseReport, type LintedMigration, type LintOptions } from 'dbkit'
import { makeFolder, type Folder } from '../support/cli.js'
import { noteEngine, serverUrl } from '../support/server.js'

const fixtures = fileURLToPath(new URL('../../fixtures/lint', import.meta.url))

const folders: Folder[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove()
})

/** What is there before each example. */
export const setup = readFileSync(join(fixtures, 'setup.sql'), 'utf8')

/** More of what can be changed, and rows everywhere. */
export const more = `
create schema elsewhere;
create table wide (a integer primary key, b varchar(10), c timestamp, d numeric(8,2), e text collate "C", f integer check (f > 0));
create index wide_b_idx on wide (b);
create index wide_e_idx on wide (e);
create table parent (id integer primary key);
create table child (id integer primary key, parent_id integer references parent);
create table proved (x integer constraint proved_x check (x is not null));
create table unproved (x integer, constraint unproved_x check (x > 0) not valid);
create sequence numbers;
create domain short as text;
create table shorts (s short);
create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touched before update on wide for each row execute function touch();
create statistics wide_stats on a, b from wide;
insert into carriers values (1, 'one', 'a@example.org'), (2, 'two', 'b@example.org');
insert into loads values (1, 1, 'r1', 5, 'open', 'n'), (2, 2, 'r2', 6, 'booked', 'n');
insert into quotes values (1, 1), (2, 2);
insert into events values (1, '2025-03-01');
insert into events_2026 values (1, '2026-03-01');
insert into wide values (1, 'b', '2026-01-01', 1, 'e', 1);
insert into parent values (1);
insert into child values (1, 1);
insert into proved values (1);
insert into unproved values (1);
insert into shorts values ('s');
`

/** A hazard with the migration that has it, and those that do the same without. */
export interface Example {
  readonly code: string
  readonly bad: string
  readonly good: readonly string[]
}

export const examples: readonly Example[] = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({
    code: name,
    bad: readFileSync(join(fixtures, name, 'bad.sql'), 'utf8'),
    good: readFileSync(join(fixtures, name, 'good.sql'), 'utf8').split('-- next migration\n'),
  }))

/** A shadow on the server where there is one; the embedded engine is as good, and slower. */
export function shadow(): Pick<LintOptions, 'shadowUrl'> {
  const url = serverUrl()
  noteEngine(url === undefined ? 'embedded PGlite 0.5.8' : 'server PostgreSQL')
  return url === undefined ? {} : { shadowUrl: url }
}

/** A folder of migrations of a database called freight; each gets a down, unless it says why not, or is called no_down. */
export function freight(files: Readonly<Record<string, string>>): Folder {
  const downs = Object.entries(files)
    .filter(([name, text]) => name.endsWith('.up.sql') && !text.includes('-- dbkit: irreversible'))
    .filter(([name]) => !name.endsWith('no_down.up.sql'))
    .map(([name]) => [name.replace('.up.sql', '.down.sql'), 'select 1;\n'] as const)
  const folder = makeFolder({
    'dbkit.config.json': '{ "databases": { "freight": {} } }',
    ...Object.fromEntries(
      [...downs, ...Object.entries(files)].map(([name, text]) => [
        name.includes('/') ? name : `sql/freight/migrations/${name}`,
        text,
      ]),
    ),
  })
  folders.push(folder)
  return folder
}

export async function lintIn({ path }: Folder, options: LintOptions = {}): Promise<DatabaseReport> {
  const config = await settleConfig({}, { cwd: path, environment: { HOME: process.env['HOME'] } })
  const [database] = (await lint(config, { ...shadow(), ...options })).databases
  if (database === undefined) throw new Error('no database in the report')
  return database
}

/** The migrations of a report; a run that stopped fails the test with its error. */
export function migrationsOf({ error, lint: report }: DatabaseReport): readonly LintedMigration[] {
  if (error !== undefined) throw new Error(`${error.message} (${error.file ?? ''}:${String(error.line)})`)
  return report?.migrations ?? []
}

export function codesOf(migration: LintedMigration | undefined): readonly string[] {
  return (migration?.findings ?? []).map(({ code }) => code)
}

/** A migration in a schema of its own, so that many of them can share one history. Lines stay where they are. */
export function inSchema(schema: string, sql: string): string {
  const head = /^(?:--[^\n]*\n)*/.exec(sql)?.[0] ?? ''
  const local = /no-transaction|index concurrently/.test(sql) ? '' : ' local'
  return `${head}set${local} search_path to ${schema}; ${sql.slice(head.length)}`
}
