import type { Command } from 'commander'
import type { VerbContext } from './run-verb.js'

/** A command as `dbkit --help` shows it; its flags are read when it is asked for. */
export interface ListedCommand {
  readonly name: string
  /** What may follow the name. */
  readonly takes: string
  readonly about: string
  readonly load: () => Promise<(command: Command, context: VerbContext) => void>
}

export const commandList: readonly ListedCommand[] = [
  {
    name: 'init',
    takes: '[options]',
    about: 'write a configuration, a first migration, a seed and a CI workflow; asks in a terminal',
    load: async () => (await import('./commands/init.js')).defineInit,
  },
  {
    name: 'migrate',
    takes: '',
    about: 'apply, roll back and inspect versioned SQL',
    load: async () => (await import('./commands/migrate.js')).defineMigrate,
  },
  {
    name: 'switch',
    takes: '[options]',
    about:
      'after a git checkout: roll back what the files no longer have, with the SQL of the ledger, and apply what they have',
    load: async () => (await import('./commands/switch.js')).defineSwitch,
  },
  {
    name: 'db',
    takes: '',
    about: 'create, drop and open whole databases',
    load: async () => (await import('./commands/db.js')).defineDb,
  },
  {
    name: 'seed',
    takes: '[options]',
    about: 'load reference and sample rows; a second run changes nothing',
    load: async () => (await import('./commands/seed.js')).defineSeed,
  },
  {
    name: 'codegen',
    takes: '[options]',
    about: 'emit TypeScript types from the migrations, or with --url from a live database',
    load: async () => (await import('./commands/codegen.js')).defineCodegen,
  },
  {
    name: 'schema',
    takes: '',
    about: 'what is in a database, as files, and whether it is what its migrations make',
    load: async () => (await import('./commands/schema.js')).defineSchema,
  },
  {
    name: 'docs',
    takes: '',
    about: 'what is in a database, for people to read',
    load: async () => (await import('./commands/docs.js')).defineDocs,
  },
  {
    name: 'import',
    takes: '',
    about: 'bring in what other systems exported',
    load: async () => (await import('./commands/import.js')).defineImport,
  },
  {
    name: 'verify',
    takes: '[options]',
    about: 'prove every rollback by running it, with rows, and that schema files, types and seeds agree',
    load: async () => (await import('./commands/verify.js')).defineVerify,
  },
  {
    name: 'lint',
    takes: '[options] [versions...]',
    about: 'run each pending statement, with rows, and say what it would do to running traffic',
    load: async () => (await import('./commands/lint.js')).defineLint,
  },
  {
    name: 'portable',
    takes: '[options]',
    about: 'say what the files use that a version of PostgreSQL, or a set of extensions, lacks',
    load: async () => (await import('./commands/portable.js')).definePortable,
  },
  {
    name: 'report',
    takes: '[options]',
    about: 'what is new against a commit, for a pull request: the schema, the locks, a diagram',
    load: async () => (await import('./commands/report.js')).defineReport,
  },
  {
    name: 'doctor',
    takes: '[options]',
    about:
      'look for what is wrong or soon will be: connection, rights, ledger, indexes, sequences, bloat; exit 1 from a warning on',
    load: async () => (await import('./commands/doctor.js')).defineDoctor,
  },
  {
    name: 'maintain',
    takes: '[options] [task]',
    about: 'vacuum, analyze, reindex, refresh, archive, delete by age, make and detach partitions',
    load: async () => (await import('./commands/maintain.js')).defineMaintain,
  },
  {
    name: 'fuzz',
    takes: '[options] [versions...]',
    about: 'run each pending migration over rows at the edges, and keep those on which it fails',
    load: async () => (await import('./commands/fuzz.js')).defineFuzz,
  },
  {
    name: 'backup',
    takes: '[options]',
    about: 'write a backup of each database, and beside it a manifest by which it can be proved',
    load: async () => (await import('./commands/backup.js')).defineBackup,
  },
  {
    name: 'restore',
    takes: '[options] <file>',
    about: 'restore a backup, and prove that what came out is what was backed up',
    load: async () => (await import('./commands/backup.js')).defineRestore,
  },
  {
    name: 'bench',
    takes: '[options]',
    about: 'measure the queries that have a target; exits 1 when one is missed',
    load: async () => (await import('./commands/bench.js')).defineBench,
  },
  {
    name: 'completion',
    takes: '[options] [shell]',
    about: 'print what makes a shell complete commands, flags and names of databases',
    load: async () => (await import('./commands/completion.js')).defineCompletion,
  },
]
