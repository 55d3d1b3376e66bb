import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, type Folder } from '../support/cli.js'
import { describeEngines, type Bench } from '../support/engines.js'
import { createServerDatabase, serverUrl, type ServerDatabase } from '../support/server.js'

const hard = readFileSync(new URL('../../fixtures/generate/hard.sql', import.meta.url), 'utf8')
const files = (sql: string): Readonly<Record<string, string>> => ({
  '0001_all.up.sql': sql,
  '0001_all.down.sql': 'drop schema public cascade;',
})

let bench: Bench | undefined
afterEach(async () => {
  await bench?.remove()
  bench = undefined
})

interface Generated {
  readonly databases: readonly {
    readonly generate?: {
      readonly tables: readonly { readonly table: string; readonly rows: number; readonly refused?: number }[]
    }
    readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
  }[]
}

async function generate(
  ...args: readonly string[]
): Promise<Generated['databases'][number] & { exit: number | null }> {
  const { exit, report } = (await bench?.json('seed', 'generate', ...args)) ?? {
    exit: null,
    report: undefined,
  }
  return { exit, ...(report as unknown as Generated).databases[0] }
}

describeEngines('seed generate', (open, { everywhere, once }) => {
  everywhere('fills every table of a schema full of constraints, twice', async () => {
    bench = await open(files(hard))
    expect((await bench.dbkit('migrate', 'up', '--quiet')).exit).toBe(0)
    // The embedded engine takes seconds for what a server does at once.
    for (let time = bench.server === undefined ? 2 : 1; time <= 2; time++) {
      const { exit, generate: report, error } = await generate('--rows', '60')
      expect([exit, error]).toEqual([0, undefined])
      expect(report?.tables.map(({ rows }) => rows)).toEqual(Array.from({ length: 11 }, () => 60))
    }
    const found = await bench.server?.query(
      `select count(*) as people, count(boss_id) > 0 as bosses, count(best_team) > 0 as teams, max(id) < (select last_value + 1 from people_id_seq) as ahead from people`,
    )
    if (found !== undefined) expect(found).toEqual([{ people: '120', bosses: 't', teams: 't', ahead: 't' }])
  })

  once('names what it cannot make, and keeps nothing', async () => {
    bench = await open(
      files(`
      create table parents (id uuid primary key default gen_random_uuid(), code text);
      create table children (id serial primary key, parent_id uuid not null references parents);
      create table narrow (a boolean not null, b text not null check (b in ('x', 'y')), unique (a, b));
      create table odd (x int not null check (x * x = 7));
      create function no() returns trigger language plpgsql as $$ begin raise exception 'not today'; end $$;
      create table guarded (x int);
      create trigger guard before insert on guarded for each row execute function no();`),
    )
    await bench.dbkit('migrate', 'up', '--quiet')
    expect(await generate('--rows', 'children=5')).toMatchObject({
      exit: 2,
      error: {
        code: 'generate.no-parent',
        message: 'Rows of children need a row of parents each (parent_id), and parents is empty.',
      },
    })
    expect(await generate('--rows', 'parents=3,narrow=5')).toMatchObject({
      exit: 3,
      error: {
        code: 'generate.no-room',
        message: 'Only 4 of 5 rows found a place in narrow: its constraints refuse nearly all others.',
      },
    })
    expect(await generate('--rows', 'odd=1')).toMatchObject({ exit: 3, error: { code: 'generate.no-room' } })
    expect(await generate('--rows', 'guarded=1')).toMatchObject({
      exit: 3,
      error: {
        code: 'generate.refused',
        message: 'PostgreSQL does not take the rows made for guarded: not today',
      },
    })
    expect(await generate('--rows', 'parent=1')).toMatchObject({
      exit: 2,
      error: { code: 'generate.unknown-table', hint: 'Did you mean parents?' },
    })
    expect(await generate()).toMatchObject({ exit: 2, error: { code: 'generate.nothing-asked' } })
    const { generate: kept } = await generate(
      '--rows',
      'parents=3',
      '--rows',
      'children=7',
      '--rows',
      'narrow=4',
    )
    expect(kept?.tables.map(({ table, rows }) => `${table} ${String(rows)}`)).toEqual([
      'narrow 4',
      'parents 3',
      'children 7',
    ])
  })

  once('refuses options that are none', async () => {
    bench = await open(files('create table a (x int);'))
    for (const [option, value] of [
      ['--rows', 'many'],
      ['--rows', 'a=-1'],
      ['--scale', '0'],
      ['--seed', 'x'],
      ['--today', 'monday'],
    ] as const)
      expect((await bench.dbkit('seed', 'generate', option, value)).exit).toBe(2)
  })
})

