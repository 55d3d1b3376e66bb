import { cancellable } from '../apply/run-transaction.js'
import type { Catalog, Fact } from '../catalog/catalog.js'
import { orderedStatements } from '../catalog/ddl-order.js'
import type { Statement } from '../catalog/ddl-statement.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { Session } from '../database/database.js'
import { BEGIN, type LedgerPlace } from '../database/ledger.js'
import { quoteIfNeeded, quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { problem } from '../errors.js'

/**
 * A catalog as another engine words it: made again from its definitions in an empty database there, and read back. Majors deparse views
 * and name constraints differently, so two catalogs are compared on one engine only.
 */
export async function carryOver(
  catalog: Catalog,
  session: Session,
  { ledger, major, signal }: { ledger: LedgerPlace; major: number; signal: AbortSignal },
): Promise<Catalog> {
  await createMissingRoles(session, rolesNamedBy(catalog))
  // Bodies may name what no edge leads to, and what comes later.
  const begin = `${BEGIN};set local check_function_bodies to off`
  await session.script(begin)
  let object = ''
  try {
    const statements = orderedStatements(catalog)
    if (!(await runTogether(session, statements, signal))) {
      await session.script(begin)
      for (const { sql, of } of statements) {
        object = of
        await cancellable(session, signal, () => session.script(sql))
      }
    }
    await session.script('commit')
  } catch (error) {
    if (!(error instanceof SqlError) || error.connectionLost) throw error
    await session.script('rollback')
    if (signal.aborted) throw error
    throw problem('drift.not-carried-over', { object, major, message: error.message }, { cause: error })
  }
  return readCatalog(session, { ledger })
}

/** Statements in one message: a round trip each would take longer than most of them. */
const AT_ONCE = 100

/** False, and rolled back, where one of them is refused: which one it was is seen when they are run one by one. */
async function runTogether(
  session: Session,
  statements: readonly Statement[],
  signal: AbortSignal,
): Promise<boolean> {
  try {
    for (let at = 0; at < statements.length; at += AT_ONCE) {
      const text = statements.slice(at, at + AT_ONCE).map(({ sql }) => `${sql};\n`)
      await cancellable(session, signal, () => session.script(text.join('')))
    }
    return true
  } catch (error) {
    if (!(error instanceof SqlError) || error.connectionLost || signal.aborted) throw error
    await session.script('rollback')
    return false
  }
}

/** Roles are not a database's own, but owners, grants and policies name them. */
export function rolesNamedBy(catalog: Catalog): readonly string[] {
  const names = [...catalog.facts.values()].flatMap(rolesOfFact).map(unquoted)
  return [...new Set(names)].filter((name) => name !== '' && name.toLowerCase() !== 'public').sort()
}

/** Grants and policies name roles as statements do. */
function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

function rolesOfFact(fact: Fact): readonly string[] {
  const owner = 'owner' in fact.properties ? (fact.properties.owner ?? '') : ''
  switch (fact.kind) {
    case 'grant':
      return [fact.details.grantee, fact.details.grantor ?? '']
    case 'default privileges':
      return [fact.details.grantee, fact.details.role ?? '']
    case 'policy':
      return fact.properties.roles
    default:
      return [owner]
  }
}

/** So that what is owned by them, or granted to them, can be made. */
export async function createMissingRoles(session: Session, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const list = names.map(quoteLiteral).join(',')
  const known = new Set(
    (await session.query(`select rolname from pg_catalog.pg_roles where rolname in (${list})`)).map(
      ([name]) => name,
    ),
  )
  const missing = names.filter((name) => !known.has(name))
  for (const name of missing) await session.script(`create role ${quoteIfNeeded(name)}`)
}
