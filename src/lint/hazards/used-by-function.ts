import { nameOf, type Relation, type Routine, type Snapshot } from '../snapshot.js'
import { namesIn } from './names-in.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** Functions whose body still holds all of these names at the end; that of a trigger need not name its own table. */
export function usedBy(
  look: StatementLook,
  relation: Relation,
  column: string | undefined,
  object: string,
  what: string,
): readonly Found[] {
  const names = [relation.name, ...(column === undefined ? [] : [column])]
  // A table of the same name elsewhere may be the one that is meant.
  const ambiguous = [...look.trace.before.relations.values()].some(
    ({ oid, name }) => name === relation.name && oid !== relation.oid,
  )
  const table = column === undefined ? undefined : relation.oid
  const users = (snapshot: Snapshot): readonly Routine[] =>
    [...snapshot.routines.values()].filter(({ oid, body, schema }) => {
      const words = new Set(namesIn(body))
      if (ambiguous && schema !== relation.schema && !words.has(relation.schema)) return false
      const own = [...snapshot.triggers.values()].some(
        (trigger) => trigger.routine === oid && trigger.relation === table,
      )
      return (own ? names.slice(-1) : names).every((name) => words.has(name))
    })
  const old = users(look.trace.after).filter(({ oid }) => look.trace.before.routines.has(oid))
  return old.map((routine) =>
    look.find(
      'used-by-function',
      `${nameOf(routine)}(${routine.arguments})`,
      `The body of ${nameOf(routine)} names ${object}, which is ${what} here: it fails when it is called.`,
      { unless: (end) => !users(end).some(({ oid }) => oid === routine.oid) },
    ),
  )
}
