import type { MaintainReport } from './maintain/maintain-report.js'
import type { BackupManifest } from './backup/manifest.js'
import type { DoctorReport } from './doctor/doctor-report.js'
import type { CulpritReport, DbkitError, ExitCode, SourceLocation } from './errors.js'

/** What happened, as values: the same report is printed for people and, with --json, for programs. */
export interface Report {
  readonly command: string
  readonly ok: boolean
  readonly databases: readonly DatabaseReport[]
  readonly error?: ErrorReport
}

/** What a failed command says of its failure; also the `error` of the JSON document. */
export interface ErrorReport {
  readonly code: string
  readonly exit: ExitCode
  readonly message: string
  readonly hint?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** The line of the file, so that a caret can be drawn under `column`. */
  readonly excerpt?: string
  /** What PostgreSQL said, when it was PostgreSQL that refused. */
  readonly sql?: SqlErrorReport
  /** Who or what made PostgreSQL refuse, where it could be found out. */
  readonly culprit?: CulpritReport
  /** Further problems found in the same look. */
  readonly others?: readonly ErrorReport[]
}

/** The fields of a PostgreSQL error, by their names in the protocol. */
export interface SqlErrorReport {
  readonly sqlstate: string
  readonly severity?: string
  readonly detail?: string
  readonly hint?: string
  readonly where?: string
  readonly schema?: string
  readonly table?: string
  readonly column?: string
  readonly constraint?: string
  readonly dataType?: string
}

/** A backup that was written and has its manifest beside it. */
export interface BackupReport {
  readonly file: string
  readonly manifest: BackupManifest
  readonly durationMs: number
}

/** A backup that came out as its manifest promises. */
export interface RestoreReport {
  readonly file: string
  readonly manifest: BackupManifest
  /** verified: in a scratch database, which is gone again · replaced: something was there before */
  readonly outcome: 'verified' | 'restored' | 'replaced'
  readonly durationMs: number
}

/** Which engine a database lives on; `label` never holds a password. */
export interface EngineReport {
  readonly kind: 'server' | 'embedded'
  readonly label: string
  /** PostgreSQL's own version, e.g. "15.18"; absent when the engine was never reached. */
  readonly version?: string
}

export interface DatabaseReport {
  readonly database: string
  readonly ok: boolean
  readonly engine?: EngineReport
  /** What became of the database itself, for the commands that make and drop whole ones. */
  readonly existence?: Existence
  readonly steps?: readonly StepReport[]
  readonly migrations?: readonly MigrationStatus[]
  readonly summary?: StatusSummary
  readonly repeatable?: readonly RepeatableStatus[]
  /** Files written or removed, statements printed and the like, for the commands that do so. */
  readonly files?: readonly string[]
  readonly notes?: readonly string[]
  readonly sql?: readonly PlannedSql[]
  /** The seed sets that were loaded, in this order. */
  readonly seedSets?: readonly string[]
  readonly seed?: readonly SeedTableReport[]
  readonly import?: ImportReport
  readonly generate?: GenerateReport
  readonly bench?: BenchReport
  readonly takeOver?: TakeOverReport
  readonly seedScripts?: readonly SeedScriptReport[]
  /** Everything was done, counted, and rolled back. */
  readonly dryRun?: boolean
  readonly connection?: string
  readonly verify?: VerifyReport
  readonly diff?: DiffReport
  readonly drift?: DriftReport
  readonly lint?: LintReport
  readonly portable?: PortableReport
  readonly change?: ChangeReport
  readonly fleet?: FleetReport
  readonly doctor?: DoctorReport
  readonly docs?: DocsReport
  /** What was asked to be printed instead of written. */
  readonly text?: string
  readonly maintain?: MaintainReport
  readonly fuzz?: FuzzReport
  readonly switch?: SwitchReport
  readonly backup?: BackupReport
  readonly restore?: RestoreReport
  readonly error?: ErrorReport
}

/** "already-there" and "already-gone": nothing had to be done. */
export type Existence = 'created' | 'already-there' | 'dropped' | 'already-gone' | 're-created'