describe('seed generate on a server', () => {
  const there = serverUrl() === undefined ? test.skip : test
  let server: ServerDatabase | undefined
  let folder: Folder | undefined
  afterEach(async () => {
    await server?.drop()
    folder?.remove()
  })

  there('follows a recipe, and gives the same rows for the same seed', async () => {
    folder = makeFolder({
      'dbkit.config.json': JSON.stringify({
        databases: {
          shop: {
            generate: 'recipe.json',
            codegen: { jsonTypes: { 'orders.extra': '{ gift: boolean; lines: number[] }' } },
          },
        },
      }),
      'sql/shop/migrations/0001_all.up.sql': `
        create table customers (id uuid primary key default gen_random_uuid(), name text not null, since date not null);
        create table orders (id int generated always as identity primary key, customer_id uuid not null references customers, price numeric(10, 2) not null, placed timestamptz not null, extra jsonb not null);
        create table lines (order_id int not null references orders, position int not null, price numeric(10, 2), since date, primary key (order_id, position));`,
      'sql/shop/migrations/0001_all.down.sql': 'drop table lines, orders, customers;',
      'recipe.json': JSON.stringify({
        lists: { names: ['one', 'two'] },
        tables: {
          customers: {
            rows: 10,
            columns: { name: "text(pick(names), ' ', row)", since: 'today - days(whole(100, 200))' },
          },
          orders: {
            rows: 200,
            let: { base: 'whole(1, 9)' },
            columns: { price: 'base * 10', placed: 'customer_id.since + days(whole(1, 50)) + hours(9)' },
          },
          lines: { rows: 400, columns: { price: 'order_id.price / 2', since: 'order_id.customer_id.since' } },
        },
      }),
    })
    server = await createServerDatabase('generate')
    const dbkit = async (...args: readonly string[]): Promise<string> => {
      const ended = await runCli([...args, '--url', server?.url ?? ''], { cwd: folder?.path ?? '' })
      expect([ended.stderr, ended.exit]).toEqual(['', 0])
      return ended.stdout
    }
    const state = async (): Promise<unknown> =>
      server?.query(
        `select count(*) as rows, count(distinct order_id) as orders, bool_and(l.price * 2 = o.price and l.since = c.since and o.placed > c.since) as follow,
                bool_and(jsonb_typeof(o.extra -> 'gift') = 'boolean' and jsonb_typeof(o.extra -> 'lines') = 'array') as shaped,
                md5(string_agg(l::text || o::text || c::text, ';' order by l.order_id, l.position)) as hash
           from lines l join orders o on o.id = l.order_id join customers c on c.id = o.customer_id`,
      )
    await dbkit('migrate', 'up', '--quiet')
    const out = await dbkit('seed', 'generate', '--seed', '5', '--today', '2026-03-01')
    expect(out).toMatch(/✓ lines {13}400 rows/)
    expect(out).toContain('again with --seed 5 --today 2026-03-01 on the same rows')
    const first = await state()
    expect(first).toEqual([
      { rows: '400', orders: '200', follow: 't', shaped: 't', hash: expect.any(String) },
    ])
    const again = async (...seed: readonly string[]): Promise<unknown> => {
      await server?.query('truncate lines, orders, customers restart identity')
      await dbkit('seed', 'generate', ...seed)
      return state()
    }
    expect(await again('--seed', '5', '--today', '2026-03-01')).toEqual(first)
    expect(await again('--seed', '6', '--today', '2026-03-01')).not.toEqual(first)
    // A recipe that is wrong says where.
    folder.write({
      'recipe.json': JSON.stringify({ tables: { orders: { rows: 1, columns: { price: 'bas * 2' } } } }),
    })
    const bad = await runCli(['seed', 'generate', '--url', server.url], { cwd: folder.path })
    expect([bad.exit, bad.stderr.split('\n')[0]]).toEqual([
      2,
      'error shop: recipe.json, tables.orders.columns.price, character 1: nothing is called bas.',
    ])
  })

  there.each(['happyrobot', 'escalation'])('the recipe of %s makes what its schema takes', async (name) => {
    server = await createServerDatabase('generate')
    const cwd = new URL('../..', import.meta.url).pathname
    const run = async (...args: readonly string[]): Promise<void> => {
      const ended = await runCli([...args, '-d', name, '--url', server?.url ?? ''], { cwd })
      expect([ended.stderr, ended.exit]).toEqual(['', 0])
    }
    await run('migrate', 'up', '--quiet')
    await run('seed', '--quiet')
    await run('seed', 'generate', '--scale', '0.1', '--quiet')
    const sql =
      name === 'happyrobot'
        ? `select (select count(*) from calls c join loads l using (load_id) where c.start_time < l.created_at and l.reference_number like 'LD-%') as early,
                  (select count(*) from negotiations n join calls c using (call_id) where n.load_id is distinct from c.load_id) as other`
        : `select (select count(*) from contact_attempts a join tasks t on t.id = a.task_id where a."timestamp" < t.created_at and a.metadata ? 'provider') as early,
                  (select count(*) from tasks t join campaigns c on c.id = t.campaign_id where t.customer_id <> c.customer_id) as other`
    expect(await server.query(sql)).toEqual([{ early: '0', other: '0' }])
  })
})
