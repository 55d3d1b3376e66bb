import { compareCatalogs, type Difference } from '../catalog/compare.js'
import type { Catalog, Fact, PropertyValue } from '../catalog/catalog.js'
import { quoteIfNeeded } from '../database/quote.js'
import type { Diagram, Link, Mark, Row } from './diagram.js'
import { linkOf } from './diagram.js'
import type { Docs, TableDoc } from './docs.js'
import { makeDocs } from './make-docs.js'
import { renderMermaid } from './mermaid.js'

/**
 * A diagram of what lies between two catalogs, for a pull request: the tables that were touched with the columns that were, and their
 * neighbours by name. Undefined when no table was touched.
 *
 * @example
 * const mermaid = touchedTables(before, after)
 */
export function touchedTables(before: Catalog, after: Catalog, defaultSchema = 'public'): string | undefined {
  const diagram = touchedDiagram(before, after, defaultSchema)
  return diagram === undefined ? undefined : renderMermaid(diagram)
}

export function touchedDiagram(before: Catalog, after: Catalog, defaultSchema: string): Diagram | undefined {
  const marks = marksOf(before, after)
  const [old, now] = [bareDocs(before, defaultSchema), bareDocs(after, defaultSchema)]
  const gone = old.tables.filter(({ key }) => !now.tables.some((table) => table.key === key))
  const tables = [...now.tables, ...gone]
  const touched = new Set(tables.map(({ key }) => key).filter((key) => marks.has(key)))
  if (touched.size === 0) return undefined
  const links = linksOf(old, now).filter(({ from, to }) => touched.has(from) || touched.has(to))
  const near = new Set(links.flatMap(({ from, to }) => [from, to]))
  return {
    title: 'changes',
    boxes: tables
      .filter(({ key }) => touched.has(key) || near.has(key))
      .map((table) => {
        const rows = touched.has(table.key) ? rowsOf(table, old, marks) : []
        return {
          key: table.key,
          label: table.label,
          slug: table.slug,
          comment: table.comment,
          rows,
          more: touched.has(table.key) ? 0 : table.columns.length,
          mark: touched.has(table.key) ? marks.get(table.key)?.mark : ('neighbour' as const),
        }
      }),
    links,
  }
}

interface Noted {
  readonly mark: Mark
  readonly note: string | undefined
}

/** By the key of a table or a column: a table is changed when a part of it is. */
function marksOf(before: Catalog, after: Catalog): ReadonlyMap<string, Noted> {
  const marks = new Map<string, Noted>()
  for (const difference of compareCatalogs(before, after).differences) {
    const fact = difference.kind === 'changed' ? difference.after : difference.fact
    marks.set(difference.key, { mark: difference.kind, note: noteOf(difference) })
    const catalog = difference.kind === 'removed' ? before : after
    for (let parent = parentOf(catalog, fact); parent !== undefined; parent = parentOf(catalog, parent))
      if (!marks.has(parent.key)) marks.set(parent.key, { mark: 'changed', note: undefined })
  }
  return marks
}

function parentOf(catalog: Catalog, fact: Fact): Fact | undefined {
  return fact.parent === undefined ? undefined : catalog.facts.get(fact.parent)
}

function noteOf(difference: Difference): string | undefined {
  if (difference.kind !== 'changed') return undefined
  const shown = (value: PropertyValue): string =>
    value === undefined ? 'none' : Array.isArray(value) ? value.join(', ') : String(value)
  return difference.changes
    .map(({ property, before, after }) =>
      property === 'comment' ? 'comment' : `${property} ${shown(before)} -> ${shown(after)}`,
    )
    .join('; ')
}

/** The keys, so that the lines have an end, and what was touched. */
function rowsOf(table: TableDoc, old: Docs, marks: ReadonlyMap<string, Noted>): readonly Row[] {
  const was = old.tables.find(({ key }) => key === table.key)
  const isNew = marks.get(table.key)?.mark === 'added'
  const identity = table.key.slice(table.key.indexOf(' ') + 1)
  const present = new Set(table.columns.map(({ name }) => name))
  const columns = [...table.columns, ...(was?.columns.filter(({ name }) => !present.has(name)) ?? [])]
  return columns.flatMap(({ name, type, keys, notNull }): Row[] => {
    const noted = marks.get(`column ${identity}.${quoteIfNeeded(name)}`)
    if (noted === undefined && keys.length === 0 && !isNew) return []
    return [{ name, type, keys, notNull, mark: isNew ? undefined : noted?.mark, note: noted?.note }]
  })
}

function linksOf(old: Docs, now: Docs): readonly Link[] {
  const id = (link: Link): string => `${link.from} ${link.name}`
  const [were, are] = [old.references.map(linkOf), now.references.map(linkOf)]
  const [known, still] = [new Set(were.map(id)), new Set(are.map(id))]
  return [
    ...are.map((link) => ({ ...link, mark: known.has(id(link)) ? undefined : ('added' as const) })),
    ...were.filter((link) => !still.has(id(link))).map((link) => ({ ...link, mark: 'removed' as const })),
  ]
}

function bareDocs(catalog: Catalog, defaultSchema: string): Docs {
  return makeDocs({
    database: '',
    catalog,
    defaultSchema,
    jsonTypes: {},
    lineage: new Map(),
    provenance: { made: new Map(), events: new Map(), byMigration: new Map() },
    migrations: [],
  })
}
