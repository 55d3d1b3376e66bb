import { partsOfKind, type FactOf } from '../catalog/catalog.js'
import { constraintClause } from '../catalog/ddl-constraints.js'
import { alterTable, type Table } from '../catalog/ddl-family.js'
import { enabledClause } from '../catalog/ddl-statement.js'
import { small } from '../catalog/ddl-text.js'
import { viewStatements } from '../catalog/ddl-views.js'
import { quoteIfNeeded } from '../database/quote.js'
import {
  altered,
  follows,
  foreignOptionsRule,
  optionChanges,
  ownerRule,
  refused,
  remake,
  steps,
  tieRule,
} from './answers.js'
import { letGoMark } from './drop.js'
import { partitionSteps } from './partitions.js'
import type { Answer, Rule, Rules } from './rules.js'
import { sequenceSteps } from './sequences.js'
import { alter } from './step.js'
import { tableOf, wholesOf, type World } from './world.js'

const partitionRule: Rule<'table'> & Rule<'foreign table'> = (before: Table, after: Table, world: World) =>
  steps(...partitionSteps(before, after, world))

const optionsRule = (
  before: FactOf<'view'> | FactOf<'materialized view'> | FactOf<'table'>,
  after: FactOf<'view'> | FactOf<'materialized view'> | FactOf<'table'>,
): Answer =>
  steps(
    ...optionChanges(before.properties.options, after.properties.options).map((clause) =>
      alter(after, `alter ${after.key} ${clause}`),
    ),
  )

const toastRule = (
  before: FactOf<'materialized view'> | FactOf<'table'>,
  after: FactOf<'materialized view'> | FactOf<'table'>,
): Answer =>
  steps(
    ...optionChanges(before.properties.toastOptions, after.properties.toastOptions, 'toast.').map((clause) =>
      alter(after, `alter ${after.key} ${clause}`),
    ),
  )

const accessMethod = (_: unknown, after: FactOf<'materialized view'> | FactOf<'table'>): Answer =>
  altered(after, `set access method ${quoteIfNeeded(after.properties.accessMethod ?? 'heap')}`)

const tablespace = (
  _: unknown,
  after: FactOf<'materialized view'> | FactOf<'table'> | FactOf<'index'>,
): Answer => altered(after, `set tablespace ${quoteIfNeeded(after.properties.tablespace ?? 'pg_default')}`)

