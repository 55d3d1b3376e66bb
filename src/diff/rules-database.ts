import { literal } from '../catalog/ddl-statement.js'
import { quoteIfNeeded } from '../database/quote.js'
import { altered, foreignOptionsRule, ownerRule, remake, steps } from './answers.js'
import { changedDefault, changedGrant } from './rights.js'
import type { Answer, Rules } from './rules.js'
import { alter, chained } from './step.js'
import type { FactOf } from '../catalog/catalog.js'
import type { World } from './world.js'

/** Of the database itself, of foreign data, text search and rights. */
export const databaseRules = {
  schema: { owner: ownerRule },
  extension: {
    schema: (_, after) => altered(after, `set schema ${quoteIfNeeded(after.properties.schema)}`),
  },
  language: { owner: ownerRule, trusted: remake, handler: remake, inline: remake, validator: remake },
  'access method': { type: remake, handler: remake },
  cast: { context: remake, method: remake },
  transform: { fromSql: remake, toSql: remake },
  collation: {
    owner: ownerRule,
    provider: remake,
    deterministic: remake,
    locale: remake,
    lcCollate: remake,
    lcCtype: remake,
    rules: remake,
  },
  conversion: { owner: ownerRule, from: remake, to: remake, function: remake, default: remake },
  'event trigger': {
    owner: ownerRule,
    event: remake,
    tags: remake,
    function: remake,
    enabled: (_, after) =>
      altered(
        after,
        {
          origin: 'enable',
          disabled: 'disable',
          replica: 'enable replica',
          always: 'enable always',
        }[after.properties.enabled],
      ),
  },
  publication: {
    owner: ownerRule,
    allTables: remake,
    publishes: (_, after) =>
      altered(after, `set (publish = ${literal(after.properties.publishes.join(', '))})`, { releases: [] }),
    viaPartitionRoot: (_, after) =>
      altered(after, `set (publish_via_partition_root = ${String(after.properties.viaPartitionRoot)})`, {
        releases: [],
      }),
    generatedColumns: (_, after) =>
      altered(after, `set (publish_generated_columns = ${after.properties.generatedColumns ?? 'none'})`, {
        releases: [],
      }),
    tables: publishedRule,
    schemas: publishedRule,
  },
  subscription: {
    owner: ownerRule,
    enabled: (_, after) => altered(after, after.properties.enabled ? 'enable' : 'disable'),
    publications: (_, after) =>
      altered(
        after,
        `set publication ${after.properties.publications.map(quoteIfNeeded).join(', ')} with (refresh = false)`,
      ),
    slotName: (_, after) =>
      altered(
        after,
        `set (slot_name = ${after.properties.slotName === undefined ? 'none' : literal(after.properties.slotName)})`,
      ),
  },
  'foreign data wrapper': {
    owner: ownerRule,
    handler: (_, after) =>
      altered(
        after,
        after.properties.handler === undefined ? 'no handler' : `handler ${after.properties.handler}`,
      ),
    validator: (_, after) =>
      altered(
        after,
        after.properties.validator === undefined ? 'no validator' : `validator ${after.properties.validator}`,
      ),
    options: foreignOptionsRule,
  },
  server: {
    owner: ownerRule,
    wrapper: remake,
    type: remake,
    version: (_, after) =>
      after.properties.version === undefined
        ? { kind: 'remake' }
        : altered(after, `version ${literal(after.properties.version)}`),
    options: foreignOptionsRule,
  },
  'user mapping': { options: foreignOptionsRule },
  'text search configuration': {
    owner: ownerRule,
    parser: remake,
    mappings: (before, after) => {
      const parse = (mapping: string): readonly [string, string] => {
        const at = mapping.indexOf(': ')
        return [mapping.slice(0, at), mapping.slice(at + 2)]
      }
      const [old, now] = [
        new Map(before.properties.mappings.map(parse)),
        new Map(after.properties.mappings.map(parse)),
      ]
      return steps(
        ...[...old.keys()]
          .filter((token) => !now.has(token))
          .map((token) => alter(after, `alter ${after.key} drop mapping for ${token}`)),
        ...[...now]
          .filter(([token, dictionaries]) => old.get(token) !== dictionaries)
          .map(([token, dictionaries]) =>
            alter(
              after,
              `alter ${after.key} ${old.has(token) ? 'alter' : 'add'} mapping for ${token} with ${dictionaries}`,
            ),
          ),
      )
    },
  },
  'text search dictionary': { owner: ownerRule, template: remake, options: remake },
  'text search parser': { start: remake, token: remake, end: remake, headline: remake, lexTypes: remake },
  'text search template': { init: remake, lexize: remake },
  grant: { privileges: grantRule, grantable: grantRule },
  'default privileges': { privileges: defaultRule, grantable: defaultRule },
} satisfies Partial<Rules>

/** All that is published, in one statement. */
function publishedRule(before: FactOf<'publication'>, after: FactOf<'publication'>): Answer {
  const { tables, schemas, allTables } = after.properties
  if (allTables !== before.properties.allTables) return { kind: 'remake' }
  const what = [
    ...(tables.length === 0 ? [] : [`table ${tables.join(', ')}`]),
    ...(schemas.length === 0 ? [] : [`tables in schema ${schemas.join(', ')}`]),
  ]
  return what.length === 0 ? { kind: 'remake' } : altered(after, `set ${what.join(', ')}`)
}

function grantRule(before: FactOf<'grant'>, after: FactOf<'grant'>, world: World): Answer {
  return steps(...chained(changedGrant(before, after, world.after).map((sql) => alter(after, sql))))
}

function defaultRule(_: FactOf<'default privileges'>, after: FactOf<'default privileges'>): Answer {
  return steps(...chained(changedDefault(after).map((sql) => alter(after, sql))))
}
