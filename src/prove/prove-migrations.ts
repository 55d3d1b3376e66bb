import type { Observer } from '../apply/observer.js'
import { runAllRepeatables } from '../apply/run-repeatables.js'
import { composeMessage, interruption } from '../apply/run-transaction.js'
import { sqlFailure } from '../apply/sql-failure.js'
import { factsOf, type Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { createLedger } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import { DbkitError } from '../errors.js'
import type { Step } from '../plan/plan.js'
import {
  reportOf,
  type ErrorReport,
  type ProofCheck,
  type ProofFinding,
  type ProofVerdict,
  type RollbackProof,
  type VerifyReport,
} from '../report.js'
import { splitStatements } from '../workspace/statements.js'
import { readScriptText, type Migration, type Workspace } from '../workspace/workspace.js'
import { candidatesOf, isRefusal, type Candidate } from './candidates.js'
import { generateRows } from './generate-rows.js'
import { judgeAgain, judgeDown, judgeEnd, judgeReload, verdictOf, type Observed } from './judge.js'
import { nestedSession, trialSession } from './nested-session.js'
import { readRowState } from './row-state.js'
import { runCheck } from './run-check.js'
import { applySteps, runWithin } from './run-steps.js'
import type { Shadow } from './shadow.js'

export interface Proving {
  readonly config: DatabaseConfig
  readonly workspace: Workspace
  readonly shadow: Shadow
  readonly signal: AbortSignal
  readonly observer: Observer
  /** Canonical; what is not newer is applied without being proved. */
  readonly since: string | undefined
  /** Loads the seeds in one transaction; fails with `seed.*` where they do not fit. Undefined: there are none. */
  readonly loadSeeds: ((session: Session) => Promise<void>) | undefined
  /** Seed sets that say from which version on they fit. */
  readonly claims: readonly SeedClaim[]
}

/** A seed set that can be loaded at every version from one on, and not only at the head. */
export interface SeedClaim {
  readonly set: string
  /** Canonical. */
  readonly from: string
  /** Loads it in one transaction; fails with `seed.*` where it does not fit. */
  readonly load: (session: Session) => Promise<void>
}

/** What was proved, and the up that stopped it, if one did. */
export interface Proved {
  readonly report: VerifyReport
  readonly error: DbkitError | undefined
  /** What the shadow contains at the head, where the proof ends. */
  readonly head: Catalog | undefined
}

/**
 * Proves every rollback by running it on a shadow with rows in it: up; down must restore what was there before; up again must give what
 * the first up gave. Each down is judged alone, right after its up: one that is wrong is taken back before the next.
 */
export async function proveMigrations(proving: Proving): Promise<Proved> {
  const startedAt = performance.now()
  const run = new ProofRun(proving)
  const proofs: RollbackProof[] = []
  let wholeWay: ProofCheck = { outcome: 'not-run', findings: [] }
  let seeds: ProofCheck | undefined
  let seedClaims: ProofCheck | undefined
  let repeatable: ProofCheck | undefined
  let head: Catalog | undefined
  let error: DbkitError | undefined
  try {
    await run.start()
    for (const index of run.proved()) proofs.push(await run.prove(index))
    wholeWay = await run.wholeWay(proofs)
    seedClaims = await run.seedAtClaims()
    seeds = await run.seedTwice()
    repeatable = await run.repeatTwice()
    head = await run.head()
  } catch (thrown) {
    if (!(thrown instanceof StoppingUp)) throw thrown
    error = thrown.problem
  }
  const summary: Record<ProofVerdict, number> = {
    exact: 0,
    cosmetic: 0,
    note: 0,
    different: 0,
    error: 0,
    empty: 0,
    refuses: 0,
    missing: 0,
  }
  for (const { verdict } of proofs) summary[verdict]++
  return {
    report: {
      migrations: proofs,
      summary,
      wholeWay,
      ...(seeds === undefined ? {} : { seeds }),
      ...(seedClaims === undefined ? {} : { seedClaims }),
      ...(repeatable === undefined ? {} : { repeatable }),
      emptyTables: run.emptyTables(),
      durationMs: Math.round(performance.now() - startedAt),
    },
    error,
    head,
  }
}

/** Whether everything was found as it should be. */
export function isProved(report: VerifyReport): boolean {
  const { summary, wholeWay, seeds, seedClaims, repeatable, schema, types, docs, merge, fuzz } = report
  return (
    summary.different + summary.error + summary.empty === 0 &&
    [wholeWay, seeds, seedClaims, repeatable, schema, types, docs, merge, fuzz].every(
      (check) => check?.outcome !== 'failed',
    )
  )
}

/** An up that fails: nothing after it can be tried. */
class StoppingUp extends Error {
  readonly problem: DbkitError

  constructor(problem: DbkitError) {
    super(problem.message, { cause: problem })
    this.problem = problem
  }
}

function unmetFinding({ name }: Migration, { message, location }: DbkitError): ProofFinding {
  const place =
    location === undefined ? '' : `${location.file}:${String(location.line)}:${String(location.column)}: `
  return {
    severity: 'different',
    object: `migration ${name}`,
    message: `its verify script fails: ${place}${message}`,
  }
}

/** How a down and the up after it went. */
interface Outcome {
  readonly verdict: ProofVerdict
  readonly findings: readonly ProofFinding[]
  readonly error?: ErrorReport
  readonly reason?: string
}

class ProofRun {
  private readonly proving: Proving
  private readonly candidates: readonly Candidate[]
  private readonly first: number
  /** What the shadow contains now; its rows are read when they are needed. */
  private catalog: Catalog | undefined
  private base: Catalog | undefined
  /** Tables whose rows dbkit has made up, or a trigger because of them. */
  private madeUp = new Set<string>()
  private readonly refused = new Map<string, string>()
  private seeded = false
  private headIsClean = false

  constructor(proving: Proving) {
    this.proving = proving
    this.candidates = candidatesOf(proving.workspace)
    const { since } = proving
    const first =
      since === undefined
        ? 0
        : this.candidates.findIndex(({ migration }) => proving.workspace.order(migration.version, since) > 0)
    this.first = first < 0 ? this.candidates.length : first
  }

  /** Indexes of the migrations to prove. */
  proved(): readonly number[] {
    return this.candidates.map((_, index) => index).filter((index) => index >= this.first)
  }

  emptyTables(): VerifyReport['emptyTables'] {
    // What was dropped since needs no rows any more.
    const catalog = this.catalog
    return [...this.refused]
      .filter(([table]) => catalog === undefined || catalog.facts.has(`table ${table}`))
      .map(([table, why]) => ({ table, why }))
  }

  async start(): Promise<void> {
    const { shadow, config } = this.proving
    await createLedger(await shadow.sessions.current(), config.ledger)
    await this.applyUps(0, this.first)
    this.base = this.catalog = await this.readCatalog()
  }

  async prove(index: number): Promise<RollbackProof> {
    const candidate = this.candidate(index)
    const { migration } = candidate
    const startedAt = performance.now()
    this.tell(migration.name, index)
    const notes: ProofFinding[] = []
    const before = await this.applyWithRows(index, await this.fill(), notes)
    const up = await this.observe()
    const unmet = await this.check(migration)
    const judged = await this.judge(index, before, up)
    const outcome: Outcome =
      unmet === undefined
        ? judged
        : { ...judged, verdict: 'error', findings: [...judged.findings, unmetFinding(migration, unmet)] }
    return {
      version: migration.version,
      name: migration.name,
      rows: [...before.rows.values()].reduce((sum, { rows }) => sum + rows, 0),
      durationMs: Math.round(performance.now() - startedAt),
      ...outcome,
      findings: [...outcome.findings, ...notes],
      verdict: outcome.verdict === 'exact' && notes.length > 0 ? 'note' : outcome.verdict,
    }
  }

  /** The script of the migration's own that says whether it has done what it should. */
  private async check({ check }: Migration): Promise<DbkitError | undefined> {
    if (check === undefined) return undefined
    const { config, signal } = this.proving
    return runCheck(readScriptText(check), await this.session(), config, signal)
  }

  /** All downs from the head on, with rows in the tables, and all ups again, in an empty database. */
  async wholeWay(proofs: readonly RollbackProof[]): Promise<ProofCheck> {
    const broken = proofs.filter(({ verdict }) => !RESTORES.has(verdict))
    if (broken.length > 0) {
      const names = broken.map(({ name, verdict }) => `${name} (${verdict})`)
      return { outcome: 'not-run', findings: [], notes: [`there is no whole way down: ${names.join(', ')}`] }
    }
    if (proofs.length === 0 || this.base === undefined) return { outcome: 'not-run', findings: [] }
    this.tell('the whole way down', this.candidates.length)
    const head = this.catalog
    const downs = this.candidates.slice(this.first).flatMap(({ down }) => down ?? [])
    const failed = await this.apply([...downs].reverse())
    if (failed !== undefined) {
      await this.rebuild(this.candidates.length)
      return { outcome: 'failed', findings: [], error: reportOf(failed) }
    }
    const findings = [...judgeEnd(this.base, await this.readCatalog())]
    const again = await this.apply(this.candidates.slice(this.first).map(({ up }) => up))
    if (again !== undefined) {
      await this.rebuild(this.candidates.length)
      return { outcome: 'failed', findings, error: reportOf(again) }
    }
    this.madeUp.clear()
    this.seeded = false
    this.headIsClean = this.first === 0
    this.catalog = await this.readCatalog()
    if (head !== undefined) findings.push(...judgeAgain(head, this.catalog))
    return { outcome: verdictOf(findings) === 'different' ? 'failed' : 'ok', findings }
  }

  /** The seeds at the head, twice: the second load has to find everything as it is. */
  async seedTwice(): Promise<ProofCheck | undefined> {
    const { loadSeeds, shadow } = this.proving
    if (loadSeeds === undefined) return undefined
    this.tell('the seeds', this.candidates.length)
    if (!this.headIsClean) await this.rebuild(this.candidates.length)
    const session = await shadow.sessions.current()
    try {
      await loadSeeds(session)
      const first = await this.observe()
      await loadSeeds(session)
      const findings = judgeReload(first.rows, await readRowState(session, first.catalog))
      return { outcome: findings.length === 0 ? 'ok' : 'failed', findings }
    } catch (error) {
      if (!isRefusedSeed(error)) throw error
      return { outcome: 'failed', findings: [], error: reportOf(error) }
    }
  }

  /** Each set that claims older versions, at each of them, into empty tables and then once more. Leaves the head without rows. */
  async seedAtClaims(): Promise<ProofCheck | undefined> {
    const { claims, workspace } = this.proving
    const wanted = this.candidates.map(({ migration: { version } }) =>
      claims.filter(({ from }) => workspace.order(from, version) <= 0),
    )
    const first = wanted.findIndex((sets) => sets.length > 0)
    if (claims.length === 0 || first < 0) return undefined
    await this.rebuild(first)
    for (const [index, sets] of wanted.entries()) {
      if (index < first) continue
      const { migration } = this.candidate(index)
      this.tell(`the seeds at ${migration.name}`, index)
      await this.applyUps(index, index + 1)
      const failed = await this.loadClaims(sets, migration.name)
      if (failed !== undefined) {
        this.headIsClean = false
        return failed
      }
    }
    this.headIsClean = true
    return {
      outcome: 'ok',
      findings: [],
      notes: claims.map(({ set, from }) => `${set} from ${this.nameOf(from)} on`),
    }
  }

  private async loadClaims(sets: readonly SeedClaim[], at: string): Promise<ProofCheck | undefined> {
    const session = await this.session()
    const trial = trialSession(session)
    await session.script('begin isolation level read committed')
    try {
      for (const { set, load } of sets)
        try {
          await load(trial)
          const loaded = await this.observe(nestedSession(session))
          await load(trial)
          const again = await readRowState(nestedSession(session), loaded.catalog)
          const findings = judgeReload(loaded.rows, again)
          if (findings.length > 0)
            return { outcome: 'failed', findings, notes: [`set ${set} at ${at}, loaded twice`] }
        } catch (error) {
          if (!isRefusedSeed(error)) throw error
          return { outcome: 'failed', findings: [], notes: [`set ${set} at ${at}`], error: reportOf(error) }
        }
      return undefined
    } finally {
      // The next version meets empty tables again.
      if (!session.lost) await session.script('rollback')
    }
  }

  private nameOf(version: string): string {
    return this.candidates.find(({ migration }) => migration.version === version)?.migration.name ?? version
  }

  /** What is repeatable, at the head, where it stays; the second time has to find everything as it is. */
  async repeatTwice(): Promise<ProofCheck | undefined> {
    const { workspace, shadow, config, signal } = this.proving
    if (workspace.repeatable.length === 0) return undefined
    this.tell('what is repeatable', this.candidates.length)
    const run = (): Promise<void> =>
      runAllRepeatables(workspace.repeatable, shadow.sessions, readScriptText, { config, signal })
    try {
      await run()
      const first = await this.readCatalog()
      await run()
      this.catalog = await this.readCatalog()
      const findings = judgeAgain(first, this.catalog)
      return { outcome: verdictOf(findings) === 'different' ? 'failed' : 'ok', findings }
    } catch (error) {
      if (!(error instanceof DbkitError) || error.exit === 130) throw error
      this.catalog = undefined
      return { outcome: 'failed', findings: [], error: reportOf(error) }
    }
  }

  async head(): Promise<Catalog> {
    return (this.catalog ??= await this.readCatalog())
  }

  // ---- one migration

  /**
   * The up, with rows in the tables. Rows that were made up may be more than the up was written for (a column that becomes NOT NULL
   * needs values that only the author knows): then it is tried without them, and that is said.
   */
  private async applyWithRows(index: number, before: Observed, notes: ProofFinding[]): Promise<Observed> {
    const { up, migration } = this.candidate(index)
    const failed = await this.apply([up])
    if (failed === undefined) return before
    const holding = [...before.rows].filter(([, { rows }]) => rows > 0).map(([table]) => table)
    if (holding.length === 0) throw new StoppingUp(failed)
    if (up.transaction && this.madeUp.size > 0 && (await this.removeMadeUp(await this.session()))) {
      const sparse = await this.generate({ sparse: true })
      if ((await this.apply([up])) === undefined) return sparse
    }
    await this.rebuild(index)
    const bare = await this.observeKnown()
    const bareFailed = await this.apply([up])
    if (bareFailed !== undefined) throw new StoppingUp(bareFailed)
    notes.push({
      severity: 'note',
      object: `migration ${migration.name}`,
      message: `proved without rows, because its up does not take those that were tried: ${failed.message}`,
    })
    return bare
  }

  private async judge(index: number, before: Observed, up: Observed): Promise<Outcome> {
    this.catalog = up.catalog
    const { down, unusable, irreversible } = this.candidate(index)
    if (unusable !== undefined) return { verdict: 'error', findings: [], error: reportOf(unusable) }
    if (down === undefined)
      return { verdict: 'missing', findings: [], reason: irreversible ?? 'there is no down' }
    if (down.script.module === undefined && splitStatements(down.script.text).length === 0) {
      const findings = judgeDown(before, up, up)
      const verdict = verdictOf(findings)
      return { verdict: verdict === 'different' ? 'empty' : verdict, findings }
    }
    return down.transaction
      ? this.judgeInTransaction(index, down, before, up)
      : this.judgeOutside(index, down, before, up)
  }

  /** The down in its own transaction, which is looked into before it ends: what is wrong with it is then rolled back. */
  private async judgeInTransaction(
    index: number,
    down: Step,
    before: Observed,
    up: Observed,
  ): Promise<Outcome> {
    const { shadow, config, signal } = this.proving
    const session = await shadow.sessions.current()
    let findings: readonly ProofFinding[]
    try {
      await session.script('begin isolation level read committed')
      await runWithin(session, down, config, signal)
      // What is deferred would be checked at the end.
      await session.script('set constraints all immediate')
      findings = judgeDown(before, up, await this.observe(nestedSession(session)))
    } catch (error) {
      if (session.lost || signal.aborted) throw error
      const outcome = failedDown(error, down, config)
      if (outcome === undefined) throw error
      await session.script('rollback')
      return outcome
    }
    const verdict = verdictOf(findings)
    if (verdict === 'different' || findings.some(isLabel)) {
      const again = await this.tryAgainWithin(session, index)
      await session.script('rollback')
      return { verdict, findings: [...findings, ...again] }
    }
    await session.script('commit')
    return this.judgeAgain(index, up.catalog, { verdict, findings })
  }

  /** After a down that is not right the up may fail as well; worth knowing, and all of it is rolled back. */
  private async tryAgainWithin(session: Session, index: number): Promise<readonly ProofFinding[]> {
    const { up } = this.candidate(index)
    if (!up.transaction) return []
    const { config, signal } = this.proving
    try {
      await runWithin(session, up, config, signal)
      return []
    } catch (thrown) {
      const error = thrown instanceof DbkitError ? thrown : undefined
      const refused = error === undefined ? thrown : error.cause
      if (!(refused instanceof SqlError) && error?.code !== 'module.failed') throw thrown
      if (session.lost || this.proving.signal.aborted) throw thrown
      // In the transaction that made it, a new label of an enum cannot be used; outside of it, it can.
      if (refused instanceof SqlError && refused.sqlstate === '55P04') return []
      return [
        {
          severity: 'note',
          object: `migration ${up.name}`,
          message: `cannot be applied again: ${(thrown as Error).message}`,
        },
      ]
    }
  }

  /** A down that runs outside a transaction; what it did wrong can only be undone by starting over. */
  private async judgeOutside(index: number, down: Step, before: Observed, up: Observed): Promise<Outcome> {
    const failed = await this.apply([down])
    if (failed !== undefined) {
      await this.rebuild(index + 1)
      return isRefusal(failed.cause)
        ? { verdict: 'refuses', findings: [], reason: failed.message }
        : { verdict: 'error', findings: [], error: reportOf(failed) }
    }
    const findings = judgeDown(before, up, await this.observe())
    const verdict = verdictOf(findings)
    if (verdict === 'different' || findings.some(isLabel)) {
      await this.rebuild(index + 1)
      return { verdict, findings }
    }
    return this.judgeAgain(index, up.catalog, { verdict, findings })
  }

  private async judgeAgain(index: number, first: Catalog, outcome: Outcome): Promise<Outcome> {
    const { up } = this.candidate(index)
    const failed = await this.apply([up])
    if (failed !== undefined) {
      await this.rebuild(index + 1)
      const { findings } = outcome
      const message = `cannot be applied again: ${failed.message}`
      return {
        verdict: 'error',
        findings: [...findings, { severity: 'different', object: `migration ${up.name}`, message }],
        error: reportOf(failed),
      }
    }
    const again = await this.readCatalog()
    const findings = judgeAgain(first, again)
    if (findings.length === 0) {
      this.catalog = again
      return outcome
    }
    await this.rebuild(index + 1)
    return { verdict: 'different', findings: [...outcome.findings, ...findings] }
  }

  // ---- rows

  /** Sees to it that there are rows: seeds as soon as they fit, generated ones where there are none. */
  private async fill(): Promise<Observed> {
    const { loadSeeds } = this.proving
    const session = await this.session()
    if (loadSeeds !== undefined && !this.seeded) this.seeded = await this.trySeeds(session, loadSeeds)
    return this.generate({ sparse: false })
  }

  private async generate({ sparse }: { readonly sparse: boolean }): Promise<Observed> {
    const { config } = this.proving
    const session = await this.session()
    const catalog = (this.catalog ??= await this.readCatalog())
    const before = await readRowState(session, catalog)
    const tables = factsOf(catalog, 'table')
      .filter(({ identity, properties }) => {
        if (properties.partitionOf !== undefined) return false
        const parts = [identity, ...partitionsOf(catalog, identity)]
        return parts.every((part) => (before.get(part)?.rows ?? 0) === 0)
      })
      .map(({ identity }) => identity)
    if (tables.length === 0) return { catalog, rows: before }
    const generated = await generateRows(session, catalog, {
      tables,
      sparse,
      searchPath: config.searchPath,
    })
    for (const { table } of generated.filled) this.refused.delete(table)
    for (const { table, why } of generated.empty) this.refused.set(table, why)
    const after = await readRowState(session, catalog)
    for (const [table, { rows }] of after)
      if (rows > 0 && (before.get(table)?.rows ?? 0) === 0) this.madeUp.add(table)
    for (const table of [...this.refused.keys()])
      if ((after.get(table)?.rows ?? 0) > 0) this.refused.delete(table)
    return { catalog, rows: after }
  }

  /** Seeds fit when all their tables and columns are there. Rows that were made up go first: they may hold a key of the seeds. */
  private async trySeeds(session: Session, load: (session: Session) => Promise<void>): Promise<boolean> {
    try {
      await load(session)
      return true
    } catch (error) {
      if (!isRefusedSeed(error)) throw error
      if (this.madeUp.size === 0 || error.code.startsWith('seed.unknown')) return false
    }
    if (!(await this.removeMadeUp(session))) return false
    try {
      await load(session)
      return true
    } catch (error) {
      if (!isRefusedSeed(error)) throw error
      return false
    }
  }

  /** Takes made up rows away without asking triggers and foreign keys; false where that needs a right that this role lacks. */
  private async removeMadeUp(session: Session): Promise<boolean> {
    const catalog = (this.catalog ??= await this.readCatalog())
    const tables = factsOf(catalog, 'table').filter(({ identity }) => this.madeUp.has(identity))
    const deletes = tables.map(({ identity }) => `delete from ${identity}`)
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

  // ---- the shadow

  private session(): Promise<Session> {
    return this.proving.shadow.sessions.current()
  }

  private async observe(session?: Session): Promise<Observed> {
    const from = session ?? (await this.proving.shadow.sessions.current())
    const catalog = await this.readCatalog(from)
    return { catalog, rows: await readRowState(from, catalog) }
  }

  /** observe() where nothing but rows has changed since the catalog was read: reading it is what takes time. */
  private async observeKnown(): Promise<Observed> {
    const session = await this.proving.shadow.sessions.current()
    const catalog = (this.catalog ??= await this.readCatalog(session))
    return { catalog, rows: await readRowState(session, catalog) }
  }

  private async readCatalog(session?: Session): Promise<Catalog> {
    const { shadow, config, signal } = this.proving
    if (signal.aborted) throw interruption(signal)
    return readCatalog(session ?? (await shadow.sessions.current()), { ledger: config.ledger })
  }

  /** Runs steps as `migrate` does; returns what stopped it. */
  private apply(steps: readonly Step[]): Promise<DbkitError | undefined> {
    const { shadow, config, signal } = this.proving
    return applySteps(steps, shadow, config, signal)
  }

  private async applyUps(from: number, to: number): Promise<void> {
    const failed = await this.apply(this.candidates.slice(from, to).map(({ up }) => up))
    if (failed !== undefined) throw new StoppingUp(failed)
  }

  /** The state after so many ups, made anew and without rows but those of the migrations. */
  private async rebuild(count: number): Promise<void> {
    const { shadow, config } = this.proving
    await shadow.renew()
    this.madeUp.clear()
    this.seeded = false
    await createLedger(await shadow.sessions.current(), config.ledger)
    await this.applyUps(0, count)
    this.catalog = undefined
  }

  private candidate(index: number): Candidate {
    const candidate = this.candidates[index]
    if (candidate === undefined) throw new Error(`there is no migration ${String(index)}`)
    return candidate
  }

  private tell(what: string, index: number): void {
    const { observer, config } = this.proving
    observer({ kind: 'proof', database: config.name, what, index, total: this.candidates.length + 1 })
  }
}

/** Verdicts after which everything is as it was, as far as PostgreSQL can. */
const RESTORES: ReadonlySet<ProofVerdict> = new Set(['exact', 'cosmetic', 'note'])

/** A label that stays: the way back is as right as it can be, but the same up may fail on it. */
function isLabel({ severity, object }: ProofFinding): boolean {
  return severity === 'note' && object.startsWith('type ')
}

function partitionsOf(catalog: Catalog, identity: string): readonly string[] {
  const direct = factsOf(catalog, 'table').filter(({ properties }) => properties.partitionOf === identity)
  return direct.flatMap((table) => [table.identity, ...partitionsOf(catalog, table.identity)])
}

/** How a down failed; undefined: it is none of the down's doing. */
function failedDown(error: unknown, down: Step, config: DatabaseConfig): Outcome | undefined {
  if (error instanceof SqlError) {
    if (isRefusal(error)) return { verdict: 'refuses', findings: [], reason: error.message }
    const { sent } = composeMessage(down, config, { begin: false })
    return { verdict: 'error', findings: [], error: reportOf(sqlFailure(error, down.script, sent)) }
  }
  if (!(error instanceof DbkitError) || down.script.module === undefined || error.exit === 130)
    return undefined
  return isRefusal(error.cause)
    ? { verdict: 'refuses', findings: [], reason: error.message }
    : { verdict: 'error', findings: [], error: reportOf(error) }
}

/** Seeds that do not fit, and not an interruption. */
function isRefusedSeed(error: unknown): error is DbkitError {
  return error instanceof DbkitError && error.exit !== 130
}
