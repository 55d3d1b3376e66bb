import type { ChalkInstance } from 'chalk'
import type {
  ErrorReport,
  ProofCheck,
  ProofFinding,
  ProofVerdict,
  RollbackProof,
  VerifyReport,
} from '../index.js'

const MARKS = {
  exact: ['✓', 'green'],
  cosmetic: ['✓', 'green'],
  note: ['✓', 'green'],
  missing: ['·', 'yellow'],
  refuses: ['·', 'yellow'],
  different: ['✗', 'red'],
  empty: ['✗', 'red'],
  error: ['✗', 'red'],
} as const satisfies Record<ProofVerdict, readonly [string, 'green' | 'yellow' | 'red']>

/** In the order in which they are told. */
const CHECKS = [
  ['seeds', 'seeds at the head, twice'],
  ['seedClaims', 'seeds at the older versions they claim, twice'],
  ['schema', 'the declared schema'],
  ['types', 'the emitted types'],
  ['docs', 'the committed documentation'],
  ['merge', 'each order of a merge'],
  ['fuzz', 'rows that broke a migration once'],
] as const

interface Tools {
  readonly paint: ChalkInstance
  readonly time: (milliseconds: number) => string
}

/** Every rollback with its verdict, and below it what it leaves or loses. */
export function renderVerify(report: VerifyReport, tools: Tools): readonly string[] {
  const { paint, time } = tools
  const { migrations, emptyTables, summary, durationMs } = report
  const width = Math.max(0, ...migrations.map(({ name }) => name.length))
  const verdicts = Object.entries(summary).flatMap(([verdict, number]) =>
    number === 0 ? [] : [`${String(number)} ${verdict}`],
  )
  return [
    ...migrations.flatMap((proof) => renderProof(proof, width, tools)),
    ...renderCheck('from the head to the start, and up again', report.wholeWay, paint),
    ...(report.repeatable === undefined
      ? []
      : renderCheck('what is repeatable, twice', report.repeatable, paint)),
    ...CHECKS.flatMap(([check, what]) => {
      const seen = report[check]
      return seen === undefined ? [] : renderCheck(what, seen, paint)
    }),
    ...emptyTables.map(
      ({ table, why }) => `  ${paint.yellow('note')} table ${table} was proved without rows: ${why}`,
    ),
    `  ${paint.dim([verdicts.join(', ') || 'nothing to prove', `in ${time(durationMs)}`].join(' '))}`,
  ]
}

function renderProof(proof: RollbackProof, width: number, { paint, time }: Tools): readonly string[] {
  const { name, verdict, reason, error, durationMs } = proof
  const [mark, color] = MARKS[verdict]
  const about = paint.dim(time(durationMs).padStart(7))
  return [
    `  ${paint[color](mark)} ${name.padEnd(width)}  ${paint[color](verdict.padEnd(9))} ${about}`,
    ...(reason === undefined ? [] : [`      ${reason}`]),
    ...(error === undefined ? [] : renderError(error, paint)),
    ...proof.findings.map((finding) => renderFinding(finding, paint)),
  ]
}

function renderFinding({ severity, message }: ProofFinding, paint: ChalkInstance): string {
  return severity === 'different' ? `      ${message}` : `      ${paint.dim(`${severity}: ${message}`)}`
}

function renderError(
  { message, file, line, column, hint }: ErrorReport,
  paint: ChalkInstance,
): readonly string[] {
  const place =
    file === undefined
      ? []
      : [paint.cyan([file, line, column].filter((part) => part !== undefined).join(':'))]
  return [
    `      ${[...place, message].join('  ')}`,
    ...(hint === undefined ? [] : [`      ${paint.dim(`next  ${hint}`)}`]),
  ]
}

function renderCheck(what: string, check: ProofCheck, paint: ChalkInstance): readonly string[] {
  const { outcome, findings, notes = [], error } = check
  const mark = outcome === 'ok' ? paint.green('✓') : outcome === 'failed' ? paint.red('✗') : paint.yellow('·')
  return [
    `  ${mark} ${what}${outcome === 'not-run' ? paint.dim('  not run') : ''}`,
    ...notes.map((note) => `      ${note}`),
    ...(error === undefined ? [] : renderError(error, paint)),
    ...findings.map((finding) => renderFinding(finding, paint)),
  ]
}
