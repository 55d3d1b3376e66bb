/**
 * dbkit's front door: what users import, and all that its own command line may import. Each verb is loaded when it is called, so that
 * importing this costs next to nothing.
 */
export { defineConfig } from './config/define-config.js'
export type {
  CodegenOptions,
  CommittedFormat,
  Emitter,
  DatabaseOptions,
  FleetOptions,
  HookOption,
  HookOptions,
  DbkitConfig,
  DocsOptions,
} from './config/define-config.js'
export type { Config, DatabaseConfig, Target } from './config/config.js'
export type { Flags, Surroundings } from './config/settle-config.js'
export { LAYOUTS } from './workspace/layouts/names.js'
export type { LayoutName } from './workspace/layouts/names.js'
export { DbkitError, environmentName, fileProblem, problem } from './errors.js'
export type { CulpritReport, ErrorCode, ExitCode, SourceLocation } from './errors.js'
export { exitCodeOf, reportOf } from './report.js'
export type {
  BackupReport,
  BenchedQuery,
  BenchedStorage,
  BenchReport,
  ChangeReport,
  DatabaseReport,
  DiffPart,
  DiffReport,
  DocsReport,
  DriftDifference,
  DriftExplanation,
  DriftReport,
  EngineReport,
  ErrorReport,
  FleetReport,
  FleetTarget,
  Existence,
  FuzzedMigration,
  FuzzFinding,
  FuzzReport,
  GeneratedTableReport,
  GenerateReport,
  ImportFileReport,
  ImportFinding,
  ImportFindingCode,
  ImportReport,
  ImportTableReport,
  LintedMigration,
  LintedStatement,
  LintFinding,
  LintLock,
  LintReport,
  PortableFinding,
  PortableProof,
  PortableReport,
  MigrationState,
  MigrationStatus,
  PlannedSql,
  ProofCheck,
  ProofFinding,
  ProofVerdict,
  RenameChoice,
  RepeatableStatus,
  Report,
  RestoreReport,
  RollbackProof,
  SeedScriptReport,
  SeedTableReport,
  SqlErrorReport,
  TakeOverReport,
  StatusSummary,
  StepReport,
  SwitchReport,
  VerifyReport,
} from './report.js'
export type {
  DoctorCheck,
  DoctorCheckName,
  DoctorFinding,
  DoctorLevel,
  DoctorReport,
  EngineChoice,
  Mend,
} from './doctor/doctor-report.js'
export type { BackupContent, BackupKind, BackupManifest, TableFingerprint } from './backup/manifest.js'
export type { Decryption, Encryption } from './backup/age.js'
export { MAINTAIN_TASKS } from './maintain/maintain-report.js'
export type { MaintainReport, MaintainStep, MaintainTask } from './maintain/maintain-report.js'
export type {
  ArchivePolicy,
  MaintenanceOptions,
  PartitionPolicy,
  RetentionPolicy,
  UpkeepPolicy,
} from './config/define-config.js'
export type { DownGoal, UpGoal } from './plan/plan.js'
export type { Observer, RunEvent } from './apply/observer.js'
export type { MigrateSquashOptions } from './verbs/migrate-squash.js'
export type { SwitchOptions } from './verbs/switch.js'
export type { SeedOptions } from './verbs/seed.js'
export type { BenchOptions } from './verbs/bench.js'
export type { SeedGenerateOptions } from './verbs/seed-generate.js'
export type { CodegenVerbOptions } from './verbs/codegen.js'
export type { CodegenWatchOptions } from './verbs/codegen-watch.js'
export type { JsonSchema, JsonShape } from './codegen/json-types.js'
export type { ImportMongoOptions } from './verbs/import-mongo.js'
export type { ImportMigrationsOptions } from './verbs/import-migrations.js'
export { LEDGER_TOOLS } from './database/foreign-ledgers.js'
export type { LedgerTool } from './database/foreign-ledgers.js'
export { HAZARDS } from './lint/hazards.js'
export type { Hazard, HazardCode } from './lint/hazards.js'
export type { BackupOptions } from './verbs/backup.js'
export type { RestoreOptions } from './verbs/restore.js'
export type { MaintainOptions } from './verbs/maintain.js'
export type { DoctorOptions } from './verbs/doctor.js'
export type { FuzzOptions } from './verbs/fuzz.js'
export type { InitOptions } from './verbs/init.js'
export { databaseNameOf } from './database-name.js'
export type { ReportOptions } from './verbs/report.js'
export type { LintOptions } from './verbs/lint.js'
export type { DocsBuildOptions, DocsFormat } from './verbs/docs-build.js'
export type { PortableOptions } from './verbs/portable.js'
export type { DocsServeOptions } from './verbs/docs-serve.js'
export type { SchemaDriftOptions } from './verbs/schema-drift.js'
export type { SchemaDiffOptions } from './verbs/schema-diff.js'
export type { MigrateDiffOptions } from './verbs/migrate-diff.js'
export type { SchemaDumpOptions } from './verbs/schema-dump.js'
export type { VerifyOptions } from './verbs/verify.js'
export type { Shell, ShellAnswer, ShellProgram, ShellResult, ShellTable } from './verbs/db-shell.js'
export { backfill } from './apply/module/backfill-call.js'
export type {
  BackfillBatch,
  BackfillOptions,
  BackfillResult,
  MigrationDb,
  SqlExpression,
} from './apply/module/backfill-call.js'
export { parseDuration } from './duration.js'
export { DBKIT_VERSION } from './package-version.js'

