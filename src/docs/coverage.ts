import type { Docs } from './docs.js'

/** What people may ask about and find no sentence for. */
export interface Coverage {
  readonly described: number
  readonly all: number
  /** "table loads", "column loads.rating" */
  readonly missing: readonly string[]
}

/** Tables and their columns, views, routines and types; a column of a view is described by the column that it shows. */
export function commentCoverage(docs: Docs): Coverage {
  const found: (readonly [what: string, comment: string | undefined])[] = [
    ...docs.tables.flatMap(({ kind, label, comment, columns }) => [
      [`${kind} ${label}`, comment] as const,
      ...columns.map((column) => [`column ${label}.${column.name}`, column.comment] as const),
    ]),
    ...docs.views.map(({ kind, label, comment }) => [`${kind} ${label}`, comment] as const),
    ...docs.routines.map(({ kind, label, comment }) => [`${kind} ${label}`, comment] as const),
    ...docs.types.map(
      ({ form, label, comment }) =>
        [form === 'domain' ? `domain ${label}` : `type ${label}`, comment] as const,
    ),
  ]
  const missing = found
    .filter(([, comment]) => comment === undefined || comment.trim() === '')
    .map(([what]) => what)
  return { described: found.length - missing.length, all: found.length, missing }
}
