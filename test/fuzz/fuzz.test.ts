import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { settleConfig, verify, type Report } from 'dbkit'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { fuzzedOf, fuzzIn, shadow } from './harness.js'

const SHADOW = Object.entries(shadow()).flatMap(([, url]) => ['--shadow-url', url])
const MINUTES = 60_000

const folders: Folder[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove()
})

const BASE = `
create table carriers (id bigint generated always as identity primary key, name text not null, email varchar(100));
create table loads (
  id bigint primary key,
  carrier_id bigint,
  reference varchar(20),
  weight integer check (weight >= 0),
  details jsonb
);
insert into carriers (name, email) values ('kept', 'kept@example.org');
`

/** A migration after the base, with its way back; the base cannot go back. */
function freight(up: string, down = 'select 1;', more: Readonly<Record<string, string>> = {}): Folder {
  const folder = makeFolder({
    'dbkit.config.json': '{ "databases": { "freight": {} } }',
    'sql/freight/migrations/0001_base.up.sql': `-- dbkit: irreversible it is the first\n${BASE}`,
    'sql/freight/migrations/0002_next.up.sql': up,
    'sql/freight/migrations/0002_next.down.sql': down,
    ...more,
  })
  folders.push(folder)
  return folder
}

const FIXTURE = 'fixtures/fuzz/freight/0002_next.sql'

async function findingsOf(
  folder: Folder,
): Promise<readonly { error: string; sql: string; culprit: string | undefined }[]> {
  const [migration] = fuzzedOf(await fuzzIn(folder, { versions: ['2'], rows: 40 }))
  return (migration?.findings ?? []).map(({ error, sql }) => ({
    error: error.message,
    sql,
    culprit: error.culprit?.summary,
  }))
}

