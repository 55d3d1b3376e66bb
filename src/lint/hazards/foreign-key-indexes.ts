import { quoteIfNeeded } from '../../database/quote.js'
import * as safe from '../safe-rewrites.js'
import type { Snapshot } from '../snapshot.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** Foreign keys that leave whoever deletes a referenced row to read the whole table. */
export function unindexedForeignKeys(look: StatementLook): readonly Found[] {
  return look
    .newConstraints()
    .filter(({ type, relation }) => type === 'f' && look.typeChanges(relation).length === 0)
    .map((constraint) => {
      const { relation, columns, references } = constraint
      const table = look.name(relation)
      const names = columns.map((number) => look.after.columns.get(`${relation}.${number}`)?.name ?? number)
      const list = names.map(quoteIfNeeded).join(', ')
      return look.find(
        'foreign-key-without-index',
        `${table}.${quoteIfNeeded(constraint.name)}`,
        `Deleting a row of ${look.name(references)} reads all of ${table}: no index starts with ${list}.`,
        {
          table: relation,
          rewrite: safe.newIndex(table, list),
          unless: (end) => isIndexed(end, relation, columns),
        },
      )
    })
}

/** A valid index whose first key columns are these, in any order. */
function isIndexed(end: Snapshot, relation: string, columns: readonly string[]): boolean {
  // A table that is gone needs none.
  if (!end.relations.has(relation)) return true
  return [...end.indexes.values()].some((index) => {
    const first = index.keys.slice(0, columns.length)
    return (
      index.relation === relation &&
      index.valid &&
      !index.partial &&
      columns.every((column) => first.includes(column))
    )
  })
}
