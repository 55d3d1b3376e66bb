import type { Session } from '../database/database.js'
import type { LedgerPlace } from '../database/ledger.js'
import { quoteLiteral } from '../database/quote.js'
import type { Catalog, Fact } from './catalog.js'
import { addColumns, columnsQuery } from './read/columns.js'
import { addConstraints, addIndexes, constraintsQuery, INDEXES } from './read/constraints.js'
import { CATALOGS, Dependencies, DEPENDENCIES } from './read/dependencies.js'
import {
  addForeignDataWrappers,
  addServers,
  addUserMappings,
  FOREIGN_DATA_WRAPPERS,
  SERVERS,
  USER_MAPPINGS,
} from './read/foreign-data.js'
import { addDefaultPrivileges, addGrants, DEFAULT_PRIVILEGES, GRANTS } from './read/grants.js'
import { COMMENTS, EXTENSION_TIES, knownOf } from './read/known.js'
import {
  addCasts,
  addOperatorClasses,
  addOperatorFamilies,
  addOperators,
  CASTS,
  OPERATOR_CLASSES,
  OPERATOR_FAMILIES,
  OPERATORS,
} from './read/operators.js'
import { read, readRows, readTogether, text, type RowsOf } from './read/query.js'
import { address, Registry } from './read/registry.js'
import { addRelations, RELATIONS } from './read/relations.js'
import { addPublications, addSubscriptions, publicationsQuery, SUBSCRIPTIONS } from './read/replication.js'
import { addAggregates, addRoutines, AGGREGATES, ROUTINES } from './read/routines.js'
import {
  ACCESS_METHODS,
  addAccessMethods,
  addCollations,
  addConversions,
  addExtensions,
  addLanguages,
  addSchemas,
  addTransforms,
  COLLATIONS,
  CONVERSIONS,
  EXTENSIONS,
  LANGUAGES,
  SCHEMAS,
  TRANSFORMS,
} from './read/schemas.js'
import { addSequences, SEQUENCES } from './read/sequences.js'
import {
  addTextSearchConfigurations,
  addTextSearchDictionaries,
  addTextSearchParsers,
  addTextSearchTemplates,
  TEXT_SEARCH_CONFIGURATIONS,
  TEXT_SEARCH_DICTIONARIES,
  TEXT_SEARCH_PARSERS,
  TEXT_SEARCH_TEMPLATES,
} from './read/text-search.js'
import {
  addEventTriggers,
  addPolicies,
  addRules,
  addStatistics,
  addTriggers,
  EVENT_TRIGGERS,
  POLICIES,
  RULES,
  STATISTICS,
  TRIGGERS,
} from './read/triggers.js'
import { addDomains, addTypes, DOMAINS, TYPES } from './read/types.js'
import { readUnmodelled, SECURITY_LABELS, TEMPORARY } from './read/unmodelled.js'

export interface CatalogOptions {
  /** dbkit's own table, which is no part of what the migrations make. */
  readonly ledger?: LedgerPlace | undefined
  /** Ledgers of other tools, and schemas that hold nothing else. */
  readonly leaveOut?: readonly LedgerPlace[] | undefined
}

/**
 * Reads everything a database contains, as of one moment, in a number of queries that does not depend on how much that is. Leaves out
 * PostgreSQL's own schemas, what belongs to an extension, temporary objects and the ledger.
 *
 * @example
 * const catalog = await readCatalog(session, { ledger: config.ledger })
 * console.log(catalogHash(catalog), factsOf(catalog, 'table').map(({ identity }) => identity))
 */
