import type { DoctorCheckName, DoctorFinding, DoctorLevel, Mend } from './doctor-report.js'

/** What the checks have to know beside what they read. */
export interface About {
  readonly major: number
  readonly kind: 'server' | 'embedded'
  /** The name as the configuration has it, for commands of dbkit. */
  readonly name: string
  readonly now: Date
  readonly timeZone: string
  readonly extensions: readonly string[]
  /** Of a server: whether it is another machine, and how it is connected to. */
  readonly remote: { readonly sslmode: string } | undefined
  readonly pool: PoolSize | undefined
  readonly hasLedger: boolean
  readonly hasPending: boolean
}

export interface PoolSize {
  readonly size: number
  readonly overflow: number
  readonly instances: number
}

export const sql = (...statements: readonly string[]): Mend => ({
  kind: 'sql',
  text: statements.map((statement) => `${statement};`).join('\n'),
})
export const command = (text: string): Mend => ({ kind: 'command', text })
export const advice = (text: string): Mend => ({ kind: 'advice', text })

export function finding(
  check: DoctorCheckName,
  level: DoctorLevel,
  object: string,
  message: string,
  why: string,
  mend: Mend,
): DoctorFinding {
  return { check, level, object, message, why, mend }
}

/** Relations of applications: neither PostgreSQL's own nor an extension's. Expects pg_class c and pg_namespace n. */
export const OWN_RELATIONS = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
  and not exists (select from pg_depend own where own.classid = 'pg_class'::regclass and own.objid = c.oid and own.deptype = 'e')`

export const NAME = `format('%I.%I', n.nspname, c.relname)`

export function megabytes(bytes: string | null): string {
  const amount = Number(bytes ?? 0) / 1_048_576
  return amount >= 10 ? `${String(Math.round(amount))} MB` : `${amount.toFixed(1)} MB`
}

export function counted(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`
}
