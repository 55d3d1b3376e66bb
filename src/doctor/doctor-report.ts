/** What `dbkit doctor` looked at in one database, and what it found. */
export interface DoctorReport {
  /** Every check, also those that found nothing and those that could not be made. */
  readonly checks: readonly DoctorCheck[]
  /** The worst first. */
  readonly findings: readonly DoctorFinding[]
  /** How many of each level; accepted ones are counted apart. */
  readonly summary: Readonly<Record<DoctorLevel | 'accepted', number>>
  /** Of an embedded database: which engines there were to choose from. */
  readonly engines?: readonly EngineChoice[]
}

export interface DoctorCheck {
  readonly check: DoctorCheckName
  readonly outcome: 'nothing-found' | 'found' | 'not-looked-at'
  /** Why it was not looked at. */
  readonly reason?: string
}

/** error: something is broken, or about to be · warning: it will cost something · info: worth knowing */
export type DoctorLevel = 'error' | 'warning' | 'info'

export interface DoctorFinding {
  readonly check: DoctorCheckName
  readonly level: DoctorLevel
  /** As SQL names it: "public.loads_status", or the setting, the role, the migration. */
  readonly object: string
  readonly message: string
  readonly why: string
  readonly mend: Mend
  /** The configuration accepts it, for this reason. */
  readonly accepted?: string
}

/** sql: statements that run as they are, each by itself · command: of a shell · advice: what no statement does */
export interface Mend {
  readonly kind: 'sql' | 'command' | 'advice'
  readonly text: string
}

export interface EngineChoice {
  readonly engine: string
  readonly chosen: boolean
  readonly reason: string
}

export const DOCTOR_CHECKS = [
  'tls',
  'server-version',
  'extensions',
  'rights',
  'time-zone',
  'encoding',
  'collation',
  'connections',
  'autovacuum',
  'wraparound',
  'ledger',
  'invalid-index',
  'redundant-index',
  'foreign-key-index',
  'primary-key',
  'sequence-end',
  'not-validated',
  'unused-index',
  'bloat',
  'statistics',
  'slow-statement',
] as const

export type DoctorCheckName = (typeof DOCTOR_CHECKS)[number]
