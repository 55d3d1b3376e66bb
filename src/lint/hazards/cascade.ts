import { quoteIfNeeded } from '../../database/quote.js'
import { nameOf } from '../snapshot.js'
import { namesIn } from './names-in.js'
import { dropped } from './dropped.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** What CASCADE took that the statement does not name; its own parts go with a table. */
export function cascaded(look: StatementLook): readonly Found[] {
  if (!/\bcascade\b/i.test(look.statement.text) || look.statement.words[0] === 'truncate') return []
  const named = new Set(namesIn(look.statement.text))
  const end = look.trace.after
  const taken: string[] = []
  for (const relation of look.before.relations.values()) {
    if (look.after.relations.has(relation.oid) || !look.isOld(relation.oid) || named.has(relation.name))
      continue
    if (!'vm'.includes(relation.kind)) continue
    const name = nameOf(relation)
    if (![...end.relations.values()].some((other) => nameOf(other) === name)) taken.push(`view ${name}`)
  }
  for (const constraint of look.before.constraints.values()) {
    const table = look.after.relations.get(constraint.relation)
    if (table === undefined || look.after.constraints.has(constraint.oid) || named.has(constraint.name))
      continue
    if (constraint.type !== 'f' || !look.trace.before.constraints.has(constraint.oid) || constraint.inherited)
      continue
    // A foreign key that goes with its own column.
    const own = constraint.columns.some(
      (number) => !look.after.columns.has(`${constraint.relation}.${number}`),
    )
    if (!own) taken.push(`foreign key ${quoteIfNeeded(constraint.name)} of ${nameOf(table)}`)
  }
  for (const trigger of look.before.triggers.values()) {
    const table = look.after.relations.get(trigger.relation)
    if (table === undefined || look.after.triggers.has(trigger.oid) || named.has(trigger.name)) continue
    if (look.trace.before.triggers.has(trigger.oid))
      taken.push(`trigger ${quoteIfNeeded(trigger.name)} of ${nameOf(table)}`)
  }
  for (const found of look.ask(dropped))
    if (found.code === 'drop-column' && !named.has(namesIn(found.object).at(-1) ?? found.object))
      taken.push(`column ${found.object}`)
  return taken.length === 0
    ? []
    : [look.find('drop-cascade', taken.join(', '), `Takes along what it does not name: ${taken.join(', ')}.`)]
}
