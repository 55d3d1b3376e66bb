/** What runs a migration as code, for whoever looks at each of its statements. */
export { backfillOf, forgetfulJournal, noBackfill } from './backfill.js'
export { loadMigration } from './load-migration.js'
export { moduleFailure, stackPlace } from './module-failure.js'
export { ModuleRun } from './module-run.js'
