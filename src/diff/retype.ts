import { needsOf, partsOfKind, type Fact, type FactOf } from '../catalog/catalog.js'
import { alterTable } from '../catalog/ddl-family.js'
import { literal } from '../catalog/ddl-statement.js'
import { small } from '../catalog/ddl-text.js'
import { typeStatements, domainStatements } from '../catalog/ddl-types.js'
import { quoteIfNeeded } from '../database/quote.js'
import { castOf, losesValues } from './cast.js'
import { alter, chained, drop, made, type Step } from './step.js'
import { allPartsOf, descendantsOf, isTable, parentColumns, tableOf, type World } from './world.js'

type Column = FactOf<'column'>

/** ALTER COLUMN ... TYPE, with the default out of its way. A child's column follows its parent's. */
export function retypeSteps(before: Column, after: Column, world: World): readonly Step[] {
  const table = tableOf(after, world.after)
  if (table === undefined || followsParent(before, after, world)) return []
  const column = quoteIfNeeded(after.name)
  const { type, collation, default: value, generated } = after.properties
  const alterColumn = `alter ${table.key} alter column ${column}`
  const using = isReplaced(before, world)
    ? `${column}::text${type.endsWith('[]') ? '[]' : ''}::${type}`
    : castOf(column, before.properties.type, type)
  const collate = collation === undefined ? '' : ` collate ${collation}`
  const children = descendantsOf(table, world.after).map((child) => `column ${child.identity}.${column}`)
  const array = type.endsWith('[]') ? '[]' : ''
  const throughText = rangesOf(before, world).length > 0
  const hasDefault = before.properties.default !== undefined && before.properties.generated === undefined
  const loses = losesValues(before.properties.type, type)
  return chained([
    ...(hasDefault
      ? [alter(before, `${alterColumn} drop default`, { alters: [], creates: [withoutDefault(before.key)] })]
      : []),
    ...(throughText
      ? [alter(before, `${alterColumn} type text${array} using ${column}::text${array}`, { alters: [] })]
      : []),
    alter(
      after,
      `${alterColumn} type ${type}${collate}${using === undefined || table.kind === 'foreign table' ? '' : ` using ${using}`}`,
      {
        alters: [after.key, ...children],
        releases: throughText ? [] : [after.key, ...children],
        creates: [retypedMark(after.key)],
        loss: loses ? `what of the values of column ${after.identity} does not fit into ${type}` : undefined,
      },
    ),
    ...(value === undefined || generated !== undefined
      ? []
      : [alter(after, `${alterColumn} set default ${small(value)}`, { releases: [] })]),
  ])
}

/** A mark: the column has its new type. */
function retypedMark(column: string): string {
  return `${column} retyped`
}

function withoutDefault(column: string): string {
  return `${column} without its default`
}

/** Whether the parent's column is changed in the same way, and takes this one along. */
export function followsParent(before: Column, after: Column, world: World): boolean {
  if (!before.properties.inherited || !after.properties.inherited) return false
  return parentColumns(after, world.after).some(({ key }) => world.retyped.has(key))
}

/**
 * A range has functions of its own name, which keep it when the type is put aside: its columns are text while the old one is dropped and
 * the new one made.
 */
export function isRange(fact: Fact | undefined): boolean {
  return fact?.kind === 'type' && fact.properties.form === 'range'
}

function rangesOf(column: Column, world: World): readonly string[] {
  return typesOf(column, world).filter(
    (key) => world.fates.get(key) === 'replaced' && isRange(world.before.facts.get(key)),
  )
}

/** Whether its type is made anew under the same name. */
function isReplaced(column: Column, world: World): boolean {
  return typesOf(column, world).some((key) => world.fates.get(key) === 'replaced')
}

/** The types that the database itself defines, of a column. */
function typesOf(column: Column, { before }: World): readonly string[] {
  return needsOf(before, column.key).flatMap(({ to }) => (/^(?:type|domain) /.test(to) ? [to] : []))
}