/** Of relations and of what stands on them. */
export const relationRules = {
  table: {
    owner: ownerRule,
    persistence: (_, after) =>
      altered(after, after.properties.persistence === 'unlogged' ? 'set unlogged' : 'set logged'),
    accessMethod,
    tablespace,
    options: optionsRule,
    toastOptions: toastRule,
    replicaIdentity: (_, after, world) => {
      const { replicaIdentity } = after.properties
      if (replicaIdentity !== 'index')
        return steps(alter(after, `${alterTable(after)} replica identity ${replicaIdentity}`))
      return identityIndex(after, world)
    },
    rowSecurity: (_, after) =>
      altered(after, `${after.properties.rowSecurity ? 'enable' : 'disable'} row level security`),
    forceRowSecurity: (_, after) =>
      altered(after, `${after.properties.forceRowSecurity ? 'force' : 'no force'} row level security`),
    inherits: partitionRule,
    partitionBy: refused(
      'a table cannot become partitioned, nor be partitioned otherwise, with its rows in it',
    ),
    partitionOf: partitionRule,
    partitionBound: partitionRule,
    ofType: (_, after) =>
      altered(after, after.properties.ofType === undefined ? 'not of' : `of ${after.properties.ofType}`),
  },
  'foreign table': {
    owner: ownerRule,
    server: remake,
    options: foreignOptionsRule,
    inherits: partitionRule,
    partitionOf: partitionRule,
    partitionBound: partitionRule,
  },
  view: { owner: ownerRule, definition: viewRule, options: viewOptionsRule },
  'materialized view': {
    owner: ownerRule,
    extensions: tieRule,
    definition: remake,
    options: optionsRule,
    toastOptions: toastRule,
    accessMethod,
    tablespace,
  },
  constraint: {
    type: remake,
    definition: remake,
    noInherit: remake,
    enforced: remake,
    deferrable: deferRule,
    deferred: deferRule,
    validated: (_, after, world) => {
      if (!after.properties.validated) return { kind: 'remake' }
      const [whole] = wholesOf(after, world.after)
      return steps(alter(after, `alter ${whole?.key ?? ''} validate constraint ${quoteIfNeeded(after.name)}`))
    },
    // Its index is attached.
    partitionOf: follows,
  },
  index: {
    definition: remake,
    valid: (_, after) => ({
      // Of a partitioned table: as soon as each partition has one.
      kind: after.properties.definition.includes(' ON ONLY ') ? 'follows' : 'remake',
    }),
    tablespace,
    partitionOf: (_, after) =>
      after.properties.partitionOf === undefined
        ? { kind: 'follows' }
        : steps(
            alter(after, `alter index ${after.properties.partitionOf} attach partition ${after.identity}`, {
              needs: [`index ${after.properties.partitionOf}`],
            }),
          ),
    clustered: (before, after, world) => {
      const table = relationOf(after, world)
      if (table === undefined) return { kind: 'follows' }
      if (after.properties.clustered)
        return steps(alter(after, `alter ${table.key} cluster on ${quoteIfNeeded(after.name)}`))
      // Another index that is marked takes the mark.
      const other = [...world.after.facts.values()].some(
        (fact) =>
          fact.kind === 'index' && fact.properties.clustered && relationOf(fact, world)?.key === table.key,
      )
      return other ? { kind: 'follows' } : steps(alter(before, `alter ${table.key} set without cluster`))
    },
    replicaIdentity: (_, after, world) => {
      const table = relationOf(after, world)
      return after.properties.replicaIdentity && table !== undefined
        ? steps(
            alter(
              after,
              `alter table ${table.identity} replica identity using index ${quoteIfNeeded(after.name)}`,
            ),
          )
        : { kind: 'follows' }
    },
    statistics: (before, after) => {
      const now = new Map(after.properties.statistics.map((one) => one.split('=') as [string, string]))
      const columns = new Set([
        ...before.properties.statistics.map((one) => one.split('=')[0] ?? ''),
        ...now.keys(),
      ])
      return steps(
        ...[...columns].map((column) =>
          alter(
            after,
            `alter index ${after.identity} alter column ${column} set statistics ${now.get(column) ?? '-1'}`,
          ),
        ),
      )
    },
    extensions: tieRule,
  },
  sequence: {
    owner: ownerRule,
    type: sequenceRule,
    start: sequenceRule,
    increment: sequenceRule,
    min: sequenceRule,
    max: sequenceRule,
    cache: sequenceRule,
    cycle: sequenceRule,
    persistence: (_, after) => {
      // It goes with its table.
      if (after.properties.ownedBy !== undefined) return { kind: 'follows' }
      return altered(after, after.properties.persistence === 'unlogged' ? 'set unlogged' : 'set logged')
    },
    ownedBy: (before, after) => {
      if (before.details.identity || after.details.identity) return { kind: 'remake' }
      const { ownedBy } = after.properties
      return altered(after, `owned by ${ownedBy ?? 'none'}`, {
        needs: ownedBy === undefined ? [] : [`column ${ownedBy}`],
        creates: [letGoMark(after.key)],
      })
    },
  },
  trigger: {
    definition: remake,
    inherited: remake,
    extensions: tieRule,
    enabled: (_, after, world) =>
      steps(
        alter(
          after,
          `alter table ${wholesOf(after, world.after)[0]?.identity ?? ''} ${enabledClause(after.properties.enabled)} trigger ${quoteIfNeeded(after.name)}`,
        ),
      ),
  },
  rule: {
    definition: (_, after) =>
      steps(
        alter(after, small(after.properties.definition).replace(/^create rule/, 'create or replace rule')),
      ),
    enabled: (_, after, world) =>
      steps(
        alter(
          after,
          `alter table ${wholesOf(after, world.after)[0]?.identity ?? ''} ${enabledClause(after.properties.enabled)} rule ${quoteIfNeeded(after.name)}`,
        ),
      ),
  },
  policy: { command: remake, permissive: remake, roles: policyRule, using: policyRule, check: policyRule },
  statistics: {
    owner: ownerRule,
    definition: remake,
    target: (_, after) => altered(after, `set statistics ${String(after.properties.target ?? -1)}`),
  },
} satisfies Partial<Rules>

