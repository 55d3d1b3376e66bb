import { quoteIfNeeded } from '../../database/quote.js'
import * as safe from '../safe-rewrites.js'
import { emptied, writtenAnew } from './tables-written-anew.js'
import { indexBuilds } from './index-builds.js'
import { withoutValue } from './new-columns.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** Tables that a statement went through while others had to wait. */
export function rowsRead(look: StatementLook): readonly Found[] {
  // What another rule tells of a table says already why it was read.
  const told = new Set(
    [writtenAnew, indexBuilds, withoutValue].flatMap((rule) => look.ask(rule)).map(({ table }) => table),
  )
  const found: Found[] = []
  const explained = new Set<string>()
  const constraints = look.newConstraints()
  for (const constraint of constraints) {
    const { relation, type, validated, references } = constraint
    const table = look.name(relation)
    if (look.typeChanges(relation).length > 0 || !validated) continue
    const object = `${table}.${quoteIfNeeded(constraint.name)}`
    if (type === 'f') {
      // A new column without a default holds nothing to be looked up.
      if (!isRead(look, relation)) continue
      explained.add(relation).add(references)
      found.push(
        look.find(
          'foreign-key-scan',
          object,
          `Looks up every row of ${table} in ${look.name(references)} while nobody writes to either.`,
          { table: relation, rewrite: safe.constraintLater(table, constraint) },
        ),
      )
    } else if (type === 'c' && isRead(look, relation)) {
      explained.add(relation)
      found.push(
        look.find('check-scan', object, `Tests every row of ${table} while nobody reads or writes it.`, {
          table: relation,
          rewrite: safe.constraintLater(table, constraint),
        }),
      )
    }
  }
  for (const [relation] of look.seen.activity) {
    const table = look.root(relation)
    if (!look.isOld(relation) || !look.scans(relation)) continue
    if (told.has(relation) || told.has(table) || explained.has(relation) || explained.has(table)) continue
    const one = scan(look, relation, table)
    if (one !== undefined) found.push(one)
  }
  return found
}

/** The table or one of its partitions, from end to end or through an index. */
function isRead(look: StatementLook, table: string): boolean {
  return [...look.seen.activity].some(
    ([relation, { scans, lookups }]) => scans + lookups > 0 && look.root(relation) === look.root(table),
  )
}

function scan(look: StatementLook, relation: string, table: string): Found | undefined {
  const name = look.name(table)
  const proved = look
    .columnsOf(look.after, table)
    .filter(
      (column) => column.notNull && look.before.columns.get(`${table}.${column.number}`)?.notNull === false,
    )
  const [column] = proved
  if (column !== undefined && look.isLocked(relation))
    return look.find(
      'not-null-scan',
      `${name}.${quoteIfNeeded(column.name)}`,
      `Reads every row of ${name} while nobody reads or writes it.`,
      { table: relation, rewrite: safe.notNull(name, look.relation(table)?.name ?? '', proved) },
    )
  if (attaches(look))
    return look.find(
      'attach-partition-scan',
      look.name(relation),
      `Holds every row of ${look.name(relation)} against the bounds while nobody reads or writes it.`,
      { table: relation },
    )
  if (look.statement.words[0] === 'alter' && look.statement.words[1] === 'domain')
    return look.find('check-scan', name, `Tests every row of ${name} while nobody writes to it.`, {
      table: relation,
    })
  if (!look.isLocked(relation)) return undefined
  // Where the same transaction has written the table anew already, it is emptied in place.
  if (look.statement.words[0] === 'truncate') return emptied(look, name, relation)
  const what = ['update', 'delete'].includes(look.statement.words[0] ?? '') ? 'Goes through' : 'Reads'
  const first = look.trace.statements.find(({ locks }) =>
    locks.some((lock) => lock.relation === relation && lock.mode === 'AccessExclusiveLock'),
  )
  const since =
    first === undefined || first === look.seen ? '' : `, since line ${String(look.lineOf(first.statement))}`
  return look.find(
    'scan-under-exclusive-lock',
    name,
    `${what} every row of ${name} while nobody reads or writes it${since}.`,
    { table: relation, rewrite: safe.ownMigration(look.shown()) },
  )
}

function attaches(look: StatementLook): boolean {
  return [...look.after.relations.values()].some(
    ({ oid, parent, kind }) =>
      parent !== null && 'rp'.includes(kind) && look.before.relations.get(oid)?.parent === null,
  )
}
