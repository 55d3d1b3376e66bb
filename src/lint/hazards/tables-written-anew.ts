import { quoteIfNeeded } from '../../database/quote.js'
import * as safe from '../safe-rewrites.js'
import type { Relation } from '../snapshot.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** Tables and materialized views that have another file now. */
export function writtenAnew(look: StatementLook): readonly Found[] {
  return [...look.after.relations.values()]
    .filter((relation) => look.isRewritten(relation))
    .map((relation) => rewritten(look, relation))
}

function rewritten(look: StatementLook, { oid, kind }: Relation): Found {
  const table = look.root(oid)
  const name = look.name(table)
  const about = { table: oid }
  if (/\btruncate\b/i.test(look.statement.text) && look.statement.words[0] !== 'alter')
    return emptied(look, name, oid)
  if (kind === 'm')
    return look.find('refresh-not-concurrent', name, `Runs the query of ${name} while nobody can read it.`, {
      ...about,
      rewrite: safe.refresh(name),
    })
  const [change] = look.typeChanges(table)
  if (change !== undefined) {
    const [was, is] = change
    return look.find(
      'type-change-rewrite',
      `${name}.${quoteIfNeeded(is.name)}`,
      `${was.type} to ${is.type} writes every row of ${name} anew, and builds its indexes again.`,
      { ...about, rewrite: safe.typeChange(name, was, is) },
    )
  }
  const added = look.newColumns(table)
  const stored = added.find(({ generated }) => generated === 's')
  if (stored !== undefined)
    return look.find(
      'generated-column-rewrite',
      `${name}.${quoteIfNeeded(stored.name)}`,
      `Computing the new column writes every row of ${name} anew.`,
      { ...about, rewrite: safe.generatedColumn(name, stored) },
    )
  const given = added.find((column) => column.default !== null || column.identity !== '')
  if (given !== undefined)
    return look.find(
      'volatile-default-rewrite',
      `${name}.${quoteIfNeeded(given.name)}`,
      `${given.default ?? 'The identity'} is another value in each row, so every row of ${name} is written anew.`,
      { ...about, ...(given.default === null ? {} : { rewrite: safe.volatileDefault(name, given) }) },
    )
  return look.find('table-rewrite', name, `Writes every row of ${name} to a new file.`, about)
}

export function emptied(look: StatementLook, name: string, table: string): Found {
  const rewrite = safe.allow('truncate-table')
  return look.find('truncate-table', name, `Removes every row of ${name}.`, { table, rewrite })
}
