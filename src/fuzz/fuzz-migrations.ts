import { explainFailure } from '../apply/culprit/explain-failure.js'
import type { Observer } from '../apply/observer.js'
import { interruption } from '../apply/run-transaction.js'
import type { Catalog } from '../catalog/catalog.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { createLedger } from '../database/ledger.js'
import { SqlError } from '../database/sql-error.js'
import type { DbkitError } from '../errors.js'
import type { Step } from '../plan/plan.js'
import { candidatesOf, type Candidate } from '../prove/candidates.js'
import { applySteps } from '../prove/run-steps.js'
import type { Shadow } from '../prove/shadow.js'
import { reportOf, type FuzzedMigration, type FuzzFinding, type FuzzReport } from '../report.js'
import type { Workspace } from '../workspace/workspace.js'
import { sequencesBehindRows } from './advance-sequences.js'
import { dictionaryOf } from './edge-values.js'
import { findFailures, type Failure } from './find-failures.js'
import { addCases, fixturePath, readCases, type CaseKind } from './fixtures.js'
import { textOf } from './made-row.js'
import { makeRows, type RowPool } from './make-rows.js'
import { touchedBy } from './touched.js'
import {
  judgeError,
  type Outcome,
  overRows,
  SETTINGS,
  tryInTransaction,
  type Try,
  type TrialOptions,
  type TrySql,
} from './try-rows.js'

export interface Fuzzing {
  readonly config: DatabaseConfig
  readonly workspace: Workspace
  readonly shadow: Shadow
  readonly signal: AbortSignal
  readonly observer: Observer
  /** The versions to look at; the others are only applied, as far as they come before. */
  readonly wanted: ReadonlySet<string>
  /** Rows at the edges, a table; 0 looks only at what the fixtures hold. */
  readonly rows: number
  readonly seed: number
  /** Where the rows that break a migration are kept. */
  readonly fixtures: string
  /** A path as it is shown to people. */
  readonly show: (path: string) => string
}

export const DOWN_REFUSES = 'down-refuses-rows'
export const UP_REFUSES = 'up-refuses-rows'

/** Tries one migration, in transactions that cost a few milliseconds each. */
const MOST_TRIES = 600
/** Where each try needs a database of its own. */
const MOST_REAL_TRIES = 40

/**
 * Tries every wanted migration on rows that its tables take today and that sit at the edges, and keeps those on which it fails.
 * Fails as `migrate up` does when an up fails without any rows.
 */
export async function fuzzMigrations(fuzzing: Fuzzing): Promise<FuzzReport> {
  const startedAt = performance.now()
  const migrations = await new FuzzRun(fuzzing).all()
  const sum = (of: (migration: FuzzedMigration) => number): number =>
    migrations.reduce((total, migration) => total + of(migration), 0)
  return {
    seed: fuzzing.seed,
    migrations,
    summary: {
      migrations: migrations.length,
      rows: sum(({ rows }) => rows),
      tries: sum(({ tries }) => tries),
      findings: sum(({ findings }) => findings.length),
      allowed: sum(({ allowed }) => allowed.length),
    },
    durationMs: Math.round(performance.now() - startedAt),
  }
}

/** A failure that was seen, with where it was seen. */
interface Seen extends Failure {
  readonly kind: CaseKind
  readonly fromFixture: boolean
  /** As it stands in the fixture. */
  readonly sql: string
}

class FuzzRun {
  private readonly fuzzing: Fuzzing
  private readonly candidates: readonly Candidate[]
  private catalog: Catalog | undefined
  private tries = 0
  private rows = 0
  private notes: string[] = []
  private tables = new Set<string>()
  private replayed = 0

  constructor(fuzzing: Fuzzing) {
    this.fuzzing = fuzzing
    this.candidates = candidatesOf(fuzzing.workspace)
  }

