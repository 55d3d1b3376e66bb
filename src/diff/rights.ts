import type { Catalog, FactOf } from '../catalog/catalog.js'
import { defaultPrivilegesHead, grantsOf, rightsOf } from '../catalog/ddl-rights.js'
import { quoteIfNeeded } from '../database/quote.js'

type Grant = FactOf<'grant'>
type DefaultPrivileges = FactOf<'default privileges'>

/** What PostgreSQL gives to everybody from the start. */
const GIVEN: Readonly<Record<string, string>> = {
  function: 'execute',
  procedure: 'execute',
  language: 'usage',
  type: 'usage',
  domain: 'usage',
}

/** Back to what PostgreSQL gives by itself. */
export function takenAway(grant: Grant, catalog: Catalog): readonly string[] {
  const { target, isGiven, toOwner } = rightsOf(grant, catalog)
  const { column, grantee, on } = grant.details
  // Everybody may look into the schema public; before PostgreSQL 15, they could also create things there.
  const inPublic = catalog.major >= 15 ? 'usage' : 'all'
  const usual = toOwner ? 'all' : isGiven ? (on === 'schema' ? inPublic : GIVEN[on]) : undefined
  const all = column === undefined ? 'all' : `all (${quoteIfNeeded(column)})`
  return by(grant, [
    `revoke ${all} on ${target} from ${grantee}`,
    ...(usual === undefined ? [] : [`grant ${usual} on ${target} to ${grantee}`]),
  ])
}

/** From some rights to others: only what is too many is taken, because what was passed on hangs on the rest. */
export function changedGrant(before: Grant, after: Grant, catalog: Catalog): readonly string[] {
  const { target } = rightsOf(after, catalog)
  const { column, grantee } = after.details
  const [old, now] = [before.properties, after.properties]
  const isAll = (names: readonly string[]): boolean => names.includes('all')
  if (isAll(old.privileges) || isAll(now.privileges) || isAll(old.grantable) || isAll(now.grantable)) {
    const all = column === undefined ? 'all' : `all (${quoteIfNeeded(column)})`
    return by(after, [
      `revoke ${all} on ${target} from ${grantee}`,
      ...grantsOf(now.privileges, now.grantable, column, target, grantee),
    ])
  }
  const list = (names: readonly string[]): string =>
    names.map((name) => (column === undefined ? name : `${name} (${quoteIfNeeded(column)})`)).join(', ')
  const gone = old.privileges.filter((name) => !now.privileges.includes(name))
  const noLonger = old.grantable.filter(
    (name) => now.privileges.includes(name) && !now.grantable.includes(name),
  )
  const come = now.privileges.filter((name) => !old.privileges.includes(name))
  const grantable = now.grantable.filter((name) => !old.grantable.includes(name))
  return by(after, [
    ...(gone.length === 0 ? [] : [`revoke ${list(gone)} on ${target} from ${grantee}`]),
    ...(noLonger.length === 0
      ? []
      : [`revoke grant option for ${list(noLonger)} on ${target} from ${grantee}`]),
    ...grantsOf([...new Set([...come, ...grantable])], grantable, column, target, grantee),
  ])
}

function by(grant: Grant, sql: readonly string[]): readonly string[] {
  const { grantor } = grant.details
  return grantor === undefined
    ? sql
    : [`set session authorization ${grantor}`, ...sql, 'reset session authorization']
}

export function takenAwayByDefault(fact: DefaultPrivileges): readonly string[] {
  const { inSchema, on, grantee, role } = fact.details
  const head = defaultPrivilegesHead(fact)
  const usual = inSchema === undefined ? usualByDefault(on, grantee, role) : undefined
  return [
    `${head} revoke all on ${on} from ${grantee}`,
    ...(usual === undefined ? [] : [`${head} grant ${usual} on ${on} to ${grantee}`]),
  ]
}

function usualByDefault(on: string, grantee: string, role: string | undefined): string | undefined {
  if (grantee === role) return 'all'
  if (grantee !== 'public') return undefined
  return on === 'functions' ? 'execute' : on === 'types' ? 'usage' : undefined
}

export function changedDefault(fact: DefaultPrivileges): readonly string[] {
  const { on, grantee } = fact.details
  const { privileges, grantable } = fact.properties
  const head = defaultPrivilegesHead(fact)
  return [
    `revoke all on ${on} from ${grantee}`,
    ...grantsOf(privileges, grantable, undefined, on, grantee),
  ].map((clause) => `${head} ${clause}`)
}