/** One migration that was to be run in one direction, and what became of it. */
export interface StepReport {
  readonly version: string
  readonly name: string
  readonly direction: 'up' | 'down'
  readonly outcome: 'applied' | 'rolled-back' | 'recorded' | 'failed' | 'not-run'
  readonly durationMs?: number
  /** Statements run, for a file that runs outside a transaction. */
  readonly statements?: number
  /** Rows that the back-fills of a migration as code have gone over, those of interrupted runs included. */
  readonly rows?: number
  /** How often the step was tried again because a lock was not to be had in time. */
  readonly retries?: number
  /** Where the SQL came from: the file, the ledger because the file is gone; cache: a copy of a database where it had been run. */
  readonly source?: 'file' | 'ledger' | 'cache'
  readonly outOfOrder?: boolean
  /** A file that is run again whenever its text has changed; it has no version. */
  readonly repeatable?: boolean
}

/** What a switch to the files of another branch did with what was applied. */
export interface SwitchReport {
  /** Migrations that the files have as well, and that stayed as they were. */
  readonly kept: number
  /** The last applied first. */
  readonly rolledBack: readonly {
    readonly version: string
    readonly name: string
    /** missing: no file · edited: another text · interrupted: it was being rolled back · later: applied after one of these, and applied again */
    readonly why: 'missing' | 'edited' | 'interrupted' | 'later'
  }[]
  /** What the rollback drops, as far as its text says so: "table public.loads", "column loads.weight". */
  readonly loses: readonly string[]
  /** Why there was no way back; the database was made anew instead. */
  readonly reset?: readonly string[]
}

export interface PlannedSql {
  readonly version: string
  readonly name: string
  readonly direction: 'up' | 'down'
  /** False: each statement runs by itself. */
  readonly transaction: boolean
  readonly sql: string
}

export interface MigrationStatus {
  readonly version: string
  readonly name: string
  readonly state: MigrationState
  readonly appliedAt?: string
  readonly appliedBy?: string
  readonly durationMs?: number
  readonly outOfOrder?: boolean
  readonly statementsDone?: number
  readonly reversible: boolean
}

/** applied · pending (never run) · changed (its text is another one since) · missing (was run, file gone) */
export interface RepeatableStatus {
  readonly name: string
  readonly state: 'applied' | 'pending' | 'changed' | 'missing'
  readonly appliedAt?: string
  readonly appliedBy?: string
}

/**
 * applied · pending · out-of-order (pending below the head) · edited (applied, text changed since) · edited-down (only its way
 * back changed) · missing (applied, file gone) · interrupted (a file outside a transaction that stopped midway)
 */
export type MigrationState =
  'applied' | 'pending' | 'out-of-order' | 'edited' | 'edited-down' | 'missing' | 'interrupted'

export type StatusSummary = Readonly<Record<MigrationState, number>>

/** What loading (or planning to load) a seed set changed in one table. */
export interface SeedTableReport {
  readonly set: string
  readonly table: string
  readonly files: readonly string[]
  readonly rows: number
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly durationMs?: number
}

/** How fast the queries with a target were answered. */
export interface BenchReport {
  readonly queries: readonly BenchedQuery[]
  readonly storage?: BenchedStorage
}

/** Times are milliseconds from sending a query to having its last row; planning is in them. */
export interface BenchedQuery {
  readonly name: string
  /** The target, for `p95`. */
  readonly within: number
  readonly met: boolean
  readonly runs: number
  /** Rows that an answer had, on average. */
  readonly rows: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** A node of the plan a line, indented below its parent. */
  readonly plan: readonly string[]
  readonly indexes: readonly string[]
  /** Tables that it reads from end to end. */
  readonly scans: readonly string[]
}

export interface BenchedStorage {
  readonly tables: readonly string[]
  /** Rows of these tables. */
  readonly rows: number
  /** All tables of the database, with their indexes. */
  readonly bytes: number
  /** So many rows may take so many bytes. */
  readonly unit: number
  readonly allowed: number
  readonly perUnit: number
  /** Of these tables alone. */
  readonly ownPerUnit: number
  readonly met: boolean
}

/** Rows that were made, and by which number they can be made again. */
export interface GenerateReport {
  readonly seed: number
  /** The day that dates were counted from, YYYY-MM-DD. */
  readonly today: string
  /** In the order in which they were filled. */
  readonly tables: readonly GeneratedTableReport[]
  readonly durationMs: number
}