  async all(): Promise<readonly FuzzedMigration[]> {
    const { wanted } = this.fuzzing
    const last = this.candidates.findLastIndex(({ migration }) => wanted.has(migration.version))
    const done: FuzzedMigration[] = []
    await createLedger(await this.session(), this.fuzzing.config.ledger)
    let from = 0
    for (const [index, { migration }] of this.candidates.entries()) {
      if (index > last) break
      if (!wanted.has(migration.version)) continue
      await this.applyUps(from, index)
      done.push(await this.one(index, index === last))
      from = index + 1
    }
    return done
  }

  /** Begins at the version before, and ends with the migration applied where others follow. */
  private async one(index: number, isLast: boolean): Promise<FuzzedMigration> {
    const startedAt = performance.now()
    const candidate = this.candidate(index)
    const { migration, up, down } = candidate
    this.tell(migration.name, index)
    this.tries = this.rows = this.replayed = 0
    this.notes = []
    this.tables = new Set()
    const seen: Seen[] = []
    const sql = up.script.text + '\n' + (down?.script.text ?? '')
    seen.push(...(await this.replay(index, ['up', 'up-down'])))
    seen.push(...(await this.search(index, sql, 'up')))
    await this.applyUps(index, index + 1)
    if (down !== undefined) {
      seen.push(...(await this.replay(index, ['down'])))
      seen.push(...(await this.search(index, sql, 'down')))
    }
    const findings = await this.confirm(index, distinct(seen))
    if (seen.length > 0 && !isLast) await this.rebuild(index + 1)
    const { allow } = up.script.directives
    const path = fixturePath(this.fuzzing.fixtures, migration.name)
    const fresh = findings.filter(({ seen: { fromFixture } }) => !fromFixture)
    if (fresh.length > 0)
      addCases(
        path,
        migration.name,
        fresh.map(({ finding, seen: { kind, sql: rows } }) => ({
          kind,
          about: finding.error.message,
          sql: rows,
        })),
      )
    const told = findings.map(({ finding }) => finding)
    return {
      version: migration.version,
      name: migration.name,
      file: up.script.file,
      tables: [...this.tables].sort(),
      rows: this.rows,
      tries: this.tries,
      replayed: this.replayed,
      findings: told.filter(({ code }) => !allow.has(code)),
      allowed: told.flatMap((finding) => {
        const reason = allow.get(finding.code)
        return reason === undefined ? [] : [{ ...finding, reason }]
      }),
      notes: this.notes,
      durationMs: Math.round(performance.now() - startedAt),
    }
  }

  // ---- what broke it before

  private async replay(index: number, kinds: readonly CaseKind[]): Promise<readonly Seen[]> {
    const { migration } = this.candidate(index)
    const path = fixturePath(this.fuzzing.fixtures, migration.name)
    const seen: Seen[] = []
    for (const one of readCases(path).filter(({ kind }) => kinds.includes(kind))) {
      const steps = this.stepsOf(index, one.kind)
      if (steps === undefined) continue
      const outcome = await tryInTransaction(steps, await this.trial())(one.sql)
      this.replayed++
      this.tries++
      if (outcome.kind === 'unfit')
        this.note(`${this.fuzzing.show(path)}: its rows are not taken any more: ${outcome.error.message}`)
      if (outcome.kind === 'refused')
        seen.push({ kind: one.kind, fromFixture: true, sql: one.sql, rows: [], refused: outcome })
    }
    return seen
  }

  /** Undefined: there is no way back. */
  private stepsOf(index: number, kind: CaseKind): readonly Step[] | undefined {
    const { up, down } = this.candidate(index)
    if (kind === 'up') return [up]
    if (down === undefined) return undefined
    return kind === 'down' ? [down] : [up, down]
  }

  // ---- what breaks it now