describe('dbkit fuzz', () => {
  test(
    'shrinks rows that an up does not take to the fewest and plainest',
    async () => {
      const found = await findingsOf(
        freight(`
        alter table loads add constraint f foreign key (carrier_id) references carriers;
        alter table loads alter column weight set not null;
        create unique index on loads (lower(reference));
        update loads set weight = (details->>'pounds')::integer / 2 where details ? 'pounds';`),
      )
      expect(found).toEqual([
        {
          error: expect.stringContaining('violates foreign key constraint "f"') as unknown,
          sql: expect.stringMatching(
            /^insert into public\.loads \(id, carrier_id\) values \('1', '\d+'\);$/,
          ) as unknown,
          culprit: expect.stringContaining('1 row of loads refers to 1 value') as unknown,
        },
        {
          error: 'could not create unique index "loads_lower_idx"',
          sql: expect.stringMatching(/^(insert into public\.loads \(id, reference.*\n?){2}$/) as unknown,
          culprit: '1 value of loads (lower(reference::text)) stands in 2 rows',
        },
        {
          error: 'column "weight" of relation "loads" contains null values',
          sql: "insert into public.loads (id) values ('1');",
          culprit: '1 of 1 row of loads has no weight',
        },
        {
          error: 'null value in column "weight" of relation "loads" violates not-null constraint',
          sql: `insert into public.loads (id, weight, details) values ('1', '1', '{"pounds": null}');`,
          culprit: undefined,
        },
        {
          error: 'invalid input syntax for type integer: ""',
          sql: `insert into public.loads (id, weight, details) values ('1', '1', '{"pounds": ""}');`,
          culprit: undefined,
        },
      ])
    },
    MINUTES,
  )

  test(
    'a way back that does not take what the new version allows is told',
    async () => {
      const folder = freight(
        'alter table carriers alter column email type text;',
        'alter table carriers alter column email type varchar(100);',
      )
      const [migration] = fuzzedOf(await fuzzIn(folder, { versions: ['2'], rows: 40 }))
      expect(migration?.findings.map(({ direction, code }) => [direction, code])).toEqual([
        ['down', 'down-refuses-rows'],
      ])
      // 101 characters: one more than what it goes back to takes.
      expect(migration?.findings[0]?.sql).toMatch(/'x{101}'\);$/)
      expect(readFileSync(join(folder.path, FIXTURE), 'utf8')).toContain('-- case down: value too long')
    },
    MINUTES,
  )

  test(
    'what breaks it is kept, tried first by fuzz and verify, and quiet once it is mended',
    async () => {
      const folder = freight('create unique index on carriers (name);')
      const first = await fuzzIn(folder, { versions: ['2'], rows: 40 })
      expect([first.ok, first.files]).toEqual([false, [FIXTURE]])
      const kept = readFileSync(join(folder.path, FIXTURE), 'utf8')
      expect(kept.match(/^insert into public\.carriers \(name\) values \('b'\);$/gm)).toHaveLength(2)

      const again = await fuzzIn(folder, { versions: ['2'], rows: 1 })
      expect(fuzzedOf(again)[0]?.findings.map(({ source }) => source)).toEqual(['fixture'])
      expect(again.files).toBeUndefined()
      expect(readFileSync(join(folder.path, FIXTURE), 'utf8')).toBe(kept)

      const proved = async (): Promise<unknown> => {
        const config = await settleConfig(
          {},
          { cwd: folder.path, environment: { HOME: process.env['HOME'] } },
        )
        return (await verify(config, shadow())).databases[0]?.verify?.fuzz?.outcome
      }
      expect(await proved()).toBe('failed')
      folder.write({
        'sql/freight/migrations/0002_next.up.sql': 'create index on carriers (name);',
        'sql/freight/migrations/0002_next.down.sql': 'drop index carriers_name_idx;',
      })
      expect(await proved()).toBe('ok')
      const [mended] = fuzzedOf(await fuzzIn(folder, { versions: ['2'], rows: 40 }))
      expect([mended?.replayed, mended?.findings, mended?.notes]).toEqual([1, [], []])
    },
    MINUTES,
  )

  test(
    'the same seed gives the same rows, another one others',
    async () => {
      const folder = freight('alter table loads alter column reference type integer using length(reference);')
      const run = async (seed: number): Promise<unknown> => {
        const { databases } = JSON.parse(
          (
            await runCli(['fuzz', '2', '--json', '--rows', '30', '--seed', String(seed), ...SHADOW], {
              cwd: folder.path,
            })
          ).stdout,
        ) as Report
        const [migration] = databases[0]?.fuzz?.migrations ?? []
        return [migration?.rows, migration?.tries, migration?.tables, databases[0]?.ok]
      }
      const [one, two] = [await run(5), await run(5)]
      expect(one).toEqual(two)
      expect(one).toEqual([expect.any(Number), expect.any(Number), ['public.loads'], true])
      expect(existsSync(join(folder.path, 'fixtures'))).toBe(false)
    },
    MINUTES,
  )

  test(
    'what the files say of rows is not found again: a guard is a note, a reason allows',
    async () => {
      const guarded = freight(`
      do $$ begin
        if exists (select from loads where weight is null) then raise exception 'weigh them first'; end if;
      end $$;
      alter table loads alter column weight set not null;`)
      const [one] = fuzzedOf(await fuzzIn(guarded, { versions: ['2'], rows: 40 }))
      expect([one?.findings, one?.notes]).toEqual([[], ['its up refuses rows on purpose: weigh them first']])
      const allowed = freight(
        '-- dbkit: allow=up-refuses-rows counted on 12 May: none\nalter table loads alter column weight set not null;',
      )
      const report = await fuzzIn(allowed, { versions: ['2'], rows: 40 })
      expect([report.ok, fuzzedOf(report)[0]?.allowed.map(({ reason }) => reason)]).toEqual([
        true,
        ['counted on 12 May: none'],
      ])
    },
    MINUTES,
  )

  test(
    'statements that run outside a transaction, and a procedure that commits, are tried as well',
    async () => {
      const concurrently = freight(
        '-- dbkit: no-transaction\ncreate unique index concurrently by_name on carriers (name);\nvacuum carriers;',
        'drop index by_name;',
      )
      const [one] = fuzzedOf(await fuzzIn(concurrently, { versions: ['2'], rows: 20 }))
      expect(one?.findings.map(({ error }) => [error.message, error.line])).toEqual([
        ['could not create unique index "by_name"', 2],
      ])
      const commits = freight(
        `-- dbkit: no-transaction
       create procedure fill() language plpgsql as $$ begin
         update loads set weight = 100 / weight; commit;
       end $$;
       call fill();`,
        'drop procedure fill();',
      )
      const [two] = fuzzedOf(await fuzzIn(commits, { versions: ['2'], rows: 20 }))
      expect(two?.findings.map(({ error, sql }) => [error.message, sql])).toEqual([
        ['division by zero', "insert into public.loads (id, weight) values ('1', '0');"],
      ])
    },
    3 * MINUTES,
  )

  test(
    'for people: what failed, the culprit, the rows, the file; exit 1, and 0 without a finding',
    async () => {
      const folder = freight('alter table carriers alter column email set not null;')
      const human = await runCli(['fuzz', '2', '--rows', '20', '--fixtures', 'rows', ...SHADOW], {
        cwd: folder.path,
      })
      expect([human.exit, human.stderr]).toEqual([1, ''])
      for (const part of [
        'the up fails  sql/freight/migrations/0002_next.up.sql:1:1',
        'column "email" of relation "carriers" contains null values',
        'has no email',
        'wrote rows/freight/0002_next.sql',
        '1 migration, ',
        'seed 1',
      ])
        expect(human.stdout).toContain(part)
      const calm = freight(
        'alter table carriers add column active boolean not null default true;',
        'alter table carriers drop column active;',
      )
      const quiet = await runCli(['fuzz', '2', '--rows', '20', ...SHADOW], { cwd: calm.path })
      expect([quiet.exit, quiet.stdout]).toEqual([0, expect.stringContaining('no findings')])
    },
    MINUTES,
  )

  test(
    'refuses what cannot be meant, and stops as migrate does at an up that fails without rows',
    async () => {
      const folder = freight('alter table nowhere add column x int;')
      const run = async (...args: string[]): Promise<unknown> => {
        const { exit, stdout } = await runCli(['fuzz', '--json', ...args, ...SHADOW], { cwd: folder.path })
        const report = JSON.parse(stdout) as Report
        return [exit, (report.error ?? report.databases[0]?.error)?.code]
      }
      expect(await run('9')).toEqual([2, 'request.unknown-version'])
      expect(await run('1', '--since', '0')).toEqual([2, 'request.conflicting-options'])
      expect(await run('--rows', '0')).toEqual([2, 'request.usage'])
      expect(await run('2')).toEqual([3, 'database.refused'])
      // Before anything is looked for: what is found could not be kept.
      folder.write({ file: '' })
      for (const fixtures of [
        '/dev/null',
        'file',
        'file/below',
        ...(existsSync('/proc') ? ['/proc/rows'] : []),
      ])
        expect(await run('2', '--fixtures', fixtures)).toEqual([2, 'run.file-failed'])
    },
    MINUTES,
  )

  test(
    'the embedded engine finds the same',
    async () => {
      const folder = freight('alter table loads alter column weight set not null;')
      const { exit, stdout } = await runCli(['fuzz', '2', '--rows', '10', '--embedded', '--json'], {
        cwd: folder.path,
      })
      const [database] = (JSON.parse(stdout) as Report).databases
      expect([exit, database?.engine?.kind]).toEqual([1, 'embedded'])
      expect(database?.fuzz?.migrations[0]?.findings.map(({ sql }) => sql)).toEqual([
        "insert into public.loads (id) values ('1');",
      ])
    },
    2 * MINUTES,
  )
})
