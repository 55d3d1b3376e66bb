import { withoutPasswords } from '../workspace/migration-file.js'
import type { Statement } from '../workspace/statements.js'
import type { HazardCode } from './hazards.js'
import { cascaded } from './hazards/cascade.js'
import { hiddenRows, lostDefaults, revokedRights } from './hazards/code-still-running.js'
import { cutNames } from './hazards/cut-names.js'
import { dropped } from './hazards/dropped.js'
import { unindexedForeignKeys } from './hazards/foreign-key-indexes.js'
import type { Found, Rule } from './hazards/found.js'
import { indexBuilds } from './hazards/index-builds.js'
import { lockedByHand, unbatchedWrites } from './hazards/locks-that-last.js'
import { withoutValue } from './hazards/new-columns.js'
import { renamed, renamedLabels } from './hazards/renamed.js'
import { rowsRead } from './hazards/rows-read-under-lock.js'
import { StatementLook } from './hazards/statement-look.js'
import { writtenAnew } from './hazards/tables-written-anew.js'
import * as safe from './safe-rewrites.js'
import type { MigrationTrace } from './trace.js'

/**
 * Every rule, with the hazards that it finds, in the order in which they are told of a statement. A new hazard is an entry of hazards.ts
 * and stands here.
 */
export const RULES: readonly { readonly rule: Rule; readonly finds: readonly HazardCode[] }[] = [
  {
    rule: writtenAnew,
    finds: [
      'type-change-rewrite',
      'volatile-default-rewrite',
      'generated-column-rewrite',
      'table-rewrite',
      'refresh-not-concurrent',
      'truncate-table',
    ],
  },
  { rule: indexBuilds, finds: ['index-not-concurrent', 'index-rebuild', 'constraint-builds-index'] },
  {
    rule: rowsRead,
    finds: [
      'foreign-key-scan',
      'check-scan',
      'not-null-scan',
      'attach-partition-scan',
      'scan-under-exclusive-lock',
      'truncate-table',
    ],
  },
  { rule: unbatchedWrites, finds: ['unbatched-write'] },
  { rule: lockedByHand, finds: ['lock-table'] },
  { rule: withoutValue, finds: ['not-null-without-default'] },
  { rule: unindexedForeignKeys, finds: ['foreign-key-without-index'] },
  {
    rule: dropped,
    finds: [
      'drop-table',
      'drop-column',
      'drop-view',
      'drop-function',
      'drop-index-not-concurrent',
      'used-by-function',
    ],
  },
  { rule: renamed, finds: ['rename-table', 'rename-column', 'used-by-function'] },
  { rule: renamedLabels, finds: ['enum-rename-value'] },
  { rule: cascaded, finds: ['drop-cascade'] },
  { rule: lostDefaults, finds: ['drop-default'] },
  { rule: revokedRights, finds: ['revoke'] },
  { rule: hiddenRows, finds: ['row-security-without-policy'] },
  { rule: cutNames, finds: ['identifier-truncated'] },
]

/** What no statement that ran shows: the first is one that could not, the other is said of a migration as a whole. */
export const WITHOUT_RULE: readonly HazardCode[] = ['not-in-transaction', 'missing-down']

/**
 * What each statement did, as hazards. Only what was there before the migration counts: nobody waits for a table that nobody knows yet.
 */
export function findHazards(trace: MigrationTrace): readonly Found[] {
  const found: Found[] = [
    ...trace.misplaced.map((statement) => misplaced(trace, statement)),
    ...trace.statements.flatMap((statement) => {
      const look = new StatementLook(trace, statement)
      return RULES.flatMap(({ rule }) => look.ask(rule))
    }),
  ]
  const seen = new Set<string>()
  return found.filter(({ code, object, statement }) => {
    const key = `${code} ${object} ${String(statement?.start)}`
    return !seen.has(key) && seen.add(key)
  })
}

function misplaced({ script }: MigrationTrace, statement: Statement): Found {
  return {
    code: 'not-in-transaction',
    statement,
    object: statement.words.slice(0, 4).join(' '),
    message: 'PostgreSQL refuses this statement in a transaction, and this file is run as one.',
    rewrite: safe.outside(withoutPasswords({ ...script, text: statement.text })),
  }
}
