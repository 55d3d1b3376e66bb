import type { Session } from '../database/database.js'
import { quoteLiteral } from '../database/quote.js'
import { parseIndexStatement, type Statement } from '../workspace/statements.js'
import type { Snapshot } from './snapshot.js'
import type { HeldLock } from './trace.js'

/**
 * The locks of a statement that cannot run in a transaction, as PostgreSQL's manual gives them: they are gone before anybody in the same
 * session can look. What it works on is taken from its text, or is every table where it names none.
 */
export async function documentedLocks(
  session: Session,
  statement: Statement,
  before: Snapshot,
  searchPath: string,
): Promise<readonly HeldLock[]> {
  const named = parseIndexStatement(statement)
  const find = (name: string): Promise<string | undefined> => resolve(session, name, searchPath)
  if (named !== undefined) {
    const oid = await find(named.table ?? named.index ?? '')
    // An index that was dropped is only known from before.
    const index = oid ?? findByName(before, named.index)
    if (index === undefined) return []
    const table = before.indexes.get(index)?.relation
    const mode = 'ShareUpdateExclusiveLock' as const
    return [{ relation: index, mode }, ...(table === undefined ? [] : [{ relation: table, mode }])]
  }
  const text = statement.text
  const words = statement.words.join(' ')
  if (words.startsWith('vacuum')) {
    const mode = /\bfull\b/i.test(text) ? 'AccessExclusiveLock' : 'ShareUpdateExclusiveLock'
    const names = namesAfter(text, /^vacuum\s*(?:\([^)]*\)|(?:(?:full|freeze|verbose|analyze)\s+)*)\s*/i)
    return (await relationsOf(names, find, before)).map((relation) => ({ relation, mode }))
  }
  if (words.startsWith('cluster') || words.startsWith('reindex'))
    return [...before.indexes.values()].flatMap(({ oid, relation }) => [
      { relation: oid, mode: 'AccessExclusiveLock' as const },
      {
        relation,
        mode: words.startsWith('cluster') ? ('AccessExclusiveLock' as const) : ('ShareLock' as const),
      },
    ])
  const detach =
    /^alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?([^\s]+)\s+detach\s+partition\s+([^\s]+)\s+concurrently/i.exec(
      text,
    )
  if (detach !== null) {
    const parent = await find(detach[1] ?? '')
    const partition = await find(detach[2] ?? '')
    return [
      ...(parent === undefined ? [] : [{ relation: parent, mode: 'ShareUpdateExclusiveLock' as const }]),
      ...(partition === undefined ? [] : [{ relation: partition, mode: 'AccessExclusiveLock' as const }]),
    ]
  }
  return []
}

async function resolve(session: Session, name: string, searchPath: string): Promise<string | undefined> {
  if (name === '') return undefined
  await session.script(`begin;set local search_path to ${searchPath}`)
  const rows = await session.query(
    `select pg_catalog.to_regclass(${quoteLiteral(name)})::pg_catalog.oid::pg_catalog.text`,
  )
  await session.script('rollback')
  return rows[0]?.[0] ?? undefined
}

function findByName(snapshot: Snapshot, written: string | undefined): string | undefined {
  const parts = (written ?? '')
    .split('.')
    .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase()))
  const name = parts.at(-1)
  const schema = parts.length > 1 ? parts.at(-2) : undefined
  return [...snapshot.relations.values()].find(
    (relation) => relation.name === name && (schema === undefined || relation.schema === schema),
  )?.oid
}

function namesAfter(text: string, head: RegExp): readonly string[] {
  return text
    .replace(head, '')
    .replaceAll(/\([^)]*\)/g, '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

async function relationsOf(
  names: readonly string[],
  find: (name: string) => Promise<string | undefined>,
  before: Snapshot,
): Promise<readonly string[]> {
  if (names.length === 0)
    return [...before.relations.values()].filter(({ kind }) => 'rm'.includes(kind)).map(({ oid }) => oid)
  const found: string[] = []
  for (const name of names) {
    const oid = await find(name)
    if (oid !== undefined) found.push(oid)
  }
  return found
}
