import { readTogether } from '../catalog/read/query.js'
import type { Session } from '../database/database.js'
import {
  DOCTOR_CHECKS,
  type DoctorCheck,
  type DoctorCheckName,
  type DoctorFinding,
  type DoctorLevel,
} from './doctor-report.js'
import type { About } from './finding.js'
import {
  FOREIGN_KEYS,
  INVALID_INDEXES,
  judgeSchema,
  NO_PRIMARY_KEY,
  notValidatedQuery,
  REDUNDANT_INDEXES,
  SEQUENCES,
} from './schema-checks.js'
import {
  COLLATIONS,
  extensionsQuery,
  judgeServer,
  NOT_VACUUMED,
  OLD_TABLES,
  serverQuery,
  STRANGERS,
} from './server-checks.js'
import {
  BLOATED_INDEXES,
  BLOATED_TABLES,
  DEAD_ROWS,
  judgeTraffic,
  NO_STATISTICS,
  slowStatements,
  STATEMENTS_SCHEMA,
  UNUSED_INDEXES,
} from './traffic-checks.js'

/** One snapshot, nothing written, and no patience for a catalog that is locked: names are written in full. */
const BEGIN = [
  'begin isolation level repeatable read read only',
  'set local search_path to pg_catalog',
  `set local lock_timeout = '5s'`,
  `set local statement_timeout = '60s'`,
].join(';')

/** Looks at everything but the ledger, in a handful of queries whatever there is to look at. */
export async function examine(
  session: Session,
  about: About,
): Promise<{ readonly findings: readonly DoctorFinding[]; readonly notLookedAt: readonly DoctorCheck[] }> {
  await session.script(BEGIN)
  try {
    const { server, ...rest } = await readTogether(session, {
      server: serverQuery(about.major),
      extensions: extensionsQuery(about.extensions),
      strangers: STRANGERS,
      collations: COLLATIONS,
      notVacuumed: NOT_VACUUMED,
      oldTables: OLD_TABLES,
    })
    const [self] = server
    if (self === undefined)
      throw new Error('the server knows neither the database nor the role of this session')
    const schema = await readTogether(session, {
      invalid: INVALID_INDEXES,
      redundant: REDUNDANT_INDEXES,
      foreignKeys: FOREIGN_KEYS,
      noPrimaryKey: NO_PRIMARY_KEY,
      sequences: SEQUENCES,
      notValidated: notValidatedQuery(about.major),
    })
    const traffic = await readTogether(session, {
      unused: UNUSED_INDEXES,
      dead: DEAD_ROWS,
      bloatedTables: BLOATED_TABLES,
      bloatedIndexes: BLOATED_INDEXES,
      noStatistics: NO_STATISTICS,
    })
    const { slow, reason } = await readSlowStatements(session)
    await session.script('commit')
    return {
      findings: [
        ...judgeServer({ server: self, ...rest }, about),
        ...judgeSchema(schema),
        ...judgeTraffic({ ...traffic, slow }),
      ],
      notLookedAt: notLookedAt(about, reason),
    }
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

/** The extension may be there without its library being loaded; then it fails when it is read. */
async function readSlowStatements(session: Session) {
  const [found] = await session.query(STATEMENTS_SCHEMA)
  const schema = found?.[0] ?? undefined
  if (schema === undefined) return { slow: [], reason: 'the extension pg_stat_statements is not installed' }
  const [loaded] = await session.query(
    `select current_setting('shared_preload_libraries') ~ 'pg_stat_statements' and pg_has_role('pg_read_all_stats', 'USAGE')`,
  )
  if (loaded?.[0] !== 't')
    return {
      slow: [],
      reason:
        'pg_stat_statements is not in shared_preload_libraries, or this role is no member of pg_read_all_stats',
    }
  const { slow } = await readTogether(session, { slow: slowStatements(schema) })
  return { slow, reason: undefined }
}

function notLookedAt({ kind, remote, pool, major }: About, slow: string | undefined): readonly DoctorCheck[] {
  const not = (check: DoctorCheckName, reason: string): DoctorCheck => ({
    check,
    outcome: 'not-looked-at',
    reason,
  })
  const embedded = 'the embedded engine has one session, in this process'
  return [
    ...(kind === 'embedded'
      ? [
          not('tls', embedded),
          not('server-version', 'the version of the embedded engine comes with dbkit'),
          not('time-zone', 'sessions of the embedded engine are set to UTC by whoever opens it'),
          not('connections', embedded),
        ]
      : [
          ...(remote === undefined ? [not('tls', 'the server is this machine')] : []),
          ...(pool === undefined
            ? [
                not(
                  'connections',
                  'the size of the pools is unknown: --pool-size, or `pool` in the configuration',
                ),
              ]
            : []),
        ]),
    ...(kind === 'server' && major < 15
      ? [not('collation', 'PostgreSQL 14 keeps no version of the collation of a database')]
      : []),
    ...(slow === undefined ? [] : [not('slow-statement', slow)]),
  ]
}

const WEIGHT: Readonly<Record<DoctorLevel, number>> = { error: 0, warning: 1, info: 2 }

/** Every check with its outcome, and the findings in the order in which they matter. */
export function summarise(
  findings: readonly DoctorFinding[],
  notLookedAt: readonly DoctorCheck[],
  accept: Readonly<Record<string, string>>,
) {
  const judged = findings
    .map((one): DoctorFinding => {
      const reason = accept[`${one.check} ${one.object}`]
      return reason === undefined ? one : { ...one, accepted: reason }
    })
    .sort(
      (a, b) =>
        Number(a.accepted !== undefined) - Number(b.accepted !== undefined) ||
        WEIGHT[a.level] - WEIGHT[b.level] ||
        DOCTOR_CHECKS.indexOf(a.check) - DOCTOR_CHECKS.indexOf(b.check) ||
        (a.object < b.object ? -1 : 1),
    )
  const open = judged.filter(({ accepted }) => accepted === undefined)
  const count = (level: DoctorLevel): number => open.filter((one) => one.level === level).length
  return {
    checks: DOCTOR_CHECKS.map((check): DoctorCheck =>
      findings.some((one) => one.check === check)
        ? { check, outcome: 'found' }
        : (notLookedAt.find((one) => one.check === check) ?? { check, outcome: 'nothing-found' }),
    ),
    findings: judged,
    summary: {
      error: count('error'),
      warning: count('warning'),
      info: count('info'),
      accepted: judged.length - open.length,
    },
  }
}
