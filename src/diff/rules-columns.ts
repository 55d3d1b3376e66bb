import { partsOfKind, type FactOf } from '../catalog/catalog.js'
import { identityOptions } from '../catalog/ddl-columns.js'
import { alterTable } from '../catalog/ddl-family.js'
import { literal } from '../catalog/ddl-statement.js'
import { small } from '../catalog/ddl-text.js'
import { quoteIfNeeded } from '../database/quote.js'
import { follows, foreignOptionChanges, optionChanges, steps } from './answers.js'
import { retypeSteps } from './retype.js'
import type { Answer, Rules } from './rules.js'
import { alter, chained, type Step } from './step.js'
import { parentColumns, tableOf, wholesOf, type World } from './world.js'

type Column = FactOf<'column'>

/** Of columns: of tables, of views (whose definition says most of it), and of composite types. */
export const columnRules = {
  column: {
    inherited: follows,
    local: follows,
    generated: generatedRule,
    expression: generatedRule,
    type: typeRule,
    collation: typeRule,
    identity: identityRule,
    default: defaultRule,
    notNull: notNullRule,
    notNullName: notNullNameRule,
    notNullOptions: notNullNameRule,
    storage: (before, after, world) =>
      // Another type brings its own.
      world.retyped.has(after.key) && after.properties.storage === undefined
        ? { kind: 'follows' }
        : alterColumn(before, after, world, `set storage ${after.properties.storage ?? usualStorage(after)}`),
    compression: (before, after, world) =>
      alterColumn(before, after, world, `set compression ${after.properties.compression ?? 'default'}`),
    statistics: (before, after, world) =>
      alterColumn(before, after, world, `set statistics ${String(after.properties.statistics ?? -1)}`),
    options: (before, after, world) =>
      alterColumn(
        before,
        after,
        world,
        ...optionChanges(before.properties.options, after.properties.options),
      ),
    foreignOptions: (before, after, world) => {
      const clause = foreignOptionChanges(before.properties.foreignOptions, after.properties.foreignOptions)
      return clause === undefined ? { kind: 'follows' } : alterColumn(before, after, world, clause)
    },
  },
} satisfies Partial<Rules>

/** Only this table's: those of its children are columns of their own. */
function alterColumn(before: Column, after: Column, world: World, ...what: readonly string[]): Answer {
  const [whole] = wholesOf(after, world.after)
  if (whole === undefined) return { kind: 'follows' }
  const head =
    whole.kind === 'table' || whole.kind === 'foreign table' ? alterTable(whole) : `alter ${whole.key}`
  return steps(
    ...what.map((clause) =>
      alter(
        before,
        `${head} alter column ${quoteIfNeeded(after.name)} ${clause}`,
        retypedFirst(after, world),
      ),
    ),
  )
}

/** What is set before the type is changed goes with the old one. */
function retypedFirst({ key }: Column, world: World): Partial<Step> {
  return world.retyped.has(key) ? { needs: [`${key} retyped`] } : {}
}

function typeRule(before: Column, after: Column, world: World): Answer {
  const [whole] = wholesOf(after, world.after)
  if (whole?.kind === 'view' || whole?.kind === 'materialized view') return { kind: 'follows' }
  // The type as a whole is replaced then.
  if (whole?.kind === 'type') return { kind: 'follows' }
  if (after.properties.generated !== undefined) return { kind: 'remake' }
  return steps(...retypeSteps(before, after, world))
}

function generatedRule(before: Column, after: Column, world: World): Answer {
  const table = tableOf(after, world.after)
  if (table === undefined) return { kind: 'follows' }
  if (before.properties.generated === 'stored' && after.properties.generated === undefined) {
    const name = quoteIfNeeded(after.name)
    return steps(alter(after, `alter ${table.key} alter column ${name} drop expression`))
  }
  return { kind: 'remake' }
}

