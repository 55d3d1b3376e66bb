import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import * as dbkit from 'dbkit'
import type { BackupManifest, BackupOptions, DatabaseReport, RestoreOptions } from 'dbkit'
import pg from 'pg'
import {
  eventually,
  hasServer,
  makeWorkspace,
  openArena,
  type Arena,
  type ArenaDatabase,
} from '../support/arena.js'
import { sampled } from '../support/prove.js'
import { makeFolder, runCli, startCli, type Folder } from '../support/cli.js'

/** Something of most kinds; CHECK (... in (...)) on a varchar is what PostgreSQL writes otherwise after a restore. */
const FREIGHT = `
  create type mood as enum ('calm', 'keen');
  create domain email as text check (value like '%@%');
  create table carriers (
    id integer generated always as identity primary key,
    name varchar(30) not null unique, status varchar(10) not null check (status in ('NEW', 'OLD')),
    mail email, mood mood default 'calm', twice int generated always as (length(name) * 2) stored, extra jsonb, at timestamptz default now());
  create table loads (id uuid primary key, carrier_id int not null references carriers, weight numeric(10, 2), tags text[], next uuid references loads);
  create index loads_weight on loads (weight desc) where weight > 10;
  create view heavy as select * from loads where weight > 100;
  create materialized view per_carrier as select carrier_id, count(*) from loads group by 1;
  create function touch() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
  create trigger touch before insert on carriers for each row execute function touch();
  create table parts (day date not null, x int) partition by range (day);
  create table parts_a partition of parts for values from ('2026-01-01') to ('2027-01-01');
  comment on table loads is 'Freight''s \\ load';`
const ROWS = `
  insert into carriers (name, status, mail, extra) select 'c' || n, 'NEW', n || '@x.org', jsonb_build_object('n', n) from generate_series(1, 200) n;
  insert into loads select gen_random_uuid(), 1 + n % 200, n / 7.0, array['a', null, 'ü'] from generate_series(1, 1000) n;
  insert into parts select '2026-01-01'::date + n, n from generate_series(0, 99) n;
  refresh materialized view per_carrier;`
const DOWN =
  'drop table parts; drop materialized view per_carrier; drop view heavy; drop table loads; drop table carriers; drop function touch; drop domain email; drop type mood;'

let arena: Arena
let workspace: Folder
let source: ArenaDatabase

async function settled(url: string, folder = workspace): Promise<dbkit.Config> {
  return dbkit.settleConfig(
    { url },
    { cwd: folder.path, environment: { HOME: process.env['HOME'], PATH: process.env['PATH'] } },
  )
}

const only = ({ databases }: dbkit.Report): DatabaseReport => databases[0] as DatabaseReport
const fileOf = (name: string): string => join(workspace.path, name)

async function backUp(name: string, options: BackupOptions = {}, url = source.url): Promise<BackupManifest> {
  const report = only(await dbkit.backup(await settled(url), { ...options, out: fileOf(name) }))
  if (report.backup === undefined) throw new Error(JSON.stringify(report))
  return report.backup.manifest
}

async function restoreTo(
  url: string,
  name: string,
  options: Partial<RestoreOptions> = {},
): Promise<DatabaseReport> {
  return only(await dbkit.restore(await settled(url), { file: fileOf(name), ...options }))
}

async function databases(): Promise<readonly (string | null)[]> {
  return (await source.query('select datname from pg_database order by 1')).map(
    ({ datname }) => datname ?? null,
  )
}

async function one(db: Pick<ArenaDatabase, 'query'>, sql: string): Promise<string | null> {
  return Object.values((await db.query(sql))[0] ?? {})[0] ?? null
}

const rowsOf = `select string_agg(row::text, ';' order by id) from loads as row`

