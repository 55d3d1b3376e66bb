import { afterEach, describe, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeFolder, runCli, startCli, type Folder } from '../support/cli.js'
import { createServerDatabase, serverUrl, type ServerDatabase } from '../support/server.js'

/** Whatever COPY, arrays or JSON have to escape, and what they need not. */
const ODD = [
  'plain',
  `a 'quoted' "word"`,
  'C:\\new\\table',
  'two\nlines\r\nand a\ttab',
  '\\N',
  '{a,b}',
  'NULL',
  '',
  'Zoë, 東京, 😀',
  '\u0001\u001f',
]

const there = serverUrl() === undefined ? describe.skip : describe
there('seed generate', () => {
  let server: ServerDatabase | undefined
  let folder: Folder | undefined
  afterEach(async () => {
    await server?.drop()
    folder?.remove()
  })

  async function start(schema: string, recipe: object): Promise<void> {
    folder = makeFolder({
      'dbkit.config.json': JSON.stringify({ databases: { shop: { generate: 'recipe.json' } } }),
      'sql/shop/migrations/0001_all.up.sql': schema,
      'sql/shop/migrations/0001_all.down.sql': 'drop schema public cascade;',
      'recipe.json': JSON.stringify(recipe),
    })
    server = await createServerDatabase('texts')
    expect((await run('migrate', 'up', '--quiet')).exit).toBe(0)
  }

  const run = (...args: readonly string[]): ReturnType<typeof runCli> =>
    runCli([...args, '--url', server?.url ?? ''], { cwd: folder?.path ?? '' })

  test('keeps every character of a text, however it is put together', async () => {
    await start(
      `create table parents (id int primary key, note text not null, extra jsonb);
       create table children (
         id int primary key, parent_id int not null references parents, note text, again text, joined text, other text,
         list text[], document jsonb, nested jsonb, inherited text, inherited_list text[], chosen text, wrapped json);`,
      {
        lists: { odd: ODD, records: ODD.map((text) => ({ text, '"key"': text })) },
        tables: {
          parents: { rows: 60, columns: { note: 'nth(odd, row)', extra: { text: 'nth(odd, row)' } } },
          children: {
            rows: 400,
            let: { text: 'pick(odd)', record: 'pick(records)' },
            columns: {
              note: 'text',
              again: 'note',
              joined: "text('<', note, '>', pick(odd), '>')",
              other: 'record.text',
              list: ['text', "text('\"', note)", 'null', 'parent_id.note'],
              document: { text: 'text', 'the "key"': { list: ['note', 1.5, true, null] } },
              nested: ['record', { deep: 'parent_id.note' }],
              inherited: 'parent_id.note',
              inherited_list: 'some(odd, 2, 2)',
              chosen: "chance(0.5) ? 'it''s \\' : '\"'",
              wrapped: { extra: 'parent_id.extra.text' },
            },
          },
        },
      },
    )
    const wrong = `
      select count(*) as rows, count(distinct c.note) as notes,
             count(*) filter (where not coalesce(
               c.again = c.note and c.joined like '<' || replace(replace(replace(c.note, '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '>%>'
               and c.list = array[c.note, '"' || c.note, null, p.note]
               and c.document = jsonb_build_object('text', c.note, 'the "key"', jsonb_build_object('list', jsonb_build_array(c.note, 1.5, true, null)))
               and c.nested = jsonb_build_array(jsonb_build_object('text', c.other, '"key"', c.other), jsonb_build_object('deep', p.note))
               and c.inherited = p.note and array_length(c.inherited_list, 1) = 2 and c.inherited_list <@ $1
               and c.note = any ($1) and c.other = any ($1) and p.note = any ($1) and c.chosen in ('it''s \\', '"')
               and (p.id > 60 or p.extra ->> 'text' = p.note) and c.wrapped ->> 'extra' is not distinct from p.extra ->> 'text', false)) as wrong
        from children c join parents p on p.id = c.parent_id`
    // Twice: the second time, rows refer to parents that were read from the database too.
    for (const rows of ['400', '800']) {
      const ended = await run('seed', 'generate', '--quiet')
      expect([ended.stderr, ended.exit]).toEqual(['', 0])
      expect(await server?.query(wrong, [ODD])).toEqual([{ rows, notes: String(ODD.length), wrong: '0' }])
    }
  })

  test('says which column needs itself, and keeps nothing', async () => {
    await start('create table loops (a text, b text, c int);', {
      tables: {
        loops: {
          rows: 5_000,
          // Only a late row gets there: pages have been sent by then.
          columns: { a: "row > 3000 ? text(b) : 'x'", b: "text(a, 'b')", c: 'row' },
        },
      },
    })
    const { exit, stderr } = await run('seed', 'generate', '--quiet')
    expect(exit).toBe(2)
    expect(stderr).toMatch(/recipe\.json.*public\.loops: [ab] is worked out from itself/s)
    expect(await server?.query('select count(*) from loops')).toEqual([{ count: '0' }])
  })

  test('cannot reckon: PostgreSQL refuses what is no number', async () => {
    await start('create table sums (a numeric(10, 2), b text);', {
      tables: { sums: { rows: 2, columns: { a: 'b * 2', b: "pick(['none', 'some'])" } } },
    })
    const { exit, stderr } = await run('seed', 'generate', '--quiet')
    expect(exit).toBe(3)
    expect(stderr).toContain('PostgreSQL does not take the rows made for sums')
  })

  test.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('ended by %s in the middle of a table leaves nothing', async (signal, expected) => {
    await start('create table notes (id int primary key, note text, made timestamptz not null);', {
      tables: { notes: { rows: 1, columns: { note: "text('note ', row)" } } },
    })
    const { child, ended } = startCli(
      ['seed', 'generate', '--rows', 'notes=100000000', '--url', server?.url ?? ''],
      { cwd: folder?.path ?? '' },
    )
    const copying = `select count(*) from pg_stat_progress_copy p join pg_database d on d.oid = p.datid where d.datname = current_database() and p.tuples_processed > 1000`
    while ((await server?.query(copying))?.[0]?.['count'] !== '1') await sleep(20)
    child.kill(signal)
    expect((await ended).exit).toBe(expected)
    const others = `select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`
    while ((await server?.query(others))?.[0]?.['count'] !== '0') await sleep(20)
    expect(await server?.query('select count(*) from notes')).toEqual([{ count: '0' }])
  })
})