  private async search(index: number, sql: string, direction: 'up' | 'down'): Promise<readonly Seen[]> {
    const { up, down } = this.candidate(index)
    const step = direction === 'up' ? up : down
    const { config, rows, seed } = this.fuzzing
    if (step === undefined || rows === 0) return []
    const catalog = await this.readCatalog()
    // Code that runs outside of any transaction.
    const alone = step.script.module !== undefined && !step.transaction
    const bare: Outcome = alone ? { kind: 'taken' } : await tryInTransaction([step], await this.trial())('')
    const real = alone || (bare.kind === 'refused' && COMMITS_BY_ITSELF.has(bare.error.sqlstate))
    // Without rows it is not the rows: an up then stops the run when it is applied, a down is for `verify` to tell.
    if (!real && bare.kind !== 'taken') return []
    const session = await this.session()
    const touched = await touchedBy(session, catalog, step, config, this.fuzzing.signal)
    if (touched.length === 0) return []
    const pool = await makeRows(session, catalog, {
      touched,
      dictionary: dictionaryOf(sql),
      rows,
      seed,
      searchPath: config.searchPath,
    })
    for (const table of touched) this.tables.add(table)
    for (const { table, why } of pool.empty) this.note(`table ${table} was left without rows: ${why}`)
    this.rows += pool.base.length + pool.edges.length
    if (real)
      this.note(
        `its ${direction} commits by itself: each try ran on a database of its own, and only ${String(MOST_REAL_TRIES)} did`,
      )
    const seen: Seen[] = []
    const look = async (kind: CaseKind, rowPool: RowPool, attempt: Try): Promise<RowPool> => {
      const found = await findFailures(rowPool, catalog, attempt, real ? MOST_REAL_TRIES : MOST_TRIES)
      this.tries += found.tries
      if (found.guarded !== undefined) this.note(`its ${direction} refuses rows on purpose: ${found.guarded}`)
      if (found.exhausted)
        this.note(
          `its ${direction} fails on more rows than could be told apart in ${String(found.tries)} tries`,
        )
      for (const failure of found.failures)
        seen.push({ ...failure, kind, fromFixture: false, sql: textOf(failure.rows) })
      return found.passing
    }
    const options = await this.trial()
    const attempt = (kind: CaseKind): Try =>
      overRows(
        real ? this.tryForReal(index, kind) : tryInTransaction(this.stepsOf(index, kind) ?? [], options),
      )
    const passing = await look(direction, pool, attempt(direction))
    // What the up has made of the rows may be more than its way back takes.
    if (direction === 'up' && down !== undefined && !real) {
      const there = attempt('up-down')
      await look('up-down', passing, async (some) => {
        const outcome = await there(some)
        return outcome.kind === 'refused' && outcome.step.direction === 'up'
          ? { kind: 'unfit', error: outcome.error }
          : outcome
      })
    }
    if (real) await this.rebuild(direction === 'up' ? index : index + 1)
    return seen
  }

  // ---- for real

  /** Every failure once more, as `migrate` would meet it: rows that are committed, the file as it is. */
  private async confirm(
    index: number,
    all: readonly Seen[],
  ): Promise<readonly { readonly seen: Seen; readonly finding: FuzzFinding }[]> {
    const { fixtures, show, config, shadow } = this.fuzzing
    const { migration } = this.candidate(index)
    const confirmed: { seen: Seen; finding: FuzzFinding }[] = []
    for (const seen of all) {
      const { kind, sql } = seen
      const failed = await this.runForReal(index, kind, sql)
      if (failed === 'unfit' || failed === undefined) {
        this.note(`rows that fail in a trial are taken for real: ${seen.refused.error.message}`)
        continue
      }
      const step = kind === 'up' ? this.candidate(index).up : this.candidate(index).down
      if (step === undefined) continue
      const explained = await explainFailure(failed, step.script, shadow.sessions, config, {})
      confirmed.push({
        seen,
        finding: {
          code: kind === 'up' ? UP_REFUSES : DOWN_REFUSES,
          direction: kind === 'up' ? 'up' : 'down',
          error: reportOf(explained),
          sql,
          fixture: show(fixturePath(fixtures, migration.name)),
          source: seen.fromFixture ? 'fixture' : 'found',
        },
      })
    }
    return confirmed
  }