function identityRule(before: Column, after: Column, world: World): Answer {
  const table = tableOf(after, world.after)
  if (table === undefined) return { kind: 'follows' }
  // A partition has its parent's.
  if (
    parentColumns(after, world.after).some(
      ({ properties }) => properties.identity === after.properties.identity,
    )
  )
    return { kind: 'follows' }
  const head = `alter ${table.key} alter column ${quoteIfNeeded(after.name)}`
  const { identity } = after.properties
  if (identity === undefined) {
    const gone = partsOfKind(world.before, before.key, 'sequence').map(({ key }) => key)
    return steps(alter(after, `${head} drop identity`, { alters: [], drops: gone }))
  }
  if (before.properties.identity !== undefined)
    return steps(alter(after, `${head} set generated ${identity}`))
  const sequences = partsOfKind(world.after, after.key, 'sequence')
  const column = quoteIfNeeded(after.name)
  return steps(
    ...chained([
      ...(before.properties.default === undefined
        ? []
        : [alter(before, `${head} drop default`, { alters: [] })]),
      ...(before.properties.notNull ? [] : [alter(after, `${head} set not null`, { releases: [] })]),
      alter(
        after,
        `${head} add generated ${identity} as identity${identityOptions(after, table, world.after)}`,
        { releases: [], creates: sequences.map(({ key }) => key) },
      ),
      // The numbers go on where they were.
      alter(
        after,
        `select pg_catalog.setval(pg_catalog.pg_get_serial_sequence(${literal(table.identity)}, ${literal(after.name)}), max(${column})) from ${table.identity} having max(${column}) > 0`,
        { releases: [] },
      ),
    ]),
  )
}

function defaultRule(before: Column, after: Column, world: World): Answer {
  if (world.retyped.has(after.key)) {
    const [whole] = wholesOf(after, world.after)
    // The change of the type takes it off and sets it.
    if (whole?.kind === 'table' || whole?.kind === 'foreign table') return { kind: 'follows' }
  }
  // Taken off before the identity is added.
  if (after.properties.identity !== undefined && before.properties.identity === undefined)
    return { kind: 'follows' }
  const { default: value } = after.properties
  return alterColumn(
    before,
    after,
    world,
    value === undefined ? 'drop default' : `set default ${small(value)}`,
  )
}

function notNullRule(before: Column, after: Column, world: World): Answer {
  const table = tableOf(after, world.after)
  if (table === undefined) return { kind: 'follows' }
  const { notNull } = after.properties
  // What is said of a parent holds for its children.
  const comes = parentColumns(after, world.after).some(
    ({ key, properties }) =>
      properties.notNull === notNull && notNullOf(world.before.facts.get(key)) !== notNull,
  )
  if (comes) return { kind: 'follows' }
  const isIdentity = after.properties.identity !== undefined && before.properties.identity === undefined
  if (notNull && isIdentity) return { kind: 'follows' }
  const head = `alter ${table.key}`
  const column = quoteIfNeeded(after.name)
  if (notNull && (after.properties.notNullName !== undefined || after.properties.notNullOptions.length > 0))
    return steps(alter(after, `${head} add ${namedNotNull(after)}`, retypedFirst(after, world)))
  return steps(
    alter(
      after,
      `${head} alter column ${column} ${notNull ? 'set' : 'drop'} not null`,
      retypedFirst(after, world),
    ),
  )
}

function notNullOf(fact: unknown): boolean | undefined {
  return (fact as Column | undefined)?.properties.notNull
}

function namedNotNull({ name, properties }: Column): string {
  const { notNullName, notNullOptions } = properties
  const constraint = notNullName === undefined ? '' : `constraint ${quoteIfNeeded(notNullName)} `
  return `${constraint}not null ${quoteIfNeeded(name)}${notNullOptions.map((option) => ` ${option}`).join('')}`
}

/** A name of its own, from PostgreSQL 18 on. */
function notNullNameRule(before: Column, after: Column, world: World): Answer {
  const table = tableOf(after, world.after)
  if (table === undefined || !after.properties.notNull || !before.properties.notNull)
    return { kind: 'follows' }
  const head = `alter ${table.key}`
  return steps(
    ...chained([
      alter(after, `${head} alter column ${quoteIfNeeded(after.name)} drop not null`),
      alter(after, `${head} add ${namedNotNull(after)}`),
    ]),
  )
}

const MAIN = new Set(['numeric', 'inet', 'cidr'])

/** What the type has by itself; SET STORAGE DEFAULT is known from 16 on. */
function usualStorage({ details }: Column): string {
  const { schema, name, array } = details.typeRef
  return schema === 'pg_catalog' && MAIN.has(name) && !array ? 'main' : 'extended'
}
