import { applyPlan } from '../apply/apply-plan.js'
import type { Observer } from '../apply/observer.js'
import { sqlFailure } from '../apply/sql-failure.js'
import { interruption } from '../apply/run-transaction.js'
import { factsOf, type Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { createLedger } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import { nearestName, problem } from '../errors.js'
import type { Step } from '../plan/plan.js'
import { generateRows } from '../prove/generate-rows.js'
import type { Shadow } from '../prove/shadow.js'
import type { LintedMigration, LintFinding, LintLock, LintReport } from '../report.js'
import { locationIn, withoutPasswords } from '../workspace/migration-file.js'
import { splitStatements, transactionality, type Statement } from '../workspace/statements.js'
import { findHazards } from './find-hazards.js'
import { HAZARDS, isHazardCode } from './hazards.js'
import type { Found } from './hazards/found.js'
import { stopsWhat, strongest, wordsOf, type LockMode } from './lock-modes.js'
import type { Sizes } from './sizes.js'
import { nameOf, type Snapshot } from './snapshot.js'
import { RefusedStatement, traceMigration, type HeldLock, type MigrationTrace } from './trace.js'

export interface Linting {
  readonly config: DatabaseConfig
  readonly shadow: Shadow
  readonly signal: AbortSignal
  readonly observer: Observer
  /** Every up, in the order in which they are applied. */
  readonly steps: readonly Step[]
  /** The versions to look at; the others are only applied, as far as they come before. */
  readonly wanted: ReadonlySet<string>
  /** Versions that have neither a down nor a reason for it. */
  readonly withoutDown: ReadonlySet<string>
  readonly takeNotices: () => readonly string[]
  readonly sizes: Sizes
}

/** Runs what is wanted statement by statement, with rows in the tables, and reports what it did to what was there before. */
export async function lintMigrations(linting: Linting): Promise<LintReport> {
  const startedAt = performance.now()
  const run = new LintRun(linting)
  const traced = await run.traceAll()
  const end = traced.at(-1)?.trace.after
  const migrations = traced.map(({ step, trace, notes }) =>
    judge(step, trace, notes, end ?? trace.after, linting),
  )
  const sum = (of: (migration: LintedMigration) => number): number =>
    migrations.reduce((total, migration) => total + of(migration), 0)
  return {
    migrations,
    summary: {
      migrations: migrations.length,
      statements: sum(({ statements }) => statements.length),
      findings: sum(({ findings }) => findings.length),
      allowed: sum(({ allowed }) => allowed.length),
    },
    durationMs: Math.round(performance.now() - startedAt),
  }
}

interface Traced {
  readonly step: Step
  readonly trace: MigrationTrace
  readonly notes: readonly string[]
}

class LintRun {
  private readonly linting: Linting
  /** Tables whose rows were made up here. */
  private readonly madeUp = new Set<string>()
  /** Tables that were looked at for rows, by their numbers. */
  private readonly known = new Set<string>()

  constructor(linting: Linting) {
    this.linting = linting
  }

  async traceAll(): Promise<readonly Traced[]> {
    const { steps, wanted } = this.linting
    const last = steps.findLastIndex(({ version }) => wanted.has(version))
    const traced: Traced[] = []
    await createLedger(await this.session(), this.linting.config.ledger)
    let from = 0
    for (const [index, step] of steps.entries()) {
      if (index > last) break
      if (!wanted.has(step.version)) continue
      await this.apply(from, index)
      traced.push(await this.trace(step, index))
      from = index + 1
    }
    return traced
  }

  private session(): Promise<Session> {
    return this.linting.shadow.sessions.current()
  }

  private async apply(from: number, to: number): Promise<void> {
    const { config, shadow, signal, observer, steps } = this.linting
    const quiet: Observer = (event) => {
      if (event.kind === 'engine-wait' || event.kind === 'lock-wait') observer(event)
    }
    const plan = { steps: steps.slice(from, to).map(runnable), notes: [] }
    const applied = await applyPlan(plan, shadow.sessions, config, {
      signal,
      observer: quiet,
      singleTransaction: false,
    })
    if (applied.error !== undefined) throw applied.error
  }

  /**
   * With rows in every table that takes some. Rows that were made up may be more than the migration was written for (orphans under a new
   * foreign key): then it is tried with rows that hold only what they must, and at last without any.
   */
  private async trace(step: Step, index: number): Promise<Traced> {
    const { signal } = this.linting
    if (signal.aborted) throw interruption(signal)
    this.tell(step.name, index)
    await this.fill(false)
    const tries = [() => this.restart(index, true), () => this.restart(index, false)]
    let refused: RefusedStatement | undefined
    for (;;) {
      try {
        const trace = await this.run(step, index)
        const note =
          refused === undefined || tries.length > 0
            ? []
            : [`traced without rows, because it does not take those that were tried: ${refused.message}`]
        return { step, trace, notes: note }
      } catch (error) {
        if (!(error instanceof RefusedStatement))
          throw step.script.module === undefined ? error : await failureOf(step, error)
        refused ??= error
        const next = tries.shift()
        // Without rows that were made up it is not the rows.
        if (next === undefined || (this.madeUp.size === 0 && tries.length === 1))
          throw this.failure(step, error)
        await next()
      }
    }
  }

  private async run(step: Step, index: number): Promise<MigrationTrace> {
    const { config, signal, takeNotices } = this.linting
    return traceMigration(await this.session(), step.script, {
      config,
      signal,
      takeNotices,
      onStatement: () => {
        this.tell(step.name, index)
      },
    })
  }

  private failure({ script }: Step, { error, statement }: RefusedStatement): Error {
    if (script.module !== undefined) {
      const { line, column } = statement
      const location = { file: script.file, line, column }
      return problem(
        'database.refused',
        { message: error.message, hint: `The statement was: ${statement.text}` },
        { location, cause: error },
      )
    }
    return sqlFailure(error, script, { start: statement.start, charactersBefore: 0, statementsBefore: 0 })
  }

  private tell(what: string, index: number): void {
    const { observer, config, steps } = this.linting
    observer({ kind: 'proof', database: config.name, what, index, total: steps.length })
  }

  // ---- rows

  private async fill(sparse: boolean): Promise<void> {
    const { config } = this.linting
    const session = await this.session()
    const present = await tableNumbers(session)
    // To read a catalog takes longer than all else here.
    if (!sparse && present.every((oid) => this.known.has(oid))) return
    for (const oid of present) this.known.add(oid)
    const catalog = await readCatalog(session, { ledger: config.ledger })
    const tables = await emptyTables(session, catalog)
    if (tables.length === 0) return
    const { filled } = await generateRows(session, catalog, { tables, sparse, searchPath: config.searchPath })
    for (const { table } of filled) this.madeUp.add(table)
  }

  /** The same version again, with other rows or none; what ran outside a transaction can only be undone by starting over. */
  private async restart(index: number, sparse: boolean): Promise<void> {
    const { shadow, config, steps } = this.linting
    // What is empty now gets its rows before the next migration.
    this.known.clear()
    if (steps[index]?.transaction !== true || !(await this.removeMadeUp())) {
      await shadow.renew()
      this.madeUp.clear()
      await createLedger(await this.session(), config.ledger)
      await this.apply(0, index)
    }
    if (sparse) await this.fill(true)
  }

  /** Without asking triggers and foreign keys; false where that needs a right that this role lacks. */
  private async removeMadeUp(): Promise<boolean> {
    const session = await this.session()
    const catalog = await readCatalog(session, { ledger: this.linting.config.ledger })
    const deletes = factsOf(catalog, 'table')
      .filter(({ identity }) => this.madeUp.has(identity))
      .map(({ identity }) => `delete from ${identity}`)
    try {
      await session.script(
        ['begin', 'set local session_replication_role to replica', ...deletes, 'commit'].join(';'),
      )
    } catch (error) {
      if (!(error instanceof SqlError) || session.lost) throw error
      await session.script('rollback')
      return false
    }
    this.madeUp.clear()
    return true
  }
}

async function failureOf({ script }: Step, error: unknown): Promise<Error> {
  const { moduleFailure } = await import('../apply/module/index.js')
  return moduleFailure(error, script)
}

/** A file that PostgreSQL would refuse as one transaction is reported; what comes after it is looked at all the same. */
function runnable(step: Step): Step {
  if (step.script.module !== undefined) return step
  const outside = splitStatements(step.script.text).some(
    (statement) => transactionality(statement) === 'outside-only',
  )
  return outside ? { ...step, transaction: false } : step
}

async function tableNumbers(session: Session): Promise<readonly string[]> {
  const rows = await session.query(
    `select c.oid::pg_catalog.text from pg_catalog.pg_class c where c.relkind in ('r', 'p') and c.oid >= 16384`,
  )
  return rows.map(([oid]) => oid ?? '')
}

async function emptyTables(session: Session, catalog: Catalog): Promise<readonly string[]> {
  const tables = factsOf(catalog, 'table').filter(({ properties }) => properties.partitionOf === undefined)
  if (tables.length === 0) return []
  const rows = await session.query(
    tables
      .map(({ identity }, index) => `select ${String(index)} where not exists (select from ${identity})`)
      .join(' union all '),
  )
  const empty = new Set(rows.map(([index]) => Number(index)))
  return tables.filter((_, index) => empty.has(index)).map(({ identity }) => identity)
}

// ---- from what was seen to what is said

function judge(
  step: Step,
  trace: MigrationTrace,
  notes: readonly string[],
  end: Snapshot,
  { withoutDown, sizes }: Linting,
): LintedMigration {
  const { script } = trace
  const all = [
    ...(withoutDown.has(step.version) ? [missingDown(step)] : []),
    ...findHazards(trace).filter(({ unless }) => unless?.(end) !== true),
  ].map((found) => describe(found, trace, sizes))
  const { allow } = script.directives
  const findings = all.filter(({ code }) => !allow.has(code))
  const allowed = all.flatMap((finding) => {
    const reason = allow.get(finding.code)
    return reason === undefined ? [] : [{ ...finding, reason }]
  })
  return {
    version: step.version,
    name: step.name,
    file: script.file,
    transaction: trace.transaction,
    statements: trace.statements.map((seen) => ({
      ...placeOf(seen.statement, trace),
      locks: locksOf(seen.locks, trace.before),
      locksFrom: seen.locksFrom,
      rewrites: rewritesOf(seen.before, seen.after, trace.before),
      scans: [...seen.activity].flatMap(([relation, { scans }]) => {
        const known = trace.before.relations.get(relation)
        return scans === 0 || known === undefined ? [] : [nameOf(known)]
      }),
      durationMs: seen.durationMs,
    })),
    locks: strongestLocks(trace),
    findings,
    allowed,
    notes: [...notes, ...idleAllowances(allow, all)],
  }
}

function missingDown({ name }: Step): Found {
  return {
    code: 'missing-down',
    statement: undefined,
    object: name,
    message: 'There is no down, and the up does not say why.',
    rewrite: `-- ${name}.down.sql, or in the head of the up:\n-- dbkit: irreversible <reason>`,
  }
}

function describe(found: Found, trace: MigrationTrace, sizes: Sizes): LintFinding {
  const { code, statement, object, message, rewrite, table } = found
  const { traffic, safeWay } = HAZARDS[code]
  const size = table === undefined ? undefined : sizeOf(table, trace.before, sizes)
  return {
    code,
    ...placeOf(statement, trace),
    object,
    message,
    traffic,
    safeWay,
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(size === undefined ? {} : { size }),
  }
}

/** Of a partition, the table that it is a part of comes first. */
function sizeOf(oid: string, before: Snapshot, sizes: Sizes): LintFinding['size'] {
  const chain: string[] = []
  for (let at = before.relations.get(oid); at !== undefined; at = before.relations.get(at.parent ?? ''))
    chain.unshift(nameOf(at))
  const table = chain.find((name) => sizes.has(name))
  const size = table === undefined ? undefined : sizes.get(table)
  return table === undefined || size === undefined ? undefined : { table, ...size }
}

function placeOf(
  statement: Statement | undefined,
  { script }: MigrationTrace,
): { readonly line: number; readonly column: number; readonly sql: string } {
  if (statement === undefined) return { line: 1, column: 1, sql: '' }
  const shown = withoutPasswords({ ...script, text: statement.text })
  const { line, column } = locationIn(script, statement.start)
  return { line, column, sql: shown.split('\n')[0]?.trimEnd() ?? '' }
}

function locksOf(locks: readonly HeldLock[], known: Snapshot): readonly LintLock[] {
  return locks
    .flatMap(({ relation, mode }) => {
      const found = known.relations.get(relation)
      return found === undefined ? [] : [lockOf(found, mode)]
    })
    .sort((a, b) => compare(a.relation, b.relation) || compare(a.mode, b.mode))
}

function lockOf(relation: { schema: string; name: string; kind: string }, mode: LockMode): LintLock {
  return {
    relation: nameOf(relation),
    kind: kindOf(relation.kind),
    mode: wordsOf(mode),
    stops: stopsWhat(mode),
  }
}

function kindOf(kind: string): LintLock['kind'] {
  if ('iI'.includes(kind)) return 'index'
  if ('vm'.includes(kind)) return 'view'
  return kind === 'S' ? 'sequence' : 'table'
}

function strongestLocks(trace: MigrationTrace): LintedMigration['locks'] {
  const taken = new Map<string, { mode: LockMode; line: number }[]>()
  for (const { locks, statement } of trace.statements)
    for (const { relation, mode } of locks) {
      const all = taken.get(relation) ?? []
      all.push({ mode, line: locationIn(trace.script, statement.start).line })
      taken.set(relation, all)
    }
  return [...taken]
    .flatMap(([oid, all]) => {
      const relation = trace.before.relations.get(oid)
      const mode = strongest(all.map((one) => one.mode))
      if (relation === undefined || mode === undefined || !'rpfvm'.includes(relation.kind)) return []
      const line = all.find((one) => one.mode === mode)?.line ?? 1
      return [{ ...lockOf(relation, mode), line }]
    })
    .sort((a, b) => a.line - b.line || compare(a.relation, b.relation))
}

function rewritesOf(before: Snapshot, after: Snapshot, known: Snapshot): readonly string[] {
  return [...after.relations.values()]
    .filter(({ oid, file, kind }) => {
      const was = before.relations.get(oid)
      return known.relations.has(oid) && 'rmi'.includes(kind) && was !== undefined && was.file !== file
    })
    .map(nameOf)
    .sort(compare)
}

function idleAllowances(
  allow: ReadonlyMap<string, string>,
  findings: readonly LintFinding[],
): readonly string[] {
  return [...allow.keys()].flatMap((code) => {
    // Those are for other commands.
    if (
      /^(?:password-literal|(?:up|down)-refuses-rows)$/.test(code) ||
      findings.some((finding) => finding.code === code)
    )
      return []
    if (isHazardCode(code)) return [`allow=${code} allows nothing: there is no such finding here`]
    const nearest = nearestName(code, Object.keys(HAZARDS))
    return [
      `allow=${code}: there is no such hazard${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
    ]
  })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