export interface GeneratedTableReport {
  readonly table: string
  readonly rows: number
  /** What was sent to the database. */
  readonly bytes: number
  readonly durationMs: number
  /** Rows that were made as well and left out: those that a constraint refuses, and more than were needed to make up for them. */
  readonly refused?: number
}

/** What a .sql seed file changed, as the server counted it: triggers included. */
export interface SeedScriptReport {
  readonly set: string
  readonly file: string
  readonly tables: readonly {
    readonly table: string
    readonly inserted: number
    readonly updated: number
    readonly deleted: number
  }[]
  readonly durationMs: number
}

/** The way from one database to another, run on a shadow with rows in it. Without any SQL when it is refused or could not be proved. */
export interface DiffReport {
  readonly from: string
  readonly to: string
  /** There is nothing to do. */
  readonly equal: boolean
  /** In this order; each is a migration of its own. */
  readonly up: readonly DiffPart[]
  /** The way back of each, in the same order: the last is run first. Empty where it was not asked for. */
  readonly down: readonly DiffPart[]
  /** "the rows of table public.loads" */
  readonly losses: readonly string[]
  /** Pairs that may be the same thing under another name, and are dropped and added as long as nobody says so. */
  readonly renameCandidates: readonly RenameChoice[]
  /** Rows that were in the tables of the shadow. */
  readonly rows: number
}

export interface DiffPart {
  readonly sql: string
  /** False: each statement runs by itself (`-- dbkit: no-transaction`). */
  readonly transaction: boolean
}

export interface RenameChoice {
  /** Kind and name: "column public.loads.weight" */
  readonly from: string
  readonly to: string
  /** The new name alone. */
  readonly name: string
}

/** What was taken over from another tool, or would be. */
export interface TakeOverReport {
  /** The tool. */
  readonly from: string
  /** Its ledger, "schema.table"; absent where only files were copied. */
  readonly ledger?: string
  /** Each with what its tool calls it, and its name here. */
  readonly migrations: readonly {
    readonly from: string
    readonly name: string
    readonly state: 'applied' | 'pending' | 'copied'
  }[]
  /** Whether the database is what the applied migrations make; different: see drift for what is not. */
  readonly proof: 'equal' | 'different' | 'not-run'
  /** Why it was taken over all the same. */
  readonly force?: string
}

/** What an import of documents did, or would have done. */
export interface ImportReport {
  readonly files: readonly ImportFileReport[]
  /** Empty when nothing was imported. */
  readonly tables: readonly ImportTableReport[]
  /** Documents read, and how many of them cannot be imported. */
  readonly documents: number
  readonly bad: number
  /** By file and place; errors are why a document is bad, warnings are about documents that were imported. */
  readonly findings: readonly ImportFinding[]
  /** Findings beyond those kept in the report. */
  readonly findingsLeftOut?: number
  readonly durationMs: number
}

export interface ImportFileReport {
  readonly file: string
  readonly collection: string
  readonly documents: number
  readonly bad: number
}

export interface ImportTableReport {
  readonly table: string
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  /** Rows of arrays that have become shorter. */
  readonly removed: number
}

/** One thing about one document; `path` is the field as MongoDB writes it (tracking_events.2.timestamp). */
export interface ImportFinding {
  readonly severity: 'error' | 'warning'
  readonly code: ImportFindingCode
  readonly collection: string
  readonly file: string
  /** The line on which the document starts; in a binary file its number instead. Both from 1. */
  readonly line?: number
  readonly document?: number
  readonly id?: string
  readonly path?: string
  readonly message: string
  /** How often, where only the first is shown. */
  readonly count?: number
}

/**
 * unreadable (no document at all) · missing · bad-type · enum · bounds · too-long · bad-date · bad-oid · bad-location · bad-text (what
 * PostgreSQL cannot store) · unknown-field · duplicate-id · duplicate-value · dangling-reference · opaque-id (a key that is no ObjectId)
 */
export type ImportFindingCode =
  | 'unreadable'
  | 'missing'
  | 'bad-type'
  | 'enum'
  | 'bounds'
  | 'too-long'
  | 'bad-date'
  | 'bad-oid'
  | 'bad-location'
  | 'bad-text'
  | 'unknown-field'
  | 'duplicate-id'
  | 'duplicate-value'
  | 'dangling-reference'
  | 'opaque-id'