import type { Config } from './config/config.js'
import type { Flags, Surroundings } from './config/settle-config.js'
import type { CodegenVerbOptions } from './verbs/codegen.js'
import type { CodegenWatchOptions } from './verbs/codegen-watch.js'
import type { DocsBuildOptions } from './verbs/docs-build.js'
import type { FuzzOptions } from './verbs/fuzz.js'
import type { DocsServeOptions } from './verbs/docs-serve.js'
import type { ImportMigrationsOptions } from './verbs/import-migrations.js'
import type { ImportMongoOptions } from './verbs/import-mongo.js'
import type { DbDropOptions } from './verbs/db-drop.js'
import type { DbResetOptions } from './verbs/db-reset.js'
import type { DbServeOptions } from './verbs/db-serve.js'
import type { DbShellOptions } from './verbs/db-shell.js'
import type { BackupOptions } from './verbs/backup.js'
import type { RestoreOptions } from './verbs/restore.js'
import type { MaintainOptions } from './verbs/maintain.js'
import type { DoctorOptions } from './verbs/doctor.js'
import type { ReportOptions } from './verbs/report.js'
import type { InitOptions } from './verbs/init.js'
import type { LintOptions } from './verbs/lint.js'
import type { PortableOptions } from './verbs/portable.js'
import type { MigrateBaselineOptions } from './verbs/migrate-baseline.js'
import type { MigrateCreateOptions } from './verbs/migrate-create.js'
import type { MigrateDownOptions } from './verbs/migrate-down.js'
import type { MigrateRedoOptions } from './verbs/migrate-redo.js'
import type { MigrateRepairOptions } from './verbs/migrate-repair.js'
import type { MigrateSquashOptions } from './verbs/migrate-squash.js'
import type { MigrateStatusOptions } from './verbs/migrate-status.js'
import type { MigrateUpOptions } from './verbs/migrate-up.js'
import type { Report } from './report.js'
import type { RunOptions } from './verbs/with-database.js'
import type { SchemaDriftOptions } from './verbs/schema-drift.js'
import type { MigrateDiffOptions } from './verbs/migrate-diff.js'
import type { SchemaDiffOptions } from './verbs/schema-diff.js'
import type { SchemaDumpOptions } from './verbs/schema-dump.js'
import type { SeedOptions } from './verbs/seed.js'
import type { BenchOptions } from './verbs/bench.js'
import type { SeedGenerateOptions } from './verbs/seed-generate.js'
import type { SwitchOptions } from './verbs/switch.js'
import type { VerifyOptions } from './verbs/verify.js'

/** Flags, environment and configuration file to one settled Config. Rejects with `request.*` and `config.*`. */
export async function settleConfig(flags: Flags, surroundings: Surroundings): Promise<Config> {
  return (await import('./config/settle-config.js')).settleConfig(flags, surroundings)
}

/** Writes what a project begins with; what is there already stays as it is. */
export async function init(options: InitOptions, surroundings: { readonly cwd: string }): Promise<Report> {
  return (await import('./verbs/init.js')).init(options, surroundings)
}