function relationOf(index: FactOf<'index'>, { after }: World) {
  return wholesOf(index, after).find(({ kind }) => kind === 'table' || kind === 'materialized view')
}

/** REPLICA IDENTITY USING INDEX, where the index was there before; a new one says it itself. */
function identityIndex(table: FactOf<'table'>, world: World): Answer {
  const index = [...world.after.facts.values()].find(
    (fact) =>
      fact.kind === 'index' &&
      fact.properties.replicaIdentity &&
      tableOf(fact, world.after)?.key === table.key,
  )
  if (index === undefined || !world.before.facts.has(index.key)) return { kind: 'follows' }
  return steps(
    alter(table, `${alterTable(table)} replica identity using index ${quoteIfNeeded(index.name)}`, {
      needs: [index.key],
    }),
  )
}

/** CREATE OR REPLACE VIEW keeps all that stands on the view, as long as its columns stay and new ones come last. */
function viewRule(before: FactOf<'view'>, after: FactOf<'view'>, world: World): Answer {
  const shape = (view: FactOf<'view'>, catalog: World['after']): readonly string[] =>
    partsOfKind(catalog, view.key, 'column').map(({ name, properties: { type, collation } }) =>
      JSON.stringify([name, type, collation]),
    )
  const [old, now] = [shape(before, world.before), shape(after, world.after)]
  if (!old.every((column, index) => column === now[index])) return { kind: 'remake' }
  const [create] = viewStatements(after, world.after)
  const columns = partsOfKind(world.after, after.key, 'column').map(({ key }) => key)
  return steps(
    alter(after, (create?.sql ?? '').replace(/^create view/, 'create or replace view'), {
      creates: columns.filter((key) => !world.before.facts.has(key)),
    }),
  )
}

function viewOptionsRule(before: FactOf<'view'>, after: FactOf<'view'>): Answer {
  // CREATE OR REPLACE VIEW says them all.
  return before.properties.definition === after.properties.definition
    ? optionsRule(before, after)
    : { kind: 'follows' }
}

function deferRule(_: FactOf<'constraint'>, after: FactOf<'constraint'>, world: World): Answer {
  if (after.properties.type !== 'foreign key') return { kind: 'remake' }
  const [whole] = wholesOf(after, world.after)
  const clause = constraintClause(after, world.after)
  const deferral = /(?: deferrable)?(?: initially deferred)?(?= not valid$|$)/.exec(clause)?.[0] ?? ''
  return steps(
    alter(
      after,
      `alter ${whole?.key ?? ''} alter constraint ${quoteIfNeeded(after.name)}${deferral === '' ? ' not deferrable' : deferral}`,
    ),
  )
}

function sequenceRule(before: FactOf<'sequence'>, after: FactOf<'sequence'>): Answer {
  return steps(...sequenceSteps(before, after))
}

/** ALTER POLICY can change an expression, and not take it away. */
function policyRule(before: FactOf<'policy'>, after: FactOf<'policy'>, world: World): Answer {
  const { roles, using, check } = after.properties
  if (
    (before.properties.using !== undefined && using === undefined) ||
    (before.properties.check !== undefined && check === undefined)
  )
    return { kind: 'remake' }
  const table = wholesOf(after, world.after)[0]?.identity
  if (table === undefined) return { kind: 'remake' }
  const clauses = [
    ...(roles.join() === before.properties.roles.join() ? [] : [` to ${roles.join(', ')}`]),
    ...(using === undefined || using === before.properties.using ? [] : [`\n  using (${small(using)})`]),
    ...(check === undefined || check === before.properties.check ? [] : [`\n  with check (${small(check)})`]),
  ]
  return steps(alter(after, `alter policy ${quoteIfNeeded(after.name)} on ${table}${clauses.join('')}`))
}
