import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { DbkitError } from 'dbkit'
import { checkMapping } from '../../src/mongo/check-mapping.js'
import { lines, oid, type Doc } from './documents.js'
import { describeImports, root, type ImportBench } from './import-harness.js'

/** The messages of whatever a call throws, the others behind the first included. */
function complaints(call: () => unknown): readonly string[] {
  try {
    call()
    return []
  } catch (error) {
    return messagesOf(error)
  }
}

function messagesOf(error: unknown): readonly string[] {
  const { message, others } = error as DbkitError
  return [message, ...others.map((other) => other.message)]
}

const withFields = (fields: object, more: object = {}): object => ({
  collections: { books: { table: 'books', fields, ...more } },
})

describe('a mapping', () => {
  test('of DelAuto is one', () => {
    const mapping = checkMapping(
      JSON.parse(readFileSync(join(root, 'sql/delauto/mongo.json'), 'utf8')),
      'sql/delauto/mongo.json',
    )
    expect(mapping.collections.map(({ name }) => name)).toEqual([
      ...['agents', 'customers', 'deliveries', 'calllogs', 'recordings', 'apikeys', 'systemmetrics'],
    ])
  })

  test.each<[what: string, value: unknown, expected: readonly string[]]>([
    ['no object', [], ['m.json: the file is an array, expected an object with the key "collections".']],
    [
      'no collections',
      {},
      ['m.json: collections is missing, expected an object with a key for each collection.'],
    ],
    [
      'a collection without its parts',
      { collections: { books: {} } },
      [
        'm.json: collections.books.table is missing, expected a name of at most 63 bytes.',
        'm.json: collections.books.fields is missing, expected an object with a key for each field.',
      ],
    ],
    [
      'an unknown type',
      withFields({ title: 'sting' }),
      [
        'm.json: collections.books.fields.title.type is "sting", expected one of string, number, boolean, date, mixed, string[], reference, location, ignored.',
      ],
    ],
    [
      'an unknown key',
      withFields({ title: { type: 'string', requierd: true } }),
      [
        'm.json: collections.books.fields.title.requierd is an unknown key, expected one of type, column, required, default, enum, min, max, secret, comment.',
      ],
    ],
    [
      'a reference to nowhere',
      withFields({ author: { type: 'reference', to: 'authors' } }),
      ['m.json: collections.books.fields.author.to is "authors", expected one of the collections books.'],
    ],
    [
      'rules that do not belong to the type',
      withFields({ pages: { type: 'number', enum: ['a'] }, title: { type: 'string', min: 1 } }),
      [
        'm.json: collections.books.fields.pages.enum is an array, expected nothing: enum is for string and string[].',
        'm.json: collections.books.fields.title.min is 1, expected nothing: min is for number.',
      ],
    ],
    [
      'a column that is filled twice',
      withFields({ title: 'string', heading: { type: 'string', column: 'title' } }),
      [
        'm.json: collections.books.fields.heading is "title", expected a column of its own: collections.books.fields.title has that one.',
      ],
    ],
    [
      'a table that is filled twice',
      { collections: { a: { table: 'books', fields: {} }, b: { table: 'books', fields: {} } } },
      ['m.json: collections.b.table is "books", expected a table that nothing else in the mapping fills.'],
    ],
    [
      'an array of documents within another',
      withFields({
        chapters: {
          table: 'chapters',
          parent: 'book_id',
          fields: { notes: { table: 'notes', parent: 'chapter_id', fields: {} } },
        },
      }),
      [
        'm.json: collections.books.fields.chapters.fields.notes is an object, expected no array of documents within another one: its rows would have no key; "mixed" keeps it as JSON.',
      ],
    ],
  ])('with %s is refused', (_, value, expected) => {
    expect(complaints(() => checkMapping(value, 'm.json'))).toEqual(expected)
  })
})

/** Somebody else's model: types, names and rules that DelAuto does not have. */
const LIBRARY = `
  create type mood as enum ('dark', 'light');
  create domain percent as numeric(5, 2) check (value between 0 and 100);
  create table writers (
    key uuid primary key, old_id text not null unique, "fullName" varchar(10) not null, born date, mentor uuid references writers (key)
  );
  create table works (
    id uuid primary key, mongo_id text unique, title text not null, shelf text not null, place smallint not null, mood mood not null default 'dark',
    share percent, weight real, writer uuid not null references writers (key), raw json, seen timestamp, tags varchar[] not null,
    touched timestamptz, shown boolean not null default true, unique (shelf, place)
  );
  create table work_editions (work uuid references works (id), n smallint, year int2 not null, primary key (work, n));
  create table log (happened text);
  create function note() returns trigger language plpgsql as $$
    begin insert into log values (tg_op || ' ' || new.title); return new; end $$;
  create trigger note before insert or update on works for each row execute function note()`

