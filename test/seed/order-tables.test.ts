import { describe, expect, test } from '@jest/globals'
import { DbkitError } from '../../src/errors.js'
import { mapColumns, type FileColumn } from '../../src/seed/map-columns.js'
import { orderTables, usableKeys, type LoadOrder, type TableFiles } from '../../src/seed/order-tables.js'
import type { SeedForeignKey, SeedKey, SeedTable } from '../../src/seed/seed-tables.js'

interface Reference {
  readonly column: string
  readonly to: string
  readonly notNull?: boolean
  readonly deferrable?: boolean
}

/** A table with id, a unique name, and a column for each reference. */
function makeTable(
  name: string,
  references: readonly Reference[] = [],
  keys: readonly SeedKey[] = [],
): SeedTable {
  const column = (columnName: string, notNull: boolean): SeedTable['columns'][number] => ({
    name: columnName,
    type: 'integer',
    base: 'int4',
    element: undefined,
    notNull,
    generated: undefined,
    default: undefined,
  })
  const foreignKeys = references.map(({ column: from, to, deferrable = false }): SeedForeignKey => ({
    name: `${name}_${from}_fkey`,
    columns: [from],
    references: to,
    referencedColumns: ['id'],
    deferrable,
    matchFull: false,
  }))
  return {
    oid: name,
    schema: 'public',
    name,
    shown: name,
    columns: [
      column('id', true),
      column('name', true),
      ...references.map((reference) => column(reference.column, reference.notNull === true)),
    ],
    keys: [makeKey(['id'], { primary: true }), makeKey(['name']), ...keys],
    foreignKeys,
    constraints: new Map(),
  }
}

function makeKey(columns: readonly string[], more: Partial<SeedKey> = {}): SeedKey {
  return { name: columns.join('_'), columns, primary: false, deferrable: false, nullsEqual: false, ...more }
}

/** A set in which each table has the files given, each file by the columns it names ("boss_id.name" is a lookup). */
function makeSet(
  tables: readonly SeedTable[],
  files: Readonly<Record<string, readonly string[]>>,
): TableFiles[] {
  const byOid = new Map(tables.map((table) => [table.oid, table]))
  return tables.map((table) => {
    const lists = Object.entries(files).filter(([name]) => name.split('#')[0] === table.name)
    const maps = lists.map(([, names]) => {
      const columns = names.map((name): FileColumn => ({
        path: name.split('.'),
        location: { file: 'x.csv', line: 1, column: 1 },
        always: true,
      }))
      const { map, problems } = mapColumns(table, columns, byOid)
      expect(problems).toEqual([])
      return map
    })
    return { table, maps }
  })
}

function orderOf(order: LoadOrder | DbkitError): {
  tables: readonly string[]
  postponed: Record<string, readonly string[]>
  deferred: boolean
} {
  if (order instanceof DbkitError) throw order
  return {
    tables: order.tables.map(({ name }) => name),
    postponed: Object.fromEntries([...order.postponed].map(([oid, columns]) => [oid, [...columns]])),
    deferred: order.deferred,
  }
}

