import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Report } from 'dbkit'
import { runCli } from '../support/cli.js'
import { createServerDatabase, serverUrl } from '../support/server.js'
import { codesOf, freight, lintIn, migrationsOf, shadow } from './harness.js'

const MINUTES = 60_000
const SHADOW = Object.entries(shadow()).flatMap(([, url]) => ['--shadow-url', url])

const base = {
  '0001_base.up.sql': [
    'create table carriers (id bigint primary key, name text);',
    'create table loads (id bigint primary key, carrier_id bigint, weight integer);',
  ].join('\n'),
}

describe('dbkit lint', () => {
  test('reports what each statement took, wrote and read, and the strongest lock on each table', async () => {
    const folder = freight({
      ...base,
      '0002_more.up.sql': [
        'create index loads_weight_idx on loads (weight);',
        'alter table loads alter column weight type bigint;',
        'alter table loads add constraint f foreign key (carrier_id) references carriers not valid;',
        'create table mine (id bigint references loads);',
      ].join('\n'),
      '0003_index.up.sql':
        '-- dbkit: no-transaction\ncreate index concurrently loads_carrier_idx on loads (carrier_id);',
    })
    const [first, second] = migrationsOf(await lintIn(folder, { since: '1' }))
    // The index that the foreign key needs comes with the next one.
    expect(codesOf(first)).toEqual(['index-not-concurrent', 'type-change-rewrite'])
    expect(first?.locks.map(({ relation, mode, line }) => [relation, mode, line])).toEqual([
      ['public.loads', 'ACCESS EXCLUSIVE', 2],
      ['public.carriers', 'SHARE ROW EXCLUSIVE', 3],
    ])
    const [index, type, key, table] = first?.statements ?? []
    expect(index?.locks).toEqual([
      { relation: 'public.loads', kind: 'table', mode: 'SHARE', stops: 'writes' },
    ])
    expect([type?.rewrites, type?.line]).toEqual([['public.loads', 'public.loads_pkey'], 2])
    expect(key?.rewrites).toEqual([])
    // All that it takes is held already.
    expect(table?.locks).toEqual([])
    expect([second?.transaction, second?.findings, second?.statements[0]?.locksFrom]).toEqual([
      false,
      [],
      'documented',
    ])
    expect(second?.locks).toEqual([
      {
        relation: 'public.loads',
        kind: 'table',
        mode: 'SHARE UPDATE EXCLUSIVE',
        stops: 'neither reads nor writes',
        line: 2,
      },
    ])
  })

  test('what is created in the same migration gives no finding, and nothing is left on the shadow of a statement that fails', async () => {
    const all = await lintIn(
      freight({
        ...base,
        '0002_new.up.sql': [
          'create table new (id bigint primary key, load_id bigint references loads);',
          'insert into new values (1, null);',
          'create index on new (load_id);',
          'alter table new add column u uuid default gen_random_uuid(), alter column id type integer;',
          'alter table new rename to newer;',
          'alter table newer drop column load_id;',
          'drop table newer;',
        ].join('\n'),
      }),
      { since: '0' },
    )
    expect([all.ok, all.lint?.summary]).toEqual([
      true,
      { migrations: 2, statements: 9, findings: 0, allowed: 0 },
    ])
    const failing = await lintIn(freight({ ...base, '0002_bad.up.sql': 'select 1;\nselect * from nowhere;' }))
    expect([failing.error?.exit, failing.error?.line, failing.error?.column]).toEqual([3, 2, 15])
  })

  test('rows that were made up and are not taken are told in a note, once nothing else helps', async () => {
    const [migration] = migrationsOf(
      await lintIn(freight({ ...base, '0002_none.up.sql': 'alter table carriers add check (id is null);' }), {
        versions: ['2'],
      }),
    )
    expect(codesOf(migration)).toEqual(['check-scan'])
    expect(migration?.notes).toEqual([expect.stringContaining('traced without rows')])
  })

  test('an allowance that allows nothing is told', async () => {
    const [migration] = migrationsOf(
      await lintIn(
        freight({
          ...base,
          '0002_calm.up.sql':
            '-- dbkit: allow=drop-column x\n-- dbkit: allow=drop-tabel y\nalter table loads add z text;',
        }),
        { versions: ['0002_calm'] },
      ),
    )
    expect(migration?.notes).toEqual([
      'allow=drop-column allows nothing: there is no such finding here',
      'allow=drop-tabel: there is no such hazard; did you mean drop-table?',
    ])
  })

  test('looks at what is new, or another text, than at a git ref', async () => {
    const folder = freight({ ...base, '0002_old.up.sql': 'drop table carriers;' })
    const git = (...args: string[]): void => {
      const { status, stderr } = spawnSync('git', args, { cwd: folder.path, encoding: 'utf8' })
      expect({ args, status, stderr: status === 0 ? '' : stderr }).toEqual({ args, status: 0, stderr: '' })
    }
    git('init', '--quiet')
    git('add', '.')
    git('-c', 'user.name=x', '-c', 'user.email=x@example.org', 'commit', '--quiet', '-m', 'base')
    folder.write({
      'sql/freight/migrations/0003_new.up.sql': 'alter table loads drop column weight;',
      'sql/freight/migrations/0003_new.down.sql': 'alter table loads add column weight integer;',
    })
    const migrations = migrationsOf(await lintIn(folder, { base: 'HEAD' }))
    expect(migrations.map(({ name }) => name)).toEqual(['0003_new'])
    expect(migrations.flatMap(codesOf)).toEqual(['drop-column'])
  })

  test(
    'writes for people, for GitHub and as SARIF, with sizes',
    async () => {
      const folder = freight({
        ...base,
        '0002_two.up.sql':
          '-- dbkit: allow=drop-table nobody, 100%\ndrop table carriers;\ncreate index on loads (weight);',
        'etc/sizes.json': '{ "public.loads": { "bytes": 51539607552, "rows": 120000000 } }',
      })
      const run = (...args: string[]) =>
        runCli(['lint', '2', '--stats', 'etc/sizes.json', ...SHADOW, ...args], { cwd: folder.path })
      const human = await run()
      expect([human.exit, human.stderr]).toEqual([1, ''])
      for (const part of [
        'sql/freight/migrations/0002_two.up.sql:3:1  index-not-concurrent',
        '(public.loads: 48 GB, about 120,000,000 rows)',
        'create index concurrently on loads (weight);',
        'allowed drop-table: public.carriers and its rows are gone. (nobody, 100%)',
        'public.loads',
        '1 migration, 2 statements, 1 hazard, 1 allowed in',
      ])
        expect(human.stdout).toContain(part)

      const github = await run('--format', 'github')
      expect(github.exit).toBe(1)
      expect(github.stdout.trimEnd().split('\n')).toHaveLength(1)
      expect(github.stdout).toMatch(
        /^::error file=sql\/freight\/migrations\/0002_two\.up\.sql,line=3,col=1,title=dbkit index-not-concurrent::Builds .*%0A/,
      )

      const sarif = JSON.parse((await run('--format', 'sarif')).stdout) as Sarif
      const [{ tool, results, invocations }] = sarif.runs
      expect([sarif.version, tool.driver.name, invocations[0].executionSuccessful]).toEqual([
        '2.1.0',
        'dbkit',
        true,
      ])
      for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
      expect(
        results.map(({ ruleId, suppressions, locations: [{ physicalLocation: at }] }) => [
          ruleId,
          suppressions?.[0]?.justification,
          at.artifactLocation.uri,
          at.region.startLine,
        ]),
      ).toEqual([
        ['index-not-concurrent', undefined, 'sql/freight/migrations/0002_two.up.sql', 3],
        ['drop-table', 'nobody, 100%', 'sql/freight/migrations/0002_two.up.sql', 2],
      ])

      const json = await run('--format', 'json')
      const report = JSON.parse(json.stdout) as Report
      expect([json.exit, report.command, report.databases[0]?.lint?.summary.findings]).toEqual([1, 'lint', 1])
    },
    2 * MINUTES,
  )

  test('names files for GitHub from the top of the repository, and from the current folder where there is none', async () => {
    const folder = freight({})
    const index = 'create index on loads (weight);'
    folder.write({
      'services/freight db/dbkit.config.json': '{ "databases": { "freight": {} } }',
      'services/freight db/sql/freight/migrations/0001_base.up.sql': base['0001_base.up.sql'],
      'services/freight db/sql/freight/migrations/0002_index.up.sql': index,
      'services/freight db/sql/freight/migrations/0002_index.down.sql': 'drop index loads_weight_idx;',
    })
    const run = async (format: string, at: string): Promise<string> => {
      const cwd = join(folder.path, at)
      const { stdout, stderr } = await runCli(['lint', '2', '--format', format, ...SHADOW], { cwd })
      expect(stderr).toBe('')
      return stdout
    }
    const inside = 'services/freight db/sql/freight/migrations'
    expect(await run('github', inside)).toContain('::error file=0002_index.up.sql,line=1,col=1,')
    const { status } = spawnSync('git', ['init', '--quiet'], { cwd: folder.path })
    expect(status).toBe(0)
    for (const at of [inside, 'services/freight db'])
      expect(await run('github', at)).toContain(`::error file=${inside}/0002_index.up.sql,line=1,col=1,`)
    const sarif = JSON.parse(await run('sarif', inside)) as Sarif
    expect(sarif.runs[0].results[0]?.locations[0].physicalLocation.artifactLocation).toEqual({
      uri: 'services/freight%20db/sql/freight/migrations/0002_index.up.sql',
      uriBaseId: '%SRCROOT%',
    })
  })

  test('counts lines from the top of the file where it has sections', async () => {
    const folder = freight({})
    folder.write({
      'dbmate/1_base.sql': `-- migrate:up\n${base['0001_base.up.sql']}\n-- migrate:down\n`,
      'dbmate/2_more.sql': [
        '-- Why: the planner needs it.',
        '',
        '-- migrate:up',
        'lock table loads in access exclusive mode;',
        'update loads set weight = weight + 1;',
        '-- migrate:down',
        'select 1;',
      ].join('\n'),
    })
    const args = ['lint', '2', '--dir', 'dbmate', ...SHADOW]
    const { stdout } = await runCli(args, { cwd: folder.path })
    expect(stdout).toContain('dbmate/2_more.sql:4:1  lock-table')
    expect(stdout).toContain('dbmate/2_more.sql:5:1  scan-under-exclusive-lock')
    expect(stdout).toContain('nobody reads or writes it, since line 4.')
    expect(stdout).toMatch(/public\.loads +ACCESS EXCLUSIVE +stops reads and writes, from line 4 on/)
  })

  test('refuses what cannot be meant', async () => {
    const folder = freight({ ...base, 'etc/sizes.json': '[]' })
    const run = async (...args: string[]): Promise<unknown> => {
      const { exit, stdout } = await runCli(['lint', '--json', ...args, ...SHADOW], { cwd: folder.path })
      const report = JSON.parse(stdout) as Report
      return [exit, (report.error ?? report.databases[0]?.error)?.code]
    }
    expect(await run('9')).toEqual([2, 'request.unknown-version'])
    expect(await run('1', '--since', '0')).toEqual([2, 'request.conflicting-options'])
    expect(await run('--stats', 'etc/sizes.json')).toEqual([2, 'request.bad-option'])
    expect(await run('--stats', 'nowhere.json')).toEqual([2, 'run.file-failed'])
    expect(await run('--base', 'nowhere')).toEqual([2, 'request.bad-base'])
  })

  const withServer = serverUrl() === undefined ? test.skip : test
  withServer('asks the ledger of a server what is pending, and takes the sizes from one', async () => {
    const folder = freight({ ...base, '0002_next.up.sql': 'create index on loads (weight);' })
    const database = await createServerDatabase('lint')
    try {
      const dbkit = (...args: string[]) => runCli([...args, '--url', database.url], { cwd: folder.path })
      expect((await dbkit('migrate', 'up', '--to', '1')).exit).toBe(0)
      await database.query('insert into loads select n from generate_series(1, 1000) as n')
      await database.query('analyze loads')
      const { exit, stdout } = await dbkit('lint', '--json', '--stats', database.url, ...SHADOW)
      const [linted] = (JSON.parse(stdout) as Report).databases
      expect([exit, linted?.lint?.migrations.map(({ name }) => name)]).toEqual([1, ['0002_next']])
      const size = linted?.lint?.migrations[0]?.findings[0]?.size
      expect([size?.table, size?.rows, (size?.bytes ?? 0) > 40_000]).toEqual(['public.loads', 1000, true])
      expect((await dbkit('migrate', 'up')).exit).toBe(0)
      const idle = await dbkit('lint', ...SHADOW)
      expect([idle.exit, idle.stdout]).toEqual([0, expect.stringContaining('no migration is pending')])
    } finally {
      await database.drop()
    }
  })
})

interface Sarif {
  readonly version: string
  readonly runs: readonly [
    {
      readonly tool: {
        readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] }
      }
      readonly invocations: readonly [{ readonly executionSuccessful: boolean }]
      readonly results: readonly {
        readonly ruleId: string
        readonly ruleIndex: number
        readonly suppressions?: readonly { readonly justification: string }[]
        readonly locations: readonly [
          {
            readonly physicalLocation: {
              readonly artifactLocation: { readonly uri: string; readonly uriBaseId: string }
              readonly region: { readonly startLine: number }
            }
          },
        ]
      }[]
    },
  ]
}
