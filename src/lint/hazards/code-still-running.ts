import { quoteIfNeeded } from '../../database/quote.js'
import * as safe from '../safe-rewrites.js'
import { nameOf } from '../snapshot.js'
import { namesIn } from './names-in.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** What the release before leaves out of its INSERTs, and cannot any more. */
export function lostDefaults(look: StatementLook): readonly Found[] {
  return [...look.before.columns.values()].flatMap((was) => {
    const key = `${was.relation}.${was.number}`
    const is = look.after.columns.get(key)
    const first = look.trace.before.columns.get(key)
    if (is?.notNull !== true || is.default !== null || is.identity !== '') return []
    if (was.default === null || first === undefined || first.default === null) return []
    const object = `${look.name(was.relation)}.${quoteIfNeeded(is.name)}`
    return [
      look.find('drop-default', object, `An INSERT that leaves ${object} out fails from now on.`, {
        rewrite: safe.allow('drop-default'),
        unless: (end) => {
          const last = end.columns.get(key)
          return last !== undefined && (last.default !== null || !last.notNull || last.identity !== '')
        },
      }),
    ]
  })
}

/** Of tables, views, sequences and functions that were there: what a migration makes it may close as well. */
export function revokedRights(look: StatementLook): readonly Found[] {
  const { words, text } = look.statement
  if (words[0] !== 'revoke') return []
  const [, what = ''] = /\bon\s+([^]*?)\s+from\s/i.exec(text) ?? []
  const named = new Set(namesIn(what))
  const { relations, routines } = look.trace.before
  const objects = /^all\s/i.test(what)
    ? [...relations.values()].filter(({ schema, kind }) => named.has(schema) && 'rpvmf'.includes(kind))
    : [...relations.values(), ...routines.values()].filter(({ name }) => named.has(name))
  const [first] = objects
  return first === undefined || /^(?:schema|database|type|language)\s/i.test(what)
    ? []
    : [
        look.find('revoke', nameOf(first), `Takes away a right on ${nameOf(first)}.`, {
          rewrite: safe.allow('revoke'),
        }),
      ]
}

/** Row security without a policy to let anybody through. */
export function hiddenRows(look: StatementLook): readonly Found[] {
  return [...look.after.relations.values()].flatMap((relation) => {
    const was = look.before.relations.get(relation.oid)
    if (was?.rowSecurity !== false || !relation.rowSecurity || !look.isOld(relation.oid)) return []
    const name = nameOf(relation)
    return [
      look.find('row-security-without-policy', name, `Nobody but its owner sees a row of ${name}.`, {
        unless: (end) => {
          const last = end.relations.get(relation.oid)
          return last === undefined || !last.rowSecurity || last.policies > 0
        },
      }),
    ]
  })
}