describe('the order of loading', () => {
  test('puts the tables referred to first, and otherwise goes by name', () => {
    const tables = [
      makeTable('a', [{ column: 'z_id', to: 'z' }]),
      makeTable('m'),
      makeTable('z', [{ column: 'm_id', to: 'm' }]),
      makeTable('b'),
    ]
    const set = makeSet(tables, { a: ['id', 'z_id'], b: ['id'], m: ['id'], z: ['id', 'm_id'] })
    expect(orderOf(orderTables(set))).toEqual({
      tables: ['b', 'm', 'z', 'a'],
      postponed: {},
      deferred: false,
    })
  })

  test('does not care for a foreign key whose column no file gives', () => {
    const tables = [
      makeTable('a', [{ column: 'b_id', to: 'b' }]),
      makeTable('b', [{ column: 'a_id', to: 'a' }]),
    ]
    const set = makeSet(tables, { a: ['id'], b: ['id', 'a_id'] })
    expect(orderOf(orderTables(set)).tables).toEqual(['a', 'b'])
  })

  test('breaks a cycle at a deferrable constraint first', () => {
    const tables = [
      makeTable('a', [{ column: 'b_id', to: 'b' }]),
      makeTable('b', [{ column: 'a_id', to: 'a', notNull: true, deferrable: true }]),
    ]
    const set = makeSet(tables, { a: ['id', 'b_id'], b: ['id', 'a_id'] })
    expect(orderOf(orderTables(set))).toEqual({ tables: ['b', 'a'], postponed: {}, deferred: true })
  })

  test('breaks a cycle at a nullable column otherwise, which is filled in later', () => {
    const tables = [
      makeTable('a', [{ column: 'b_id', to: 'b', notNull: true }]),
      makeTable('b', [{ column: 'a_id', to: 'a' }]),
    ]
    const set = makeSet(tables, { a: ['id', 'b_id'], b: ['id', 'a_id'] })
    expect(orderOf(orderTables(set))).toEqual({
      tables: ['b', 'a'],
      postponed: { b: ['a_id'] },
      deferred: false,
    })
  })

  // The row that a natural key names has to be there when it is looked up; a deferred check comes too late for that.
  test('a reference by natural key does not become easier by a deferrable constraint', () => {
    const tables = [
      makeTable('a', [{ column: 'b_id', to: 'b', deferrable: true }]),
      makeTable('b', [{ column: 'a_id', to: 'a', notNull: true }]),
    ]
    const set = makeSet(tables, { a: ['id', 'b_id.name'], b: ['id', 'a_id'] })
    expect(orderOf(orderTables(set))).toEqual({
      tables: ['a', 'b'],
      postponed: { a: ['b_id'] },
      deferred: false,
    })
  })

  test('breaks two cycles that share a table', () => {
    const tables = [
      makeTable('a', [
        { column: 'b_id', to: 'b' },
        { column: 'c_id', to: 'c' },
      ]),
      makeTable('b', [{ column: 'a_id', to: 'a', notNull: true }]),
      makeTable('c', [{ column: 'a_id', to: 'a', notNull: true }]),
    ]
    const set = makeSet(tables, { a: ['id', 'b_id', 'c_id'], b: ['id', 'a_id'], c: ['id', 'a_id'] })
    expect(orderOf(orderTables(set))).toEqual({
      tables: ['a', 'b', 'c'],
      postponed: { a: ['b_id', 'c_id'] },
      deferred: false,
    })
  })

  test('a cycle that nothing can break is named', () => {
    const tables = [
      makeTable('a', [{ column: 'b_id', to: 'b', notNull: true }]),
      makeTable('b', [{ column: 'c_id', to: 'c', notNull: true }]),
      makeTable('c', [{ column: 'a_id', to: 'a', notNull: true }]),
    ]
    const set = makeSet(tables, { a: ['id', 'b_id'], b: ['id', 'c_id'], c: ['id', 'a_id'] })
    const order = orderTables(set)
    expect(order).toBeInstanceOf(DbkitError)
    expect((order as DbkitError).code).toBe('seed.cycle')
    expect((order as DbkitError).message).toContain('a.b_id -> b.c_id -> c.a_id -> a')
  })

  test('a nullable column that every key needs cannot wait', () => {
    const table = makeTable('a', [{ column: 'b_id', to: 'b' }], [makeKey(['b_id', 'name'])])
    const other = makeTable('b', [{ column: 'a_id', to: 'a', notNull: true }])
    const given = makeSet([table, other], { a: ['b_id', 'name'], b: ['id', 'a_id'] })
    expect(orderOf(orderTables(given)).postponed).toEqual({ a: ['b_id'] })
    const unnamed = { ...table, keys: [makeKey(['b_id', 'id'])] }
    const without = makeSet([unnamed, other], { a: ['b_id', 'id'], b: ['id', 'a_id'] })
    expect(orderTables(without)).toBeInstanceOf(DbkitError)
  })

  describe('of a table that refers to itself', () => {
    const table = makeTable('a', [{ column: 'boss_id', to: 'a' }])

    test('one file by ids needs nothing: a statement sees its own rows', () => {
      const set = makeSet([table], { a: ['id', 'boss_id'] })
      expect(orderOf(orderTables(set)).postponed).toEqual({})
    })

    test('by natural key the reference is filled in later', () => {
      const set = makeSet([table], { a: ['name', 'boss_id.name'] })
      expect(orderOf(orderTables(set)).postponed).toEqual({ a: ['boss_id'] })
    })

    test('in several files as well: the first may refer to the second', () => {
      const set = makeSet([table], { 'a#1': ['id', 'boss_id'], 'a#2': ['id'] })
      expect(orderOf(orderTables(set)).postponed).toEqual({ a: ['boss_id'] })
    })

    test('by natural key and never null, it is a cycle', () => {
      const strict = makeTable('a', [{ column: 'boss_id', to: 'a', notNull: true }])
      const order = orderTables(makeSet([strict], { a: ['name', 'boss_id.name'] }))
      expect((order as DbkitError).message).toContain('a.boss_id -> a')
    })
  })
})

describe('the key that tells rows apart', () => {
  const keysFor = (keys: readonly SeedKey[], names: readonly string[]): readonly string[] => {
    const table = { ...makeTable('a', [{ column: 'maybe', to: 'a' }]), keys }
    const [files] = makeSet([table], { a: names })
    return usableKeys(files?.maps[0] as TableFiles['maps'][number]).map(({ columns }) => columns.join('+'))
  }

  test('is a unique constraint before the primary key', () => {
    expect(keysFor([makeKey(['id'], { primary: true }), makeKey(['name'])], ['id', 'name'])).toEqual([
      'name',
      'id',
    ])
  })

  test('is one whose columns are never null before one whose columns may be', () => {
    expect(keysFor([makeKey(['maybe']), makeKey(['id'], { primary: true })], ['id', 'maybe'])).toEqual([
      'id',
      'maybe',
    ])
    expect(
      keysFor(
        [makeKey(['maybe'], { nullsEqual: true }), makeKey(['id'], { primary: true })],
        ['id', 'maybe'],
      ),
    ).toEqual(['maybe', 'id'])
  })

  test('is one that ON CONFLICT can use before one that is checked later', () => {
    expect(keysFor([makeKey(['name'], { deferrable: true }), makeKey(['id'])], ['id', 'name'])).toEqual([
      'id',
      'name',
    ])
  })

  test('has all its columns in the file', () => {
    expect(keysFor([makeKey(['id', 'name'])], ['id'])).toEqual([])
  })
})
