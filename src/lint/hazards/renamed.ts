import { quoteIfNeeded } from '../../database/quote.js'
import * as safe from '../safe-rewrites.js'
import { nameOf } from '../snapshot.js'
import { usedBy } from './used-by-function.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** Tables, views and columns of another name, unless the old name is there again at the end. */
export function renamed(look: StatementLook): readonly Found[] {
  const found: Found[] = []
  const end = look.trace.after
  for (const was of look.before.relations.values()) {
    const is = look.after.relations.get(was.oid)
    if (is === undefined || !'rpfvm'.includes(was.kind) || !look.isOld(was.oid)) continue
    const old = nameOf(was)
    if (old === nameOf(is)) continue
    if ([...end.relations.values()].some((other) => nameOf(other) === old)) continue
    found.push(
      look.find('rename-table', old, `${old} is called ${nameOf(is)} from the commit on.`, {
        rewrite: safe.renamed(look.shown(), old, nameOf(is)),
      }),
      ...usedBy(look, was, undefined, old, 'renamed'),
    )
  }
  for (const [key, was] of look.before.columns) {
    const is = look.after.columns.get(key)
    const table = look.after.relations.get(was.relation)
    if (
      is === undefined ||
      table === undefined ||
      is.name === was.name ||
      !look.trace.before.columns.has(key)
    )
      continue
    if (table.parent !== null || !'rpf'.includes(table.kind)) continue
    const name = `${nameOf(table)}.${quoteIfNeeded(was.name)}`
    found.push(
      look.find('rename-column', name, `${name} is called ${quoteIfNeeded(is.name)} from the commit on.`, {
        rewrite: safe.columnBeside(nameOf(table), was, is),
      }),
      ...usedBy(look, table, was.name, name, 'renamed'),
    )
  }
  return found
}

export function renamedLabels(look: StatementLook): readonly Found[] {
  return [...look.after.labels.values()].flatMap(({ oid, type, label }) => {
    const was = look.before.labels.get(oid)
    if (was === undefined || was.label === label || !look.trace.before.labels.has(oid)) return []
    return [
      look.find(
        'enum-rename-value',
        `${type}.${was.label}`,
        `'${was.label}' of ${type} is called '${label}' from the commit on.`,
        {
          rewrite: safe.newLabel(type, label),
        },
      ),
    ]
  })
}
