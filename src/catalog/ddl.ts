import type { Catalog, Fact } from './catalog.js'
import { constraintStatements, indexStatements } from './ddl-constraints.js'
import {
  accessMethodStatements,
  extensionStatements,
  foreignDataWrapperStatements,
  languageStatements,
  publicationStatements,
  schemaStatements,
  serverStatements,
  subscriptionStatements,
  userMappingStatements,
} from './ddl-database.js'
import { defaultPrivilegesStatements, grantStatements } from './ddl-rights.js'
import { aggregateStatements, routineStatements } from './ddl-routines.js'
import { sequenceStatements } from './ddl-sequences.js'
import { commentStatements, ownerStatements, tieStatements, type Statement } from './ddl-statement.js'
import { tableStatements } from './ddl-tables.js'
import {
  castStatements,
  collationStatements,
  conversionStatements,
  domainStatements,
  operatorClassStatements,
  operatorFamilyStatements,
  operatorStatements,
  textSearchConfigurationStatements,
  textSearchDictionaryStatements,
  textSearchParserStatements,
  textSearchTemplateStatements,
  transformStatements,
  typeStatements,
} from './ddl-types.js'
import {
  eventTriggerStatements,
  materializedViewStatements,
  policyStatements,
  ruleStatements,
  statisticsStatements,
  triggerStatements,
  viewStatements,
} from './ddl-views.js'

/**
 * The statements that make a fact what it is: created, altered where CREATE cannot say it, owned, commented on. Parts that have a
 * statement of their own (indexes, foreign keys, triggers, grants) are not among them; columns, and constraints that stand in CREATE
 * TABLE, are in that of their table.
 *
 * @example
 * const table = findFact(catalog, 'table', 'public.loads')
 * if (table !== undefined) for (const { sql } of statementsOf(table, catalog)) console.log(`${sql};`)
 */
export function statementsOf(fact: Fact, catalog: Catalog): readonly Statement[] {
  return [
    ...created(fact, catalog),
    ...ownerStatements(fact, catalog),
    ...commentStatements(fact, catalog),
    ...tieStatements(fact, catalog),
  ]
}

function created(fact: Fact, catalog: Catalog): readonly Statement[] {
  switch (fact.kind) {
    case 'schema':
      return schemaStatements(fact)
    case 'extension':
      return extensionStatements(fact)
    case 'language':
      return languageStatements(fact)
    case 'access method':
      return accessMethodStatements(fact)
    case 'cast':
      return castStatements(fact)
    case 'transform':
      return transformStatements(fact)
    case 'collation':
      return collationStatements(fact)
    case 'conversion':
      return conversionStatements(fact)
    case 'event trigger':
      return eventTriggerStatements(fact)
    case 'publication':
      return publicationStatements(fact)
    case 'subscription':
      return subscriptionStatements()
    case 'table':
    case 'foreign table':
      return tableStatements(fact, catalog)
    case 'view':
      return viewStatements(fact, catalog)
    case 'materialized view':
      return materializedViewStatements(fact, catalog)
    case 'column':
      // Its table makes it.
      return []
    case 'constraint':
      return constraintStatements(fact, catalog)
    case 'index':
      return indexStatements(fact, catalog)
    case 'sequence':
      return sequenceStatements(fact, catalog)
    case 'trigger':
      return triggerStatements(fact)
    case 'rule':
      return ruleStatements(fact)
    case 'policy':
      return policyStatements(fact)
    case 'statistics':
      return statisticsStatements(fact)
    case 'type':
      return typeStatements(fact, catalog)
    case 'domain':
      return domainStatements(fact, catalog)
    case 'function':
    case 'procedure':
      return routineStatements(fact)
    case 'aggregate':
      return aggregateStatements(fact)
    case 'operator':
      return operatorStatements(fact)
    case 'operator family':
      return operatorFamilyStatements(fact)
    case 'operator class':
      return operatorClassStatements(fact)
    case 'text search configuration':
      return textSearchConfigurationStatements(fact)
    case 'text search dictionary':
      return textSearchDictionaryStatements(fact)
    case 'text search parser':
      return textSearchParserStatements(fact)
    case 'text search template':
      return textSearchTemplateStatements(fact)
    case 'foreign data wrapper':
      return foreignDataWrapperStatements(fact)
    case 'server':
      return serverStatements(fact)
    case 'user mapping':
      return userMappingStatements(fact)
    case 'grant':
      return grantStatements(fact, catalog)
    case 'default privileges':
      return defaultPrivilegesStatements(fact)
  }
}
