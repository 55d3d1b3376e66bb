import { quoteIfNeeded, quoteLiteral } from '../../database/quote.js'
import type { Finder } from './culprit.js'

const DENIED =
  /^(permission denied for|must be owner of) (schema|table|view|materialized view|sequence|function|type|database) "?(.+?)"?$/

/** Where a kind of object is looked up by name, whose owner it has, and what a migration wants to do with it. */
interface Place {
  readonly owner: string
  readonly from: string
  readonly where: string
  readonly wants: string
}

const RELATION: Place = { owner: 'relowner', from: 'pg_class', where: 'relname', wants: 'all on' }
const OTHERS: Readonly<Record<string, Place>> = {
  schema: { owner: 'nspowner', from: 'pg_namespace', where: 'nspname', wants: 'usage, create on schema' },
  database: { owner: 'datdba', from: 'pg_database', where: 'datname', wants: 'create on database' },
  function: { owner: 'proowner', from: 'pg_proc', where: 'proname', wants: 'execute on function' },
  type: { owner: 'typowner', from: 'pg_type', where: 'typname', wants: 'usage on type' },
}

/** The right that is missing, who could grant it, and the statement that does. */
export const missingRights: Finder = async ({ error, look }) => {
  const [, refusal, kind = '', name = ''] = DENIED.exec(error.message) ?? []
  if (error.sqlstate !== '42501' || refusal === undefined) return undefined
  const { owner, from, where, wants } = OTHERS[kind] ?? RELATION
  const rows = await look(
    `select distinct pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.${owner})), pg_catalog.quote_ident(current_user::text)
       from pg_catalog.${from} o where o.${where} = ${quoteLiteral(name)}`,
  )
  const [first] = rows
  if (first === undefined || rows.length > 1) return undefined
  const [holder, role] = first
  const shown = `${kind} ${quoteIfNeeded(name)}`
  const mend =
    refusal === 'must be owner of'
      ? `grant ${String(holder)} to ${String(role)}`
      : `grant ${wants} ${quoteIfNeeded(name)} to ${String(role)}`
  return {
    kind: 'missing-right',
    summary: `${shown} belongs to ${String(holder)}, who could run:`,
    examples: [mend],
  }
}