/** How a live database differs from what its migrations make. */
export interface DriftReport {
  /** The last migration that the database has; undefined: none. */
  readonly at?: string
  /** Where the migrations were run again, and where both sides were compared. */
  readonly comparedOn: EngineReport
  /** In the order of the objects' kinds and names; what is a part of a missing or an extra object is not told by itself. */
  readonly differences: readonly DriftDifference[]
}

export interface DriftDifference {
  /** Kind and name, e.g. "column public.loads.weight". */
  readonly object: string
  /** missing (the migrations make it, the database lacks it) · extra (the other way round) · changed */
  readonly kind: 'missing' | 'extra' | 'changed'
  /** Of a change, what the migrations make and what the database has: "default 0 -> none". */
  readonly changes: readonly string[]
  readonly explanation: DriftExplanation
}

/** Which migration the difference comes from, if any does. */
export interface DriftExplanation {
  /**
   * undone (the database has it as it was before this migration) · altered (this migration made what the database no longer has) ·
   * kept (this migration took it away, and it is still there) · pending (this migration, which is not applied, would make it so) ·
   * unknown (no migration knows it)
   */
  readonly kind: 'undone' | 'altered' | 'kept' | 'pending' | 'unknown'
  readonly migration?: string
  readonly file?: string
  /** The line of the statement that names the object, where one does. */
  readonly line?: number
}

/** What `dbkit verify` saw when it ran every rollback on a shadow. */
export interface VerifyReport {
  /** In the order in which they were applied; what stood before --since is not among them. */
  readonly migrations: readonly RollbackProof[]
  readonly summary: Readonly<Record<ProofVerdict, number>>
  /** From the head down to where the proofs began, and up again. */
  readonly wholeWay: ProofCheck
  /** The seeds at the head, twice; undefined: there are none. */
  readonly seeds?: ProofCheck
  /** Seed sets that claim to fit older versions too (seedsFrom), loaded twice at each of them. */
  readonly seedClaims?: ProofCheck
  /** The end of the migrations against the declared schema. */
  readonly schema?: ProofCheck
  /** The emitted types against the end of the migrations. */
  readonly types?: ProofCheck
  /** The committed documentation against the end of the migrations; undefined: the configuration has none. */
  readonly docs?: ProofCheck
  /** What is repeatable, run twice at the head: the second time has to change nothing. */
  readonly repeatable?: ProofCheck
  /** With --base: the orders in which databases may get what both sides have. */
  readonly merge?: ProofCheck
  /** Rows that `dbkit fuzz` has found to break a migration, tried again; undefined: there are none. */
  readonly fuzz?: ProofCheck
  /** Tables that no rows could be made for, and why: what happens to their rows was not seen. */
  readonly emptyTables: readonly { readonly table: string; readonly why: string }[]
  readonly durationMs: number
}

/** One migration, whose down was judged alone, right after its up. */
export interface RollbackProof {
  readonly version: string
  readonly name: string
  readonly verdict: ProofVerdict
  readonly findings: readonly ProofFinding[]
  /** Rows that were in the tables. */
  readonly rows: number
  /** Why there is no way back, or why it refuses. */
  readonly reason?: string
  /** Of a down that fails, or of an up that cannot be applied again. */
  readonly error?: ErrorReport
  readonly durationMs: number
}

/**
 * exact · cosmetic (written otherwise, and means the same) · note (what PostgreSQL cannot undo, or what the up gave up on purpose) ·
 * different (something is left over or lost) · error (the down fails, or the up cannot be applied again) · empty (no statement, though
 * the up changes something) · refuses (it raises an error on purpose) · missing (there is no down)
 */
export type ProofVerdict =
  'exact' | 'cosmetic' | 'note' | 'different' | 'error' | 'empty' | 'refuses' | 'missing'

export interface ProofFinding {
  readonly severity: 'different' | 'note' | 'cosmetic'
  /** Kind and name, e.g. "column public.loads.weight". */
  readonly object: string
  readonly message: string
}

export interface ProofCheck {
  readonly outcome: 'ok' | 'failed' | 'not-run'
  readonly findings: readonly ProofFinding[]
  readonly notes?: readonly string[]
  readonly error?: ErrorReport
}

