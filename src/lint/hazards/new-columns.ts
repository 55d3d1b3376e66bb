import { quoteIfNeeded } from '../../database/quote.js'
import * as safe from '../safe-rewrites.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** Columns that no row has a value for. */
export function withoutValue(look: StatementLook): readonly Found[] {
  return [...look.trace.before.relations.values()]
    .filter(
      ({ oid, kind, parent }) => 'rp'.includes(kind) && parent === null && look.after.relations.has(oid),
    )
    .flatMap(({ oid }) =>
      look
        .newColumns(oid)
        .filter((column) => column.notNull && column.default === null)
        .filter(({ identity, generated }) => identity === '' && generated === '')
        .map((column) => {
          const table = look.name(oid)
          return look.find(
            'not-null-without-default',
            `${table}.${quoteIfNeeded(column.name)}`,
            `Fails as soon as ${table} holds a row: there is no value for ${quoteIfNeeded(column.name)}.`,
            { table: oid, rewrite: safe.fillFirst(table, column) },
          )
        }),
    )
}