/**
 * A type that cannot be changed while columns have it: it is put aside under another name, made anew, the columns are brought over as
 * text, and the old one is dropped.
 */
export function replaceSteps(
  before: FactOf<'type'> | FactOf<'domain'>,
  after: FactOf<'type'> | FactOf<'domain'>,
  world: World,
): readonly Step[] {
  const aside = `dbkit_old_${before.name}`.slice(0, 60)
  const schema = before.schema === undefined ? '' : `${quoteIfNeeded(before.schema)}.`
  const columns = [...world.retyped].filter((key) =>
    needsOf(world.before, key).some(({ to }) => to === before.key),
  )
  const parts = allPartsOf(before.key, world.before).map(({ key }) => key)
  const statements =
    after.kind === 'type' ? typeStatements(after, world.after) : domainStatements(after, world.after)
  if (isRange(before))
    return [drop(before, `drop ${before.key}`, { drops: [before.key, ...parts] }), ...statements.map(made)]
  return [
    drop(before, `alter ${before.key} rename to ${quoteIfNeeded(aside)}`, { drops: [before.key, ...parts] }),
    ...statements.map(made),
    drop(before, `drop ${before.kind} ${schema}${quoteIfNeeded(aside)}`, {
      drops: [],
      needs: [after.key, ...columns.filter((key) => world.after.facts.has(key)).map(retypedMark)],
    }),
  ]
}

/** The default is taken off while a function or sequence that it calls is made again. */
export function redefaultSteps(key: string, world: World): readonly Step[] {
  const [before, after] = [world.before.facts.get(key), world.after.facts.get(key)]
  if (before?.kind === 'domain' && after?.kind === 'domain') {
    const value = after.properties.default
    return [
      alter(before, `alter ${before.key} drop default`, { alters: [] }),
      ...(value === undefined
        ? []
        : [alter(after, `alter ${after.key} set default ${small(value)}`, { releases: [] })]),
    ]
  }
  if (before?.kind !== 'column' || after?.kind !== 'column') return []
  const table = tableOf(after, world.after)
  if (!isTable(table)) return []
  const alterColumn = `${alterTable(table)} alter column ${quoteIfNeeded(after.name)}`
  const value = after.properties.default
  return [
    alter(before, `${alterColumn} drop default`, { alters: [] }),
    ...(value === undefined
      ? []
      : [alter(after, `${alterColumn} set default ${small(value)}`, { releases: [] })]),
  ]
}

/** New labels, each in its place. */
export function labelSteps(before: FactOf<'type'>, after: FactOf<'type'>): readonly Step[] {
  const known = new Set(before.properties.labels)
  const { labels } = after.properties
  return chained(
    labels.flatMap((label, index) => {
      if (known.has(label)) return []
      const previous = labels[index - 1]
      const next = labels.slice(index + 1).find((one) => known.has(one))
      const place =
        next === undefined
          ? ''
          : previous === undefined
            ? ` before ${literal(next)}`
            : ` after ${literal(previous)}`
      return [alter(after, `alter ${after.key} add value ${literal(label)}${place}`, { labels: [label] })]
    }),
  )
}

/** Whether every old label stays, in the old order. */
export function onlyAddsLabels(before: FactOf<'type'>, after: FactOf<'type'>): boolean {
  const old = before.properties.labels
  const kept = after.properties.labels.filter((label) => old.includes(label))
  return kept.length === old.length && kept.every((label, index) => label === old[index])
}

/** Attributes of a composite type that are there on both sides with another type. */
export function changesAttributeTypes(type: FactOf<'type'>, world: World): boolean {
  return partsOfKind(world.before, type.key, 'column').some((attribute) => {
    const now = world.after.facts.get(attribute.key)
    return (
      now?.kind === 'column' &&
      (now.properties.type !== attribute.properties.type ||
        now.properties.collation !== attribute.properties.collation)
    )
  })
}