const DROP_LIBRARY =
  'drop table if exists work_editions, works, writers, log; drop function if exists note; drop type if exists mood; drop domain if exists percent'

const library = {
  collections: {
    // The works come first: what refers to what is settled by the foreign keys, not by the order in a file.
    works: {
      table: 'works',
      fields: {
        title: { type: 'string', required: true },
        at: {
          fields: {
            shelf: { type: 'string', column: 'shelf', required: true },
            place: { type: 'number', column: 'place', required: true },
          },
        },
        mood: { type: 'string', default: 'light' },
        share: 'number',
        weight: 'number',
        writer: { type: 'reference', to: 'writers', required: true },
        raw: 'mixed',
        seen: 'date',
        tags: { type: 'string[]', enum: ['a', 'b'] },
        editions: {
          table: 'work_editions',
          parent: 'work',
          position: 'n',
          fields: { year: { type: 'number', required: true } },
        },
        junk: 'ignored',
      },
    },
    writers: {
      table: 'writers',
      id: 'key',
      mongoId: 'old_id',
      fields: {
        fullName: { type: 'string', required: true },
        born: 'date',
        mentor: { type: 'reference', to: 'writers' },
      },
    },
  },
} as const

const mapping = checkMapping(library, 'library.json')

const work = (number: number, place: number, more: Doc = {}): Doc => ({
  _id: { $oid: oid(number) },
  title: `Work ${String(number)}`,
  at: { shelf: 'A', place },
  writer: { $oid: oid(100) },
  ...more,
})

const writers = lines(
  { _id: { $oid: oid(100) }, fullName: 'Ünïcödé 🔑🔑', mentor: { $oid: oid(101) } },
  { _id: { $oid: oid(101) }, fullName: 'B', born: { $date: '1950-03-01T00:00:00Z' } },
)

async function inLibrary(bench: ImportBench, body: () => Promise<void>): Promise<void> {
  await bench.script(DROP_LIBRARY)
  await bench.script(LIBRARY)
  try {
    await body()
  } finally {
    await bench.script(DROP_LIBRARY)
  }
}