  private async runForReal(
    index: number,
    kind: CaseKind,
    sql: string,
  ): Promise<DbkitError | 'unfit' | undefined> {
    await this.rebuild(kind === 'down' ? index + 1 : index)
    const { config } = this.fuzzing
    const session = await this.session()
    try {
      await session.script(
        [
          'begin',
          ...SETTINGS,
          `set local search_path to ${config.searchPath}`,
          sql.replace(/;\s*$/, ''),
          'commit',
        ].join(';\n'),
      )
    } catch (error) {
      if (!(error instanceof SqlError) || session.lost) throw error
      await session.script('rollback')
      return 'unfit'
    }
    const sequences = sequencesBehindRows(await this.readCatalog())
    if (sequences.length > 0) await session.script(sequences.join(';'))
    for (const step of this.stepsOf(index, kind) ?? []) {
      const failed = await this.apply([step])
      if (failed !== undefined) return failed
    }
    return undefined
  }

  private tryForReal(index: number, kind: CaseKind): TrySql {
    return async (sql) => {
      const failed = await this.runForReal(index, kind, sql)
      if (failed === undefined) return { kind: 'taken' }
      if (failed === 'unfit')
        return { kind: 'unfit', error: new SqlError('', { sqlstate: '00000' }, undefined, false) }
      const step = this.stepsOf(index, kind)?.at(-1)
      if (step === undefined) throw failed
      return judgeError(failed, step, this.fuzzing.config)
    }
  }

  // ---- the shadow

  private async trial(): Promise<TrialOptions> {
    const { config, signal } = this.fuzzing
    const afterRows = sequencesBehindRows(await this.readCatalog())
    return { session: () => this.session(), config, signal, afterRows }
  }

  private session(): Promise<Session> {
    return this.fuzzing.shadow.sessions.current()
  }

  private async readCatalog(): Promise<Catalog> {
    const { config, signal } = this.fuzzing
    if (signal.aborted) throw interruption(signal)
    return (this.catalog ??= await readCatalog(await this.session(), { ledger: config.ledger }))
  }

  private async applyUps(from: number, to: number): Promise<void> {
    if (from >= to) return
    this.catalog = undefined
    const failed = await this.apply(this.candidates.slice(from, to).map(({ up }) => up))
    if (failed !== undefined) throw failed
  }

  private apply(steps: readonly Step[]): Promise<DbkitError | undefined> {
    const { shadow, config, signal } = this.fuzzing
    return applySteps(steps, shadow, config, signal)
  }

  private async rebuild(count: number): Promise<void> {
    const { shadow, config } = this.fuzzing
    await shadow.renew()
    await createLedger(await this.session(), config.ledger)
    await this.applyUps(0, count)
    this.catalog = undefined
  }

  private note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text)
  }

  private candidate(index: number): Candidate {
    const candidate = this.candidates[index]
    if (candidate === undefined) throw new Error(`there is no migration ${String(index)}`)
    return candidate
  }

  private tell(what: string, index: number): void {
    const { observer, config } = this.fuzzing
    observer({ kind: 'proof', database: config.name, what, index, total: this.candidates.length })
  }
}

/** A procedure or a DO block that commits, or a statement that wants to be alone. */
const COMMITS_BY_ITSELF: ReadonlySet<string> = new Set(['2D000', '25001'])

/** A way back that fails both on rows from before and on rows from after is told once, with those from after. */
function distinct(all: readonly Seen[]): readonly Seen[] {
  const known = new Map<string, Seen>()
  for (const seen of all) {
    const key = `${seen.kind === 'up' ? 'up' : 'down'} ${seen.refused.signature}`
    const other = known.get(key)
    if (other === undefined || (!other.fromFixture && seen.kind === 'down')) known.set(key, seen)
  }
  return [...known.values()]
}