/** Applies what is pending. */
export async function migrateUp(config: Config, options?: MigrateUpOptions): Promise<Report> {
  if (options?.fleet === true) return (await import('./verbs/fleet.js')).fleetUp(config, options)
  return (await import('./verbs/migrate-up.js')).migrateUp(config, options)
}

/** Rolls back the last applied migration, several, all above a version, or all. */
export async function migrateDown(config: Config, options?: MigrateDownOptions): Promise<Report> {
  return (await import('./verbs/migrate-down.js')).migrateDown(config, options)
}

/** Rolls back the last applied migration and applies it again. */
export async function migrateRedo(config: Config, options?: MigrateRedoOptions): Promise<Report> {
  return (await import('./verbs/migrate-redo.js')).migrateRedo(config, options)
}

/** What is applied, pending, edited, missing, out of order or interrupted. */
export async function migrateStatus(config: Config, options?: MigrateStatusOptions): Promise<Report> {
  if (options?.fleet === true) return (await import('./verbs/fleet.js')).fleetStatus(config, options)
  return (await import('./verbs/migrate-status.js')).migrateStatus(config, options)
}

/** Brings each database to what the files say now, as after a `git checkout`. */
export async function switchToFiles(config: Config, options?: SwitchOptions): Promise<Report> {
  return (await import('./verbs/switch.js')).switchToFiles(config, options)
}

/** Writes an empty up and down with the next version. */
export async function migrateCreate(config: Config, options: MigrateCreateOptions): Promise<Report> {
  return (await import('./verbs/migrate-create.js')).migrateCreate(config, options)
}

/** Records everything up to a version as applied without running it. */
export async function migrateBaseline(config: Config, options: MigrateBaselineOptions): Promise<Report> {
  return (await import('./verbs/migrate-baseline.js')).migrateBaseline(config, options)
}

/** Accepts edited files, or settles one version by hand, in the ledger only. */
export async function migrateRepair(config: Config, options?: MigrateRepairOptions): Promise<Report> {
  return (await import('./verbs/migrate-repair.js')).migrateRepair(config, options)
}

/** Replaces the history up to a version by one migration, proved to leave the same. */
export async function migrateSquash(config: Config, options: MigrateSquashOptions): Promise<Report> {
  return (await import('./verbs/migrate-squash.js')).migrateSquash(config, options)
}

/** Loads the seed sets of each database, so that a second run changes nothing. */
export async function seed(config: Config, options?: SeedOptions): Promise<Report> {
  return (await import('./verbs/seed.js')).seed(config, options)
}

/** Fills tables with plausible rows that satisfy their constraints, as many as are asked for. */
export async function seedGenerate(config: Config, options?: SeedGenerateOptions): Promise<Report> {
  return (await import('./verbs/seed-generate.js')).seedGenerate(config, options)
}

/** Measures the queries that have a target; `ok: false` when one is missed. */
export async function bench(config: Config, options?: BenchOptions): Promise<Report> {
  return (await import('./verbs/bench.js')).bench(config, options)
}

/** Imports documents of a MongoDB export by the mapping of a database; the same documents again change nothing. */
export async function importMongo(config: Config, options: ImportMongoOptions): Promise<Report> {
  return (await import('./verbs/import-mongo.js')).importMongo(config, options)
}

/** Copies the migrations of another tool into dbkit's own layout, and takes over its ledger once the database is proved to be what they make. */
export async function importMigrations(config: Config, options?: ImportMigrationsOptions): Promise<Report> {
  return (await import('./verbs/import-migrations.js')).importMigrations(config, options)
}

/** Emits the TypeScript types of each database, or says which are out of date. */
export async function codegen(config: Config, options?: CodegenVerbOptions): Promise<Report> {
  return (await import('./verbs/codegen.js')).codegen(config, options)
}

/** Emits the types, and again after each change of what they come from, until the signal. */
export async function codegenWatch(
  settle: () => Promise<Config>,
  options: CodegenWatchOptions,
): Promise<Report> {
  return (await import('./verbs/codegen-watch.js')).codegenWatch(settle, options)
}

/** Proves the rollback of every migration by running it on a throw-away database with rows in it. */
export async function verify(config: Config, options?: VerifyOptions): Promise<Report> {
  return (await import('./verbs/verify.js')).verify(config, options)
}