describeImports("somebody else's model", (bench) => {
  test('is imported by its own mapping', async () => {
    await inLibrary(bench, async () => {
      const works = lines(
        work(1, 1, {
          share: { $numberDecimal: '33.333' },
          weight: 0.1,
          raw: { a: [1, { $oid: oid(9) }] },
          seen: { $date: '2025-01-01T12:00:00+02:00' },
          tags: ['a', null],
          editions: [{ year: 1999 }, { year: 2001 }],
          junk: { $whatever: 1 },
        }),
        work(2, 2, { mood: 'dark' }),
      )
      const { report, error } = await bench.import(
        { 'works.json': works, 'writers.json': writers },
        { mapping },
      )
      expect(report.findings).toEqual([])
      expect(error).toBeUndefined()
      expect(
        await bench.rows(
          'select title, shelf, place, mood, share, weight, raw, seen, tags, touched, shown from works order by 1',
        ),
      ).toEqual([
        [
          'Work 1',
          'A',
          '1',
          'light',
          '33.33',
          '0.1',
          `{"a":[1,"${oid(9)}"]}`,
          '2025-01-01 10:00:00',
          '{a,NULL}',
          null,
          't',
        ],
        ['Work 2', 'A', '2', 'dark', null, null, null, null, '{}', null, 't'],
      ])
      expect(
        await bench.rows(
          'select w."fullName", w.born, m."fullName" from writers w left join writers m on m.key = w.mentor order by 1',
        ),
      ).toEqual([
        ['B', '1950-03-01', null],
        ['Ünïcödé 🔑🔑', null, 'B'],
      ])
      expect(await bench.rows('select n, year from work_editions order by 1')).toEqual([
        ['0', '1999'],
        ['1', '2001'],
      ])
      // What the mapping does not fill belongs to the application; an import leaves it alone.
      await bench.script("update works set touched = '2025-01-01', shown = false; truncate log")
      const again = await bench.import({ 'works.json': works, 'writers.json': writers }, { mapping })
      expect(again.report.tables.map(({ unchanged }) => unchanged)).toEqual([2, 2, 2])
      const changed = lines(work(1, 2), work(2, 1))
      await bench.import({ 'works.json': changed }, { mapping })
      expect(await bench.rows('select title, place, shown from works order by 1')).toEqual([
        ['Work 1', '2', 'f'],
        ['Work 2', '1', 'f'],
      ])
      // The UPDATE half of the trigger was off; it is on again.
      expect(await bench.rows('select happened from log')).toEqual([])
      await bench.script("update works set title = title || '!' where place = 1")
      expect(await bench.rows('select happened from log')).toEqual([['UPDATE Work 2!']])
    })
  })

  test('has its own rules for bad documents', async () => {
    await inLibrary(bench, async () => {
      const { report } = await bench.import(
        {
          'works.json': lines(
            work(1, 1, { mood: 'grey' }),
            work(2, 40_000),
            work(3, 3, { share: 1000 }),
            work(4, 4, { weight: 1e300 }),
            work(5, 5, { tags: ['a', 'z'] }),
            work(6, 6, { editions: [{ year: 1999 }, { year: null }] }),
            work(7, 7, { at: { shelf: 'B', place: 7 } }),
            work(8, 7, { at: { shelf: 'B', place: 7 } }),
            work(9, 9, { writer: { $oid: oid(404) } }),
          ),
          'writers.json': writers + lines({ _id: { $oid: oid(102) }, fullName: 'Elevenchars' }),
        },
        { mapping },
      )
      expect(report.findings.map(({ line, code, path }) => [line, code, path])).toEqual([
        [1, 'enum', 'mood'],
        [2, 'bounds', 'at.place'],
        [3, 'bounds', 'share'],
        [4, 'bounds', 'weight'],
        [5, 'enum', 'tags.1'],
        [6, 'missing', 'editions.1.year'],
        [7, 'duplicate-value', 'at.shelf, at.place'],
        [8, 'duplicate-value', 'at.shelf, at.place'],
        [9, 'dangling-reference', 'writer'],
        [3, 'too-long', 'fullName'],
      ])
    })
  })

  test('is refused by a table that does not fit, before any document is read', async () => {
    const mismatches = async (value: object): Promise<readonly string[]> =>
      bench
        .import(
          { 'works.json': '{"never": read', 'writers.json': '' },
          { mapping: checkMapping({ collections: { ...library.collections, ...value } }, 'm.json') },
        )
        .then(() => [], messagesOf)
    expect((await mismatches({})).slice(0, 2)).toEqual([
      'm.json does not fit the table works: there is no such table.',
      'm.json does not fit the table work_editions: there is no such table.',
    ])
    await inLibrary(bench, async () => {
      const works = (fields: object): object => ({
        works: { table: 'works', fields: { ...library.collections.works.fields, ...fields } },
      })
      expect(await mismatches(works({ titlee: 'string' }))).toEqual([
        'm.json does not fit the table works: it has no column titlee (did you mean title?).',
      ])
      expect(await mismatches(works({ title: 'ignored' }))).toEqual([
        'm.json does not fit the table works: the column title is NOT NULL without a default, and no field fills it.',
      ])
      expect(
        await mismatches(
          works({ title: 'string', share: 'date', mood: { type: 'string', default: 'grey' } }),
        ),
      ).toEqual([
        'm.json does not fit the table works: the column title is NOT NULL, and title is neither required nor has a default.',
        'm.json does not fit the table works: the default of mood cannot be used: "grey" is none of dark, light.',
        'm.json does not fit the table works: share is a date in the mapping, and the column share is numeric(5,2) (expected timestamptz, timestamp or date).',
      ])
    })
  })

  test('that goes round in circles without deferring is refused', async () => {
    await inLibrary(bench, async () => {
      await bench.script('alter table writers add column best uuid references works (id)')
      const failure = await bench
        .import({ 'works.json': lines(work(1, 1)), 'writers.json': writers }, { mapping })
        .then(
          () => undefined,
          (error: unknown) => error,
        )
      expect(failure).toMatchObject({ code: 'import.circular-references' })
      expect(await bench.rows('select count(*) from writers')).toEqual([['0']])
      await bench.script('alter table writers drop column best')
    })
  })
})