/** What the files use that a version of PostgreSQL, or a set of extensions, lacks. */
export interface PortableReport {
  /** The major version. */
  readonly target: number
  /** Those that can be had there, where that was said. */
  readonly extensions?: readonly string[]
  readonly from: 'migrations' | 'schema'
  readonly files: number
  readonly statements: number
  /** In the order of the files. */
  readonly findings: readonly PortableFinding[]
  readonly proof: PortableProof
}

export interface PortableFinding {
  /** "merge": as in docs/portable.md; "refused": the server's word alone. */
  readonly code: string
  /** "MERGE" */
  readonly what: string
  /** "PostgreSQL 15 or later", "the extension pg_trgm" */
  readonly needs: string
  /** What to write there. */
  readonly instead?: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly excerpt?: string
  /** What the server of the target said to the statement when it was run. */
  readonly refused?: string
}

/** What became of the files on a server of the target. */
export interface PortableProof {
  /** taken (all statements) · refused (one, and none after it was run) · not-run (no such server was to be had) */
  readonly outcome: 'taken' | 'refused' | 'not-run'
  readonly engine?: EngineReport
  /** Of "not-run". */
  readonly why?: string
}

/** Many databases, or schemas of one, that have the same migrations. */
export interface FleetReport {
  /** In the order of their source. */
  readonly targets: readonly FleetTarget[]
  readonly summary: Readonly<Record<FleetTarget['outcome'], number>>
  /** Those that are at a version, the newest first; an empty version: nothing is applied. */
  readonly versions: readonly {
    readonly version: string
    readonly count: number
    readonly targets: readonly string[]
  }[]
  /** That were opened. */
  readonly connections: number
  readonly concurrency: number
  readonly durationMs: number
}

export interface FleetTarget {
  readonly name: string
  /**
   * migrated · current (nothing was to be done) · behind (something is pending) · wrong (edited, missing or interrupted) · failed (also:
   * not reached) · not-run (because of a failure before it)
   */
  readonly outcome: 'migrated' | 'current' | 'behind' | 'wrong' | 'failed' | 'not-run'
  /** The name of the last migration that it has. */
  readonly version?: string
  readonly applied?: number
  readonly pending?: number
  readonly error?: ErrorReport
  readonly durationMs: number
}

/** What the migrations here make otherwise than those of another commit. */
export interface ChangeReport {
  readonly base: string
  /** In the order of the objects' kinds and names; what is a part of an object that was added or removed is not told by itself. */
  readonly differences: readonly {
    /** Kind and name, e.g. "column public.loads.weight". */
    readonly object: string
    readonly kind: 'added' | 'removed' | 'changed'
    readonly changes: readonly string[]
  }[]
  /** Mermaid: the tables that are touched, and what leads to them. */
  readonly diagram?: string
}

/** What `dbkit lint` saw when it ran each statement on a shadow. */
export interface LintReport {
  /** In the order in which they would be applied. */
  readonly migrations: readonly LintedMigration[]
  readonly summary: {
    readonly migrations: number
    readonly statements: number
    readonly findings: number
    readonly allowed: number
  }
  readonly durationMs: number
}

export interface LintedMigration {
  readonly version: string
  readonly name: string
  readonly file: string
  /** False: each statement runs, and lets go of its locks, by itself. */
  readonly transaction: boolean
  readonly statements: readonly LintedStatement[]
  /** The strongest lock on each table or view that was there before, and the line that takes it; in a transaction it is held to the end. */
  readonly locks: readonly (LintLock & { readonly line: number })[]
  readonly findings: readonly LintFinding[]
  /** Findings that the file allows, each with the reason that it gives. */
  readonly allowed: readonly (LintFinding & { readonly reason: string })[]
  readonly notes: readonly string[]
}

export interface LintedStatement {
  readonly line: number
  readonly column: number
  /** Its first line. */
  readonly sql: string
  /** Those it was the first to take. Of what was there before the migration only; indexes, too. */
  readonly locks: readonly LintLock[]
  /** documented: it cannot run in a transaction, so its locks are those of PostgreSQL's manual. */
  readonly locksFrom: 'measured' | 'documented'
  /** Tables and indexes that were written to a new file. */
  readonly rewrites: readonly string[]
  /** Tables that were read from end to end. */
  readonly scans: readonly string[]
  readonly durationMs: number
}