/** What the migrations here make otherwise than those of another commit: the schema, the locks, a diagram. */
export async function report(config: Config, options: ReportOptions): Promise<Report> {
  return (await import('./verbs/report.js')).report(config, options)
}

/** Runs each statement on a throw-away database with rows in it, and says what it would do to running traffic. */
export async function lint(config: Config, options?: LintOptions): Promise<Report> {
  return (await import('./verbs/lint.js')).lint(config, options)
}

/** Looks at each database for what is wrong or soon will be, and says what mends it. Changes nothing. */
export async function doctor(config: Config, options?: DoctorOptions): Promise<Report> {
  return (await import('./verbs/doctor.js')).doctor(config, options)
}

/** Does the maintenance that was asked for, or that the configuration declares and is due. */
export async function maintain(config: Config, options?: MaintainOptions): Promise<Report> {
  return (await import('./verbs/maintain.js')).maintain(config, options)
}

/** Runs migrations over rows at the edges of what their tables take, and keeps those on which they fail. */
export async function fuzz(config: Config, options?: FuzzOptions): Promise<Report> {
  return (await import('./verbs/fuzz.js')).fuzz(config, options)
}

/** Says what the files use that a version of PostgreSQL lacks, and runs them on a server of that version where there is one. */
export async function portable(config: Config, options: PortableOptions): Promise<Report> {
  return (await import('./verbs/portable.js')).portable(config, options)
}

/** Writes a backup of each database, with a manifest by which it can be proved. */
export async function backup(config: Config, options?: BackupOptions): Promise<Report> {
  return (await import('./verbs/backup.js')).backup(config, options)
}

/** Restores a backup and proves that what came out is what was backed up. */
export async function restore(config: Config, options: RestoreOptions): Promise<Report> {
  return (await import('./verbs/restore.js')).restore(config, options)
}

/** Creates the databases, empty. */
export async function dbCreate(config: Config, options?: RunOptions): Promise<Report> {
  return (await import('./verbs/db-create.js')).dbCreate(config, options)
}

/** Drops the databases with all that is in them. */
export async function dbDrop(config: Config, options?: DbDropOptions): Promise<Report> {
  return (await import('./verbs/db-drop.js')).dbDrop(config, options)
}

/** Drops the databases, creates them again and applies all migrations. */
export async function dbReset(config: Config, options?: DbResetOptions): Promise<Report> {
  return (await import('./verbs/db-reset.js')).dbReset(config, options)
}

/** Opens embedded databases on a port each, until the signal is aborted. */
export async function dbServe(config: Config, options: DbServeOptions): Promise<Report> {
  return (await import('./verbs/db-serve.js')).dbServe(config, options)
}

/** Opens a shell on a database; resolves to its exit status. */
export async function dbShell(config: Config, options: DbShellOptions): Promise<number> {
  return (await import('./verbs/db-shell.js')).dbShell(config, options)
}

/** Writes the declared schema: what the migrations make, or what a database contains, an object a file. */
export async function schemaDump(config: Config, options?: SchemaDumpOptions): Promise<Report> {
  return (await import('./verbs/schema-dump.js')).schemaDump(config, options)
}

/** Compares each live database with what its migrations make, and says where a difference comes from. */
export async function schemaDrift(config: Config, options?: SchemaDriftOptions): Promise<Report> {
  return (await import('./verbs/schema-drift.js')).schemaDrift(config, options)
}

/** The SQL between two databases, proved on a throw-away one. */
export async function schemaDiff(config: Config, options?: SchemaDiffOptions): Promise<Report> {
  return (await import('./verbs/schema-diff.js')).schemaDiff(config, options)
}

/** Writes the migration from the end of the migrations to the declared schema, and its way back. */
export async function migrateDiff(config: Config, options: MigrateDiffOptions): Promise<Report> {
  return (await import('./verbs/migrate-diff.js')).migrateDiff(config, options)
}

/** Writes the documentation of each database, or says what of it is out of date. */
export async function docsBuild(config: Config, options?: DocsBuildOptions): Promise<Report> {
  return (await import('./verbs/docs-build.js')).docsBuild(config, options)
}

/** Serves the site from memory and builds it again after each change, until the signal. */
export async function docsServe(settle: () => Promise<Config>, options: DocsServeOptions): Promise<Report> {
  return (await import('./verbs/docs-serve.js')).docsServe(settle, options)
}