export async function readCatalog(session: Session, options: CatalogOptions = {}): Promise<Catalog> {
  try {
    const catalog = await readWithin(session, options)
    await session.script('commit')
    return catalog
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

/**
 * One snapshot for all queries; nothing but pg_catalog on the path, so that every other name is written in full; and each setting
 * that changes how a value is written, whatever the role or the database has it set to.
 */
export const BEGIN_READING: readonly string[] = [
  'begin isolation level repeatable read read only',
  'set local search_path to pg_catalog',
  'set local timezone to utc',
  'set local datestyle to iso',
  'set local intervalstyle to postgres',
  'set local extra_float_digits to 3',
  'set local bytea_output to hex',
]

/** And how a name is written. */
const BEGIN = [
  ...BEGIN_READING,
  'set local quote_all_identifiers to off',
  'set local standard_conforming_strings to on',
].join(';')

/** The role that made the ledger, or else this one. */
function aboutServer(ledger: LedgerPlace | undefined): string {
  const owner =
    ledger === undefined
      ? 'null'
      : `(select pg_get_userbyid(c.relowner) from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = ${quoteLiteral(ledger.schema)} and c.relname = ${quoteLiteral(ledger.table)})`
  return `select current_setting('server_version_num')::int / 10000, coalesce(${owner}, current_user)`
}

async function readWithin(session: Session, { ledger, leaveOut = [] }: CatalogOptions): Promise<Catalog> {
  const [server] = await session.script(`${BEGIN};${aboutServer(ledger)}`)
  const [majorText = null, ownerText = null] = server ?? []
  const [major, owner] = [Number(majorText), text(ownerText)]
  const few = await readTogether(session, fewQueries(major))
  const comments = await read(session, COMMENTS)
  const registry = new Registry(major, owner, knownOf(comments, few.extensionTies))
  // A part after what it is a part of; and each kind is done with before the next is read.
  for (const { oid } of few.temporary) registry.leaveOut(address('pg_class', oid))
  addTypes(registry, few.types)
  addDomains(registry, few.domains)
  addRelations(registry, await read(session, RELATIONS), ledger, leaveOut)
  addColumns(registry, await read(session, columnsQuery(major)))
  addConstraints(registry, await read(session, constraintsQuery(major)))
  addIndexes(registry, await read(session, INDEXES))
  addRoutines(registry, await read(session, ROUTINES))
  addFew(registry, few)
  addGrants(registry, await read(session, GRANTS))
  const dependencies = new Dependencies(await readRows(session, DEPENDENCIES), few.catalogs)
  const strangers = await readUnmodelled(session, registry, dependencies, comments, few.catalogs)
  const labels = few.securityLabels.map((row) => ({ kind: text(row.kind), identity: text(row.identity) }))
  for (const place of [...(ledger === undefined ? [] : [ledger]), ...leaveOut])
    leaveOutLedgerSchema(registry, place)
  return {
    major,
    owner,
    facts: new Map([...registry.facts.entries()].sort(byKey)),
    edges: dependencies.edges(registry),
    unmodelled: [...strangers, ...labels],
  }
}

function fewQueries(major: number) {
  return {
    schemas: SCHEMAS,
    extensions: EXTENSIONS,
    extensionTies: EXTENSION_TIES,
    catalogs: CATALOGS,
    temporary: TEMPORARY,
    securityLabels: SECURITY_LABELS,
    languages: LANGUAGES,
    accessMethods: ACCESS_METHODS,
    transforms: TRANSFORMS,
    collations: COLLATIONS,
    conversions: CONVERSIONS,
    types: TYPES,
    domains: DOMAINS,
    sequences: SEQUENCES,
    aggregates: AGGREGATES,
    operators: OPERATORS,
    operatorFamilies: OPERATOR_FAMILIES,
    operatorClasses: OPERATOR_CLASSES,
    casts: CASTS,
    triggers: TRIGGERS,
    eventTriggers: EVENT_TRIGGERS,
    rules: RULES,
    policies: POLICIES,
    statistics: STATISTICS,
    publications: publicationsQuery(major),
    subscriptions: SUBSCRIPTIONS,
    textSearchConfigurations: TEXT_SEARCH_CONFIGURATIONS,
    textSearchDictionaries: TEXT_SEARCH_DICTIONARIES,
    textSearchParsers: TEXT_SEARCH_PARSERS,
    textSearchTemplates: TEXT_SEARCH_TEMPLATES,
    foreignDataWrappers: FOREIGN_DATA_WRAPPERS,
    servers: SERVERS,
    userMappings: USER_MAPPINGS,
    defaultPrivileges: DEFAULT_PRIVILEGES,
  }
}

type Few = { readonly [K in keyof ReturnType<typeof fewQueries>]: RowsOf<ReturnType<typeof fewQueries>[K]> }

/** Those of which there are few, save for types, which columns are parts of. */
function addFew(registry: Registry, few: Few): void {
  addSchemas(registry, few.schemas)
  addExtensions(registry, few.extensions)
  addLanguages(registry, few.languages)
  addAccessMethods(registry, few.accessMethods)
  addTransforms(registry, few.transforms)
  addCollations(registry, few.collations)
  addConversions(registry, few.conversions)
  addSequences(registry, few.sequences)
  addAggregates(registry, few.aggregates)
  addOperators(registry, few.operators)
  addOperatorFamilies(registry, few.operatorFamilies)
  addOperatorClasses(registry, few.operatorClasses)
  addCasts(registry, few.casts)
  addTriggers(registry, few.triggers)
  addEventTriggers(registry, few.eventTriggers)
  addRules(registry, few.rules)
  addPolicies(registry, few.policies)
  addStatistics(registry, few.statistics)
  addPublications(registry, few.publications)
  addSubscriptions(registry, few.subscriptions)
  addTextSearchConfigurations(registry, few.textSearchConfigurations)
  addTextSearchDictionaries(registry, few.textSearchDictionaries)
  addTextSearchParsers(registry, few.textSearchParsers)
  addTextSearchTemplates(registry, few.textSearchTemplates)
  addForeignDataWrappers(registry, few.foreignDataWrappers)
  addServers(registry, few.servers)
  addUserMappings(registry, few.userMappings)
  addDefaultPrivileges(registry, few.defaultPrivileges)
}

/** A schema that was made for a ledger holds nothing else. */
function leaveOutLedgerSchema(registry: Registry, ledger: LedgerPlace): void {
  if (ledger.schema === 'public') return
  const schema = registry.inNoSchema(ledger.schema).identity
  const facts = [...registry.facts.values()]
  if (facts.some((fact) => fact.schema === ledger.schema && fact.kind !== 'grant')) return
  for (const fact of facts)
    if (fact.key === `schema ${schema}` || fact.parent === `schema ${schema}`) registry.facts.delete(fact.key)
}

function byKey([a]: readonly [string, Fact], [b]: readonly [string, Fact]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
