import * as safe from '../safe-rewrites.js'
import { stopsWhat } from '../lock-modes.js'
import { rowsRead } from './rows-read-under-lock.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

/** No index leads to the rows: on a large table it is all of them, or might as well be. */
export function unbatchedWrites(look: StatementLook): readonly Found[] {
  const [verb = ''] = look.statement.words
  if (!['update', 'delete', 'merge', 'with'].includes(verb)) return []
  const told = new Set(look.ask(rowsRead).map(({ table }) => table))
  const targets = look.seen.held.filter(({ mode }) => mode === 'RowExclusiveLock')
  return targets.flatMap(({ relation }) => {
    const table = look.root(relation)
    // Those may as well only insert.
    if (/^(?:merge|with)$/.test(verb) && (look.seen.activity.get(relation)?.changed ?? 0) === 0) return []
    if (!look.isOld(relation) || !look.scans(relation) || told.has(relation) || told.has(table)) return []
    const name = look.name(table)
    return [
      look.find(
        'unbatched-write',
        name,
        `Goes over every row of ${name}, and keeps those that it changes locked until the commit.`,
        { table: relation, rewrite: safe.inBatches(look.shown()) },
      ),
    ]
  })
}

/** LOCK TABLE, where it keeps others waiting. */
export function lockedByHand(look: StatementLook): readonly Found[] {
  if (look.statement.words[0] !== 'lock') return []
  return look.seen.locks.flatMap(({ relation, mode }) => {
    const stops = stopsWhat(mode)
    if (!look.isOld(relation) || stops === 'neither reads nor writes') return []
    const name = look.name(relation)
    return [look.find('lock-table', name, `Stops ${stops} of ${name} until the commit.`)]
  })
}
