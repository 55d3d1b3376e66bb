import { quoteIfNeeded } from '../../database/quote.js'
import * as safe from '../safe-rewrites.js'
import { nameOf, type Relation } from '../snapshot.js'
import { namesIn } from './names-in.js'
import { usedBy } from './used-by-function.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** What is gone at the end of the statement, and was no part of something else. */
export function dropped(look: StatementLook): readonly Found[] {
  const found: Found[] = []
  const end = look.trace.after
  for (const relation of look.before.relations.values()) {
    if (look.after.relations.has(relation.oid) || !look.isOld(relation.oid)) continue
    const name = nameOf(relation)
    const again = [...end.relations.values()].some((other) => nameOf(other) === name)
    if ('rpf'.includes(relation.kind)) {
      found.push(
        look.find('drop-table', name, `${name} and its rows are gone.`, {
          table: relation.oid,
          rewrite: safe.allow('drop-table'),
        }),
        ...usedBy(look, relation, undefined, name, 'dropped'),
      )
    } else if ('vm'.includes(relation.kind) && !again && !isTaken(look, relation.name))
      found.push(
        look.find('drop-view', name, `${name} is gone, and not made again in this migration.`, {
          rewrite: safe.allow('drop-view'),
        }),
        ...usedBy(look, relation, undefined, name, 'dropped'),
      )
    else if ('iI'.includes(relation.kind)) found.push(...droppedIndex(look, relation))
  }
  for (const column of look.before.columns.values()) {
    const key = `${column.relation}.${column.number}`
    const table = look.after.relations.get(column.relation)
    if (look.after.columns.has(key) || table === undefined || !look.trace.before.columns.has(key)) continue
    if (table.parent !== null || !'rpf'.includes(table.kind)) continue
    const name = `${nameOf(table)}.${quoteIfNeeded(column.name)}`
    found.push(
      look.find('drop-column', name, `${name} and its values are gone.`, {
        table: column.relation,
        rewrite: safe.allow('drop-column'),
      }),
      ...usedBy(look, table, column.name, name, 'dropped'),
    )
  }
  for (const routine of look.before.routines.values()) {
    if (look.after.routines.has(routine.oid) || !look.trace.before.routines.has(routine.oid)) continue
    const name = nameOf(routine)
    if ([...end.routines.values()].some((other) => nameOf(other) === name)) continue
    found.push(
      look.find(
        'drop-function',
        `${name}(${routine.arguments})`,
        `${name} is gone, and not made again in this migration.`,
        { rewrite: safe.allow('drop-function') },
      ),
    )
  }
  return found
}

function droppedIndex(look: StatementLook, index: Relation): readonly Found[] {
  const { relation, keys } = look.before.indexes.get(index.oid) ?? { relation: '', keys: [] }
  const name = nameOf(index)
  const table = look.after.relations.get(relation)
  const ofConstraint = [...look.before.constraints.values()].some(
    (one) => one.index === index.oid && 'pux'.includes(one.type),
  )
  const again = [...look.after.relations.values()].some((other) => nameOf(other) === name)
  if (table === undefined || ofConstraint || again || index.parent !== null) return []
  // An index goes with its column, and there is no other way.
  const withColumn = keys.some((key) => key !== '0' && !look.after.columns.has(`${relation}.${key}`))
  if (withColumn || look.statement.words[0] === 'alter' || look.seen.locksFrom === 'documented') return []
  return [
    look.find(
      'drop-index-not-concurrent',
      name,
      `Drops ${name} while nobody reads or writes ${nameOf(table)}.`,
      {
        table: relation,
        ...(table.kind === 'p' ? {} : { rewrite: safe.dropIndex(name) }),
      },
    ),
  ]
}

/** By CASCADE, without having been named: told as such. */
function isTaken(look: StatementLook, name: string): boolean {
  const { text } = look.statement
  return /\bcascade\b/i.test(text) && !namesIn(text).includes(name)
}