;(hasServer ? describe : describe.skip)('dbkit backup and restore on a server', () => {
  beforeAll(async () => {
    arena = await openArena()
    workspace = makeWorkspace({ '0001_freight.up.sql': FREIGHT, '0001_freight.down.sql': DOWN })
    source = await arena.database()
    expect(await dbkit.migrateUp(await settled(source.url))).toMatchObject({ ok: true })
    await source.query(ROWS)
  }, 120_000)
  afterAll(() => {
    arena.stop()
    workspace.remove()
  })

  test.each(['custom', 'plain'] as const)(
    'a %s backup comes back the same, in a scratch database and in a new one',
    async (format) => {
      const manifest = await backUp(`whole.${format}`, { format })
      expect(manifest).toMatchObject({
        kind: format,
        content: 'all',
        ledger: { head: '0001_freight', migrations: 1 },
        tables: [
          { table: 'public.carriers', rows: 200 },
          { table: 'public.loads', rows: 1000 },
          { table: 'public.parts_a', rows: 100 },
        ],
      })
      const before = await databases()
      expect(await restoreTo(source.url, `whole.${format}`, { verify: true })).toMatchObject({
        ok: true,
        restore: { outcome: 'verified' },
      })
      expect(await databases()).toEqual(before)
      const url = arena.cluster.url(`new_${format}`)
      expect(await restoreTo(url, `whole.${format}`)).toMatchObject({
        ok: true,
        restore: { outcome: 'restored' },
      })
      const restored = new pg.Client({ connectionString: url })
      await restored.connect()
      const { rows } = await restored.query<{ all: string }>(rowsOf.replace(' from', ' as all from'))
      await restored.end()
      expect(rows[0]?.all).toBe(await one(source, rowsOf))
      expect(await dbkit.migrateStatus(await settled(url), { strict: true })).toMatchObject({ ok: true })
    },
  )

  test('a database that is not empty is left alone, and replaced only with --clean --yes, with its own settings', async () => {
    await backUp('clean.dump')
    const target = await arena.database()
    await target.query(
      `create table mine (id int primary key); alter database ${target.name} set work_mem to '7MB';
       alter database ${target.name} connection limit 77; revoke connect on database ${target.name} from public`,
    )
    expect((await restoreTo(target.url, 'clean.dump')).error).toMatchObject({
      code: 'restore.not-empty',
      exit: 2,
    })
    await expect(restoreTo(target.url, 'clean.dump', { clean: true })).rejects.toMatchObject({
      code: 'request.needs-yes',
    })
    expect(await one(target, 'select count(*) from mine')).toBe('0')
    expect(await restoreTo(target.url, 'clean.dump', { clean: true, yes: true })).toMatchObject({
      restore: { outcome: 'replaced' },
    })
    expect(await one(target, 'select count(*) from loads')).toBe('1000')
    expect(await one(target, 'show work_mem')).toBe('7MB')
    expect(await one(target, `select datconnlimit from pg_database where datname = current_database()`)).toBe(
      '77',
    )
    expect(
      await one(
        target,
        `select datacl::text ~ '[{,]=T/' from pg_database where datname = current_database()`,
      ),
    ).toBe('t')
    expect((await databases()).filter((name) => name?.includes('_restore_'))).toEqual([])
  })

  test('what was truncated, tampered with or has no manifest is refused before anything is changed', async () => {
    await backUp('bad.dump')
    const [file, manifest] = [fileOf('bad.dump'), `${fileOf('bad.dump')}.manifest.json`]
    const [bytes, text] = [readFileSync(file), readFileSync(manifest, 'utf8')]
    const target = await arena.database()
    const before = await databases()
    const refusal = async (): Promise<string> => {
      try {
        return (await restoreTo(target.url, 'bad.dump', { clean: true, yes: true })).error?.code ?? 'none'
      } catch (error) {
        return (error as dbkit.DbkitError).code
      }
    }
    truncateSync(file, bytes.length - 1)
    expect(await refusal()).toBe('restore.truncated')
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(flipped.readUInt8(5000) ^ 1, 5000)
    writeFileSync(file, flipped)
    expect(await refusal()).toBe('restore.tampered')
    writeFileSync(file, bytes)
    for (const [broken, code] of [
      [text.slice(0, 200), 'restore.bad-manifest'],
      [text.replace('"format": 1', '"format": 9'), 'restore.bad-manifest'],
      [text.replace(/"rows": 1000/, '"rows": 999'), 'restore.differs'],
      [text.replace(/("catalogHash": ")../, '$1zz'), 'restore.differs'],
      [text.replace(/"major": \d+/, '"major": 99'), 'restore.older-server'],
      [text.replace(/"toolMajor": \d+/, '"toolMajor": 99'), 'backup.tool-too-old'],
    ] as const) {
      writeFileSync(manifest, broken)
      await target.query('create table mine (id int primary key)')
      expect(await refusal()).toBe(code)
      await target.query('drop table mine')
    }
    writeFileSync(manifest, text)
    expect(await databases()).toEqual(before)
    const { exit, stdout } = await runCli(['restore', 'nothing.dump', '--url', target.url, '--json'], {
      cwd: workspace.path,
    })
    expect([exit, (JSON.parse(stdout) as dbkit.Report).error?.code]).toEqual([2, 'run.file-failed'])
    writeFileSync(fileOf('foreign.dump'), bytes)
    await expect(restoreTo(target.url, 'foreign.dump')).rejects.toMatchObject({ code: 'restore.no-manifest' })
  })

  test('schema alone, and rows alone into an empty database of the same schema', async () => {
    const schema = await backUp('schema.dump', { content: 'schema' })
    expect(await restoreTo(source.url, 'schema.dump', { verify: true })).toMatchObject({ ok: true })
    for (const format of sampled(['custom', 'plain'] as const, 1)) {
      const name = `data.${format}`
      expect((await backUp(name, { content: 'data', format })).catalogHash).toBe(schema.catalogHash)
      expect((await restoreTo(source.url, name, { verify: true })).error).toMatchObject({
        code: 'restore.rows-only',
      })
      const target = await arena.database()
      expect((await restoreTo(target.url, name)).error).toMatchObject({
        code: 'restore.other-schema',
        hint: 'Migrate it first: dbkit migrate up --to 0001_freight',
      })
      await dbkit.migrateUp(await settled(target.url))
      expect(await restoreTo(target.url, name)).toMatchObject({ ok: true, restore: { outcome: 'restored' } })
      expect(await one(target, rowsOf)).toBe(await one(source, rowsOf))
      // The trigger would have said now.
      expect(await one(target, 'select max(at) from carriers')).toBe(
        await one(source, 'select max(at) from carriers'),
      )
      expect((await restoreTo(target.url, name)).error).toMatchObject({ code: 'restore.not-empty' })
    }
  })

  test('rows that change while it is written do not change it', async () => {
    const busy = new pg.Client({ connectionString: source.url })
    await busy.connect()
    const stop = new AbortController()
    const writer = (async () => {
      while (!stop.signal.aborted) await busy.query(`insert into parts values ('2026-06-01', 1)`)
    })()
    await backUp('busy.dump')
    stop.abort()
    await writer
    await busy.query(`delete from parts where day = '2026-06-01' and x = 1`)
    await busy.end()
    expect(await restoreTo(source.url, 'busy.dump', { verify: true })).toMatchObject({ ok: true })
  })

  test('killed while it is written, it leaves nothing that looks like a backup', async () => {
    const { child, ended } = startCli(['backup', '--url', source.url, '--out', 'killed.dump'], {
      cwd: workspace.path,
    })
    await eventually(
      'the first bytes',
      () => child.exitCode !== null || existsSync(fileOf('killed.dump.partial')),
    )
    child.kill('SIGKILL')
    expect((await ended).signal).toBe('SIGKILL')
    expect(existsSync(fileOf('killed.dump'))).toBe(false)
    await backUp('killed.dump')
    expect(readdirSync(workspace.path).filter((name) => name.startsWith('killed'))).toEqual([
      'killed.dump',
      'killed.dump.manifest.json',
    ])
  })

  test('no password stands on a command line, in a manifest or in an output; the file is for its owner alone', async () => {
    const url = source.url.replace('postgres@', 'postgres:geheim@')
    const seen = new Set<string>()
    const watched = async (...args: string[]): Promise<string> => {
      const { child, ended } = startCli([...args, '--url', url], { cwd: workspace.path })
      while (child.exitCode === null && child.signalCode === null) {
        for (const pid of existsSync('/proc')
          ? readdirSync('/proc').filter((name) => /^\d+$/.test(name))
          : [])
          try {
            const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
            if (/^[^\0]*pg_(dump|restore)\0/.test(line)) seen.add(line)
          } catch {
            // It has ended meanwhile.
          }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const { stdout, stderr, exit } = await ended
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
      return stdout
    }
    const told =
      (await watched('backup', '--out', 'quiet.dump')) + (await watched('restore', 'quiet.dump', '--verify'))
    expect(told).not.toContain('geheim')
    expect(readFileSync(fileOf('quiet.dump.manifest.json'), 'utf8')).not.toContain('geheim')
    if (existsSync('/proc')) expect(seen.size).toBeGreaterThanOrEqual(2)
    expect([...seen].filter((line) => line.includes('geheim'))).toEqual([])
    expect(statSync(fileOf('quiet.dump')).mode & 0o077).toBe(0)
  })

  test('encrypted for a passphrase or for recipients: only they open it, and what was altered is refused', async () => {
    const url = arena.cluster.url('from_age')
    const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      runCli([...args, '--json'], { cwd: workspace.path, env })
    const codeOf = ({ stdout }: { stdout: string }) => {
      const report = JSON.parse(stdout) as dbkit.Report
      return report.error?.code ?? report.databases[0]?.error?.code ?? 'none'
    }
    const backup = ['backup', '--url', source.url, '--encrypt', '--out']
    const verify = (file: string) => ['restore', file, '--url', source.url, '--verify']
    expect(codeOf(await run([...backup, 'none.age']))).toBe('request.bad-option')
    expect(codeOf(await run([...backup, 'none.age'], { DBKIT_PASSPHRASE: '' }))).toBe('request.bad-option')
    expect(existsSync(fileOf('none.age'))).toBe(false)
    expect(codeOf(await run([...backup, 'pass.age'], { DBKIT_PASSPHRASE: 'correct horse' }))).toBe('none')
    const bytes = readFileSync(fileOf('pass.age'))
    expect(bytes.subarray(0, 21).toString()).toBe('age-encryption.org/v1')
    expect(bytes.includes('carriers')).toBe(false)
    expect(codeOf(await run(verify('pass.age')))).toBe('restore.needs-key')
    expect(codeOf(await run(verify('pass.age'), { DBKIT_PASSPHRASE: 'wrong' }))).toBe('restore.locked')
    writeFileSync(fileOf('pass.txt'), 'correct horse\nmore\n')
    const restored = await run(['restore', 'pass.age', '--url', url, '--passphrase-file', 'pass.txt'])
    expect(JSON.parse(restored.stdout)).toMatchObject({
      databases: [{ restore: { outcome: 'restored', manifest: { encryption: 'passphrase' } } }],
    })

    const [mine, other] = [await generateIdentity(), await generateIdentity()]
    writeFileSync(fileOf('mine.key'), `# created today\n${mine}\n`)
    writeFileSync(fileOf('other.key'), `${other}\n`)
    expect(codeOf(await run([...backup, 'to.age', '--recipient', 'age1nonsense']))).toBe('request.bad-option')
    expect(codeOf(await run([...backup, 'to.age', '--recipient', await identityToRecipient(mine)]))).toBe(
      'none',
    )
    expect(codeOf(await run([...verify('to.age'), '--identity', 'other.key']))).toBe('restore.locked')
    expect(codeOf(await run([...verify('to.age'), '--identity', 'mine.key']))).toBe('none')
    // Somebody who also writes the manifest anew is found out by the format itself, and nothing stays.
    const altered = readFileSync(fileOf('to.age'))
    altered.writeUInt8(altered.readUInt8(altered.length - 100) ^ 1, altered.length - 100)
    writeFileSync(fileOf('to.age'), altered)
    const manifest = `${fileOf('to.age')}.manifest.json`
    writeFileSync(
      manifest,
      readFileSync(manifest, 'utf8').replace(/("sha256": ")\w+/, `$1${hash('sha256', altered)}`),
    )
    const before = await databases()
    const target = arena.cluster.url('never')
    expect(codeOf(await run(['restore', 'to.age', '--url', target, '--identity', 'mine.key']))).toBe(
      'restore.locked',
    )
    expect(await databases()).toEqual(before)
  })

  test('the command line refuses what does not go together, and prints one document with --json', async () => {
    const run = (...args: string[]) =>
      runCli([...args, '--url', source.url, '--json'], { cwd: workspace.path })
    const code = async (...args: string[]) => {
      const { stdout } = await run(...args)
      const report = JSON.parse(stdout) as dbkit.Report
      return report.error?.code ?? report.databases[0]?.error?.code
    }
    expect(await code('backup', '--schema-only', '--data-only')).toBe('request.conflicting-options')
    expect(await code('backup', '--format', 'tar')).toBe('request.usage')
    await backUp('there.dump')
    expect(await code('backup', '--out', 'there.dump')).toBe('backup.exists')
    expect(await code('backup', '--out', 'folder/new.dump')).toBeUndefined()
    const unreachable = await runCli(['backup', '--url', 'postgresql://postgres@127.0.0.1:1/x'], {
      cwd: workspace.path,
    })
    expect(unreachable.exit).toBe(3)
    const embedded = await runCli(['restore', 'there.dump', '--embedded', '--json'], { cwd: workspace.path })
    expect(JSON.parse(embedded.stdout)).toMatchObject({
      databases: [{ error: { code: 'restore.other-engine' } }],
    })
  })
})

describe('dbkit backup and restore on the embedded engine', () => {
  test('the data folder comes back the same, elsewhere and in its place; what does not fit is refused', async () => {
    const folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { freight: { migrations: 'm' } } }),
      'm/0001_freight.up.sql': FREIGHT + ROWS,
      'm/0001_freight.down.sql': DOWN,
    })
    const embedded = () =>
      dbkit.settleConfig({ embedded: true }, { cwd: folder.path, environment: { HOME: process.env['HOME'] } })
    try {
      const config = await embedded()
      expect(await dbkit.migrateUp(config)).toMatchObject({ ok: true })
      const refused = only(await dbkit.backup(config, { content: 'schema' }))
      expect(refused.error).toMatchObject({ code: 'backup.embedded-format' })
      const file = join(folder.path, 'freight.tar.gz')
      expect(only(await dbkit.backup(config, { out: file }))).toMatchObject({
        ok: true,
        backup: { manifest: { kind: 'data-folder', ledger: { head: '0001_freight' } } },
      })
      expect(only(await dbkit.restore(config, { file })).error).toMatchObject({ code: 'restore.not-empty' })
      expect(await dbkit.dbDrop(config, { yes: true })).toMatchObject({ ok: true })
      expect(only(await dbkit.restore(config, { file }))).toMatchObject({ restore: { outcome: 'restored' } })
      expect(await dbkit.migrateStatus(config, { strict: true })).toMatchObject({ ok: true })
      expect(readdirSync(join(folder.path, '.dbkit')).filter((name) => name.startsWith('restore'))).toEqual(
        [],
      )
      truncateSync(file, 1000)
      await expect(dbkit.restore(config, { file, clean: true, yes: true })).rejects.toMatchObject({
        code: 'restore.truncated',
      })
    } finally {
      folder.remove()
    }
  })
})