export interface LintLock {
  readonly relation: string
  readonly kind: 'table' | 'view' | 'index' | 'sequence'
  /** As PostgreSQL's manual writes it: "ACCESS EXCLUSIVE". */
  readonly mode: string
  /** What others wait with: "reads and writes". */
  readonly stops: string
}

export interface LintFinding {
  /** As in -- dbkit: allow=<code> <reason>, and in docs/lint.md. */
  readonly code: string
  readonly line: number
  readonly column: number
  readonly sql: string
  /** What it is about, e.g. "public.loads.rating". */
  readonly object: string
  readonly message: string
  /** What every hazard of this code does to running traffic, and how the same is done without. */
  readonly traffic: string
  readonly safeWay: string
  /** The safe way as SQL, where there is one. */
  readonly rewrite?: string
  /** From --stats. */
  readonly size?: { readonly table: string; readonly bytes: number; readonly rows?: number }
}

/** What `dbkit docs build` made, or with --check would have made. */
export interface DocsReport {
  readonly formats: readonly string[]
  readonly tables: number
  readonly views: number
  /** Tables, columns, views, functions and types with a comment, and how many there are. */
  readonly described: number
  readonly describable: number
  /** "column loads.rating": those without. */
  readonly undescribed: readonly string[]
}

/** What `dbkit fuzz` saw when it ran migrations over rows at the edges of what their tables take. */
export interface FuzzReport {
  /** The same seed gives the same rows. */
  readonly seed: number
  /** In the order in which they would be applied. */
  readonly migrations: readonly FuzzedMigration[]
  readonly summary: {
    readonly migrations: number
    /** Rows that were made, of all of them. */
    readonly rows: number
    /** How often a migration was run. */
    readonly tries: number
    readonly findings: number
    readonly allowed: number
  }
  readonly durationMs: number
}

export interface FuzzedMigration {
  readonly version: string
  readonly name: string
  readonly file: string
  /** Those that it touches, of what was there before. */
  readonly tables: readonly string[]
  readonly rows: number
  readonly tries: number
  /** Cases of its fixture, which were tried first. */
  readonly replayed: number
  readonly findings: readonly FuzzFinding[]
  /** Findings that the file allows, each with the reason that it gives. */
  readonly allowed: readonly (FuzzFinding & { readonly reason: string })[]
  readonly notes: readonly string[]
  readonly durationMs: number
}

export interface FuzzFinding {
  /** As in -- dbkit: allow=<code> <reason>. */
  readonly code: 'up-refuses-rows' | 'down-refuses-rows'
  readonly direction: 'up' | 'down'
  /** What PostgreSQL said, where, and to which rows. */
  readonly error: ErrorReport
  /** The fewest and plainest rows that show it. */
  readonly sql: string
  /** The file that keeps them. */
  readonly fixture: string
  /** found: in this run. fixture: by an earlier one. */
  readonly source: 'found' | 'fixture'
}

/** The report of an error, with everything the terminal and the JSON document need. */
export function reportOf(error: DbkitError): ErrorReport {
  const { code, exit, message, hint, location, others, culprit } = error
  return {
    code,
    exit,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...locationFields(location),
    ...(isSqlCause(error.cause) ? { sql: error.cause.fields } : {}),
    ...(culprit === undefined ? {} : { culprit }),
    ...(others.length === 0 ? {} : { others: others.map(reportOf) }),
  }
}

/** The exit status of a whole command: its own error first, then the worst of its databases. */
export function exitCodeOf(report: Report): ExitCode {
  if (report.error !== undefined) return report.error.exit
  const errors = report.databases.flatMap((database) =>
    database.error === undefined ? [] : [database.error.exit],
  )
  if (errors.includes(130)) return 130
  if (errors.length > 0) return Math.max(...errors) as ExitCode
  return report.ok && report.databases.every((database) => database.ok) ? 0 : 1
}

function locationFields(location: SourceLocation | undefined): Partial<ErrorReport> {
  if (location === undefined) return {}
  const { file, line, column, excerpt } = location
  return { file, line, column, ...(excerpt === undefined ? {} : { excerpt }) }
}

function isSqlCause(cause: unknown): cause is { fields: SqlErrorReport } {
  return typeof cause === 'object' && cause !== null && 'fields' in cause && 'sqlstate' in cause
}
