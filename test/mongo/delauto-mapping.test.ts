import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { bindMapping, tablesOf, type Shape } from '../../src/mongo/bind-mapping.js'
import type { Field, Fields, ValueField } from '../../src/mongo/mapping.js'
import { readMapping } from '../../src/mongo/read-mapping.js'
import { readTarget } from '../../src/mongo/read-target.js'
import { describeImports, root } from './import-harness.js'

const mapping = readMapping(join(root, 'sql/delauto/mongo.json'), root)

/** The fields that become single columns, with the table that has them. */
function valuesOf(table: string, fields: Fields): readonly (readonly [table: string, field: ValueField])[] {
  return [...fields.values()].flatMap((field: Field) => {
    if (field.kind === 'group') return valuesOf(table, field.fields)
    if (field.kind === 'list') return valuesOf(field.table, field.fields)
    return field.kind === 'value' ? [[table, field] as const] : []
  })
}

const values = mapping.collections.flatMap(({ table, fields }) => valuesOf(table, fields))

describeImports('the mapping of DelAuto', (bench) => {
  test('fills every column of every table that PostgreSQL does not compute', async () => {
    const target = await readTarget(bench.session(), tablesOf(mapping))
    const bound = [...bindMapping(mapping, target).values()]
    const shapes: readonly Shape[] = bound.flatMap(({ shape, lists }) => [shape, ...lists])
    const filled = shapes.flatMap(({ table, keys, columns }) =>
      [...keys, ...columns.flatMap(({ name }) => name ?? [])].map((column) => `${table.name}.${column}`),
    )
    const there = await bench.rows(
      `select c.relname || '.' || a.attname
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
          and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')`,
    )
    expect([...filled].sort()).toEqual(there.map(([name]) => String(name)).sort())
    expect(shapes).toHaveLength(11)
  })

  test('has the lists of values that the tables check', async () => {
    const checks = await bench.rows(
      `select k.conrelid::regclass::text, a.attname, pg_get_constraintdef(k.oid)
         from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
        where k.contype = 'c' and k.connamespace = 'public'::regnamespace and pg_get_constraintdef(k.oid) like '%ANY (ARRAY%'`,
    )
    const checked = checks.map(([table, column, text]) => [
      `${String(table)}.${String(column)}`,
      [...String(text).matchAll(/'([^']*)'::text/g)].map(([, value]) => value),
    ])
    const listed = values.flatMap(([table, field]) =>
      field.enum === undefined ? [] : [[`${table}.${field.column}`, field.enum]],
    )
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(checked))
    expect(listed).toHaveLength(12)
  })

  test('has the defaults that the columns have', async () => {
    const defaults = await bench.rows(
      `select c.relname || '.' || a.attname, pg_get_expr(d.adbin, d.adrelid)
         from pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_attribute a on a.attrelid = c.oid and a.attnum = d.adnum
        where c.relnamespace = 'public'::regnamespace and a.attgenerated = '' and a.attname <> 'id'
          and not exists (select from pg_depend p where p.objid = c.oid and p.deptype = 'e')`,
    )
    const inTables = defaults.map(([column, text]) => {
      const constant = /^'(.*)'::[\w ]+(?:\[\])?$/.exec(String(text))?.[1]
      return [column, text === 'CURRENT_TIMESTAMP' ? 'created' : (constant ?? text)]
    })
    const inMapping = values.flatMap(([table, field]) => {
      const name = `${table}.${field.column}`
      if (field.default?.kind === 'constant') return [[name, String(field.default.value)]]
      if (field.default?.kind === 'created') return [[name, 'created']]
      return field.type === 'string[]' ? [[name, '{}']] : []
    })
    expect(Object.fromEntries(inMapping)).toEqual(Object.fromEntries(inTables))
  })
})
