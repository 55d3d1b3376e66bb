import type { Docs } from '../docs.js'
import { columnId, pagePath } from './shell.js'

/** [kind, name, of what, comment, address below the site's folder] of everything that can be found. */
export type SearchEntry = readonly [kind: string, name: string, of: string, text: string, href: string]

/** A comment's beginning says what it is about; all of it would double the size of the site. */
const LONGEST = 200

export function searchEntries(docs: Docs): readonly SearchEntry[] {
  const { database } = docs
  const entry = (
    kind: string,
    name: string,
    of: string,
    comment: string | undefined,
    path: string,
  ): SearchEntry => [kind, name, of, (comment ?? '').slice(0, LONGEST), `${database}/${path}`]
  return [
    ...docs.tables.flatMap(({ kind, label, slug, comment, columns }) => [
      entry(kind, label, database, comment, pagePath('tables', slug)),
      ...columns.map((column) =>
        entry(
          'column',
          column.name,
          `${database} · ${label}`,
          column.comment,
          `${pagePath('tables', slug)}#${columnId(column.name)}`,
        ),
      ),
    ]),
    ...docs.views.flatMap(({ kind, label, slug, comment, columns }) => [
      entry(kind, label, database, comment, pagePath('views', slug)),
      ...columns.map((column) =>
        entry(
          'view column',
          column.name,
          `${database} · ${label}`,
          column.comment,
          `${pagePath('views', slug)}#${columnId(column.name)}`,
        ),
      ),
    ]),
    ...docs.routines.map(({ kind, label, slug, comment }) =>
      entry(kind, label, database, comment, pagePath('functions', slug)),
    ),
    ...docs.types.map(({ form, label, slug, comment, values }) =>
      entry(form, label, database, [comment, ...values].filter(Boolean).join(' '), `codes.html#type-${slug}`),
    ),
    ...docs.codes.flatMap(({ values, slug, columns }) =>
      values.map((value) =>
        entry(
          'value',
          value,
          `${database} · ${columns
            .map(({ label, column }) => `${label}.${column ?? ''}`)
            .slice(0, 3)
            .join(', ')}`,
          undefined,
          `codes.html#code-${slug}`,
        ),
      ),
    ),
    ...docs.tables.flatMap(({ label, slug, indexes }) =>
      indexes.map(({ name }) =>
        entry('index', name, `${database} · ${label}`, undefined, `${pagePath('tables', slug)}#indexes`),
      ),
    ),
    ...docs.migrations.map(({ name, slug, about }) =>
      entry('migration', name, database, about, pagePath('migrations', slug)),
    ),
  ]
}
