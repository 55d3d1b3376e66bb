import { quoteIfNeeded } from '../database/quote.js'
import type { Catalog, FactOf } from './catalog.js'
import { create, type Statement } from './ddl-statement.js'

/** Kinds of which everybody may do something from the start. */
const GIVEN_TO_ALL = new Set(['function', 'procedure', 'language', 'type', 'domain'])

/** What GRANT ... ON says, and whether the grantee has something there from the start. */
export function rightsOf(
  grant: FactOf<'grant'>,
  catalog: Catalog,
): { readonly target: string; readonly isGiven: boolean; readonly toOwner: boolean } {
  const { on, onIdentity, column, grantee } = grant.details
  const object = grant.parent === undefined ? undefined : catalog.facts.get(grant.parent)
  const owner =
    object !== undefined && 'owner' in object.properties
      ? (object.properties.owner ?? catalog.owner)
      : undefined
  const toOwner = column === undefined && owner !== undefined && grantee === quoteIfNeeded(owner)
  const isGiven =
    column === undefined &&
    (object === undefined ||
      (grantee === 'public' && (GIVEN_TO_ALL.has(on) || onIdentity === 'public')) ||
      toOwner)
  return { target: on === 'table' ? onIdentity : `${on} ${onIdentity}`, isGiven, toOwner }
}

/** GRANT, and before it REVOKE where something is given from the start. */
export function grantStatements(grant: FactOf<'grant'>, catalog: Catalog): readonly Statement[] {
  const { column, grantee, grantor } = grant.details
  const { target, isGiven } = rightsOf(grant, catalog)
  const { privileges, grantable } = grant.properties
  const sql = [
    ...(isGiven ? [`revoke all on ${target} from ${grantee}`] : []),
    ...grantsOf(privileges, grantable, column, target, grantee),
  ]
  const whole =
    grantor === undefined
      ? sql
      : [`set session authorization ${grantor}`, ...sql, 'reset session authorization']
  return [create(grant, whole.join(';\n'))]
}

export function grantsOf(
  privileges: readonly string[],
  grantable: readonly string[],
  column: string | undefined,
  target: string,
  grantee: string,
): readonly string[] {
  const of = (names: readonly string[]): string =>
    names.map((name) => (column === undefined ? name : `${name} (${quoteIfNeeded(column)})`)).join(', ')
  const plain = privileges.filter((privilege) => !grantable.includes(privilege))
  return [
    ...(plain.length === 0 ? [] : [`grant ${of(plain)} on ${target} to ${grantee}`]),
    ...(grantable.length === 0
      ? []
      : [`grant ${of(grantable)} on ${target} to ${grantee} with grant option`]),
  ]
}

export function defaultPrivilegesHead(fact: FactOf<'default privileges'>): string {
  const { role, inSchema } = fact.details
  return [
    'alter default privileges',
    ...(role === undefined ? [] : [`for role ${quoteIfNeeded(role)}`]),
    ...(inSchema === undefined ? [] : [`in schema ${quoteIfNeeded(inSchema)}`]),
  ].join(' ')
}

export function defaultPrivilegesStatements(fact: FactOf<'default privileges'>): readonly Statement[] {
  const { inSchema, on, grantee } = fact.details
  const { privileges, grantable } = fact.properties
  const head = defaultPrivilegesHead(fact)
  const sql = [
    // In a schema they come on top of what is given; elsewhere they take its place.
    ...(inSchema === undefined ? [`revoke all on ${on} from ${grantee}`] : []),
    ...grantsOf(privileges, grantable, undefined, on, grantee),
  ]
  return [create(fact, sql.map((clause) => `${head} ${clause}`).join(';\n'))]
}
