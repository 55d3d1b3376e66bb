// Who may import whom. Data travels from flags to a report (see CONTRIBUTING.md); imports only ever point down that
// road, and each package comes in through one door. `npm run lint` checks it.

/** Values only: a type costs nothing at run time and ties nobody to an engine. */
const valuesOnly = { dependencyTypesNot: ['type-only'] }

const packages = (...names) => `(^|node_modules/)(@types/)?(${names.join('|')})(/|$)`

/** A rule that lets `names` in through `door` only. */
const oneDoor = (name, names, door, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: '^(src|bin)/', pathNot: door },
  to: { path: packages(...names) },
})

/** What decides: text and values in, values out. */
const pure = [
  '^src/plan/',
  '^src/(report|errors|duration)\\.ts$',
  '^src/workspace/(migration-file|statements|version)\\.ts$',
  '^src/workspace/layouts/',
  '^src/database/(copy-text|quote)\\.ts$',
  '^src/codegen/(?!read-shape|emit-kysely-codegen)',
  '^src/seed/(csv|json-text|load-sql|map-columns|order-tables|relative-date|seed-tables)\\.ts$',
  '^src/portable/',
  '^src/lint/hazards/',
  '^src/lint/(find-hazards|hazards|lock-modes|safe-rewrites|snapshot)\\.ts$',
]

module.exports = {
  forbidden: [
    {
      name: 'cli-enters-by-the-front-door',
      severity: 'error',
      comment:
        'The command line is the first user of the library: what it needs, others need, so it has to be exported.',
      from: { path: '^src/cli/' },
      to: { path: '^src/', pathNot: ['^src/cli/', '^src/index\\.ts$'] },
    },
    {
      name: 'library-does-not-know-the-cli',
      severity: 'error',
      comment: 'Whoever imports dbkit from a test or a server must not load a parser of flags or colours.',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'front-door-opens-inwards',
      severity: 'error',
      comment: 'index.ts re-exports everything: a module of the library that imports it closes a ring.',
      from: { path: '^src/', pathNot: '^src/(cli/|index\\.ts$)' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'deciding-is-pure',
      severity: 'error',
      comment:
        'A plan is made from values, without disk, database or clock: that is why --dry-run shows exactly what would be done, and why its tests take no time.',
      from: { path: pure },
      to: { pathNot: [...pure, '^(node:)?(crypto|path|util)$'], ...valuesOnly },
    },
    {
      name: 'only-verbs-compose',
      severity: 'error',
      comment:
        'What says (files, database, config) and what decides does not know what is done with it; verbs put the parts together.',
      from: { path: '^src/(config|workspace|database|plan)/|^src/report\\.ts$' },
      to: { path: '^src/(verbs|apply|seed)/' },
    },
    {
      name: 'types-come-from-one-read',
      severity: 'error',
      comment:
        'Types are emitted from a value that can be kept and compared; only the verb knows whether it came from a shadow or a server.',
      from: { path: '^src/(config|workspace|database|plan|apply|seed|catalog)/|^src/report\\.ts$' },
      to: { path: '^src/codegen/', ...valuesOnly },
    },
    {
      name: 'generated-types-load-nothing',
      severity: 'error',
      comment:
        'Whoever imports a type of a row, or the name of a code, must not load a database driver for it.',
      from: { path: '^src/generated/' },
      to: { path: '.', ...valuesOnly },
    },
    {
      name: 'client-is-for-applications',
      severity: 'error',
      comment:
        'What applications load at run time stays small: the client knows Kysely and generated types, and asks a verb, when it is called, for anything else.',
      from: { path: '^src/', pathNot: '^src/client/' },
      to: { path: '^src/client/' },
    },
    {
      name: 'apply-does-not-know-verbs',
      severity: 'error',
      comment: 'Applying a plan is a step of several verbs; it cannot be a step of itself.',
      from: { path: '^src/apply/' },
      to: { path: '^src/verbs/' },
    },
    {
      name: 'seeds-are-a-step-of-verbs',
      severity: 'error',
      comment:
        'Loading seeds brings files and a database together, as apply/ does for migrations: verbs decide when, and neither knows the other.',
      from: { path: '^src/seed/' },
      to: { path: '^src/', pathNot: '^src/(seed|workspace|database|config)/|^src/(errors|report)\\.ts$' },
    },
    {
      name: 'only-verbs-load-seeds',
      severity: 'error',
      comment:
        'Whoever else wants rows asks the verb, which takes the lock and refuses what must not be seeded.',
      from: { path: '^src/', pathNot: '^src/(seed|verbs)/' },
      to: { path: '^src/seed/' },
    },
    {
      name: 'files-and-databases-are-strangers',
      severity: 'error',
      comment:
        'What the files say must be readable without an engine, and what a database says without the files: the plan brings them together.',
      from: { path: '^src/workspace/' },
      to: { path: '^src/database/', pathNot: '^src/database/(copy-text|quote)\\.ts$', ...valuesOnly },
    },
    {
      name: 'catalog-reads-through-the-port',
      severity: 'error',
      comment:
        'What a database contains is read the same way on every engine; it knows no files, no ledger rows and no engine.',
      from: { path: '^src/catalog/' },
      to: {
        path: '^src/',
        pathNot: ['^src/catalog/', '^src/database/(copy-text|quote)\\.ts$', '^src/errors\\.ts$'],
        ...valuesOnly,
      },
    },
    {
      name: 'catalog-is-for-who-asks',
      severity: 'error',
      comment:
        'Migrations are applied and seeds are loaded without knowing what else there is: reading it all costs each such run a third of a second.',
      from: { path: '^src/(cli|config|workspace|database|apply|seed)/|^src/(report|errors)\\.ts$' },
      to: { path: '^src/catalog/' },
    },
    {
      name: 'differ-knows-catalogs-only',
      severity: 'error',
      comment:
        'From two catalogs to the statements between them, without any database: a plan can be made again at any time, and whoever runs it proves it.',
      from: { path: '^src/diff/' },
      to: {
        path: '.',
        pathNot: [
          '^src/diff/',
          '^src/catalog/(catalog|compare|hash|ddl[a-z-]*)\\.ts$',
          '^src/database/quote\\.ts$',
        ],
      },
    },
    {
      name: 'differ-is-for-proofs',
      severity: 'error',
      comment:
        'A plan that nobody has run is a guess: it is made where it is run on a shadow, and handed on with what was seen.',
      from: { path: '^src/', pathNot: '^src/(diff|prove)/' },
      to: { path: '^src/diff/', ...valuesOnly },
    },
    {
      name: 'proving-is-a-step-of-verbs',
      severity: 'error',
      comment:
        'A proof runs migrations on a shadow as they are run for real, and is handed whatever else it needs: it knows neither who asks nor how seeds are found.',
      from: { path: '^src/prove/' },
      to: { path: '^src/(verbs|seed|mongo|codegen)/' },
    },
    {
      name: 'only-verbs-prove',
      severity: 'error',
      comment:
        'A proof opens engines and takes seconds: nobody should do so without having been asked to. The linter and the fuzzer borrow its rows.',
      from: { path: '^src/', pathNot: '^src/(prove|lint|fuzz|verbs)/' },
      // What a constraint lets through, and when two texts mean the same, is read in one place.
      to: { path: '^src/prove/', pathNot: '^src/prove/(column-values|sample-pattern|plain-text)\\.ts$' },
    },
    {
      name: 'measuring-knows-its-session',
      severity: 'error',
      comment:
        'What is measured is told by a file, where by a session: on which database, and with which rows, is for verbs to say.',
      from: { path: '^src/bench/' },
      to: {
        path: '^src/',
        pathNot: ['^src/bench/', '^src/database/(quote|sql-error)\\.ts$', '^src/errors\\.ts$'],
        ...valuesOnly,
      },
    },
    {
      name: 'only-verbs-generate',
      severity: 'error',
      comment: 'Rows that nobody asked for are found out when they are in the way.',
      from: { path: '^src/', pathNot: '^src/(generate|verbs)/' },
      to: { path: '^src/generate/' },
    },
    {
      name: 'generating-knows-catalog-and-session',
      severity: 'error',
      comment:
        'What is made follows from a catalog, a recipe and a number; it is handed the session it goes into.',
      from: { path: '^src/generate/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/(generate|catalog)/',
          '^src/database/(copy-text|quote|sql-error)\\.ts$',
          '^src/prove/(column-values|sample-pattern)\\.ts$',
          '^src/codegen/json-types\\.ts$',
          '^src/errors\\.ts$',
        ],
        ...valuesOnly,
      },
    },
    {
      name: 'linting-is-a-step-of-verbs',
      severity: 'error',
      comment:
        'What a statement does is measured on a shadow that is handed over: the linter knows neither who asks, nor which files are pending, nor how a finding is shown.',
      from: { path: '^src/lint/' },
      to: { path: '^src/(verbs|seed|mongo|codegen|config)/', ...valuesOnly },
    },
    {
      name: 'only-verbs-lint',
      severity: 'error',
      comment:
        'Whoever applies or proves a migration does what the user has asked for; judging it is a question of its own. The list of hazards is public.',
      from: { path: '^src/', pathNot: '^src/(lint|verbs)/' },
      to: { path: '^src/lint/', pathNot: '^src/lint/hazards\\.ts$' },
    },
    {
      name: 'examining-is-a-step-of-verbs',
      severity: 'error',
      comment:
        'The doctor reads a session that is handed over and judges what it saw: it knows neither who asks, nor how a server is reached, nor how a finding is shown.',
      from: { path: '^src/doctor/' },
      to: {
        path: '^src/',
        pathNot: ['^src/doctor/', '^src/catalog/read/query\\.ts$', '^src/database/quote\\.ts$'],
        ...valuesOnly,
      },
    },
    {
      name: 'docs-are-made-of-values',
      severity: 'error',
      comment:
        'A page is made from the catalog and the text of the migrations, so that the same schema always gives the same page; only what reads lineage and sizes asks a session.',
      from: { path: '^src/docs/' },
      to: {
        path: '^src/',
        pathNot: ['^src/(docs|catalog|codegen)/', '^src/database/quote\\.ts$'],
        ...valuesOnly,
      },
    },
    {
      name: 'only-verbs-examine',
      severity: 'error',
      comment:
        'Looking at everything costs a busy server something: nobody should do so without having been asked to.',
      from: { path: '^src/', pathNot: '^src/(doctor|verbs)/' },
      to: { path: '^src/doctor/', ...valuesOnly },
    },
    {
      name: 'only-verbs-document',
      severity: 'error',
      comment: 'Documentation is the last thing that is made of a database: nothing is decided by it.',
      from: { path: '^src/', pathNot: '^src/(docs|verbs)/' },
      to: { path: '^src/docs/', ...valuesOnly },
    },
    {
      name: 'maintaining-is-a-step-of-verbs',
      severity: 'error',
      comment:
        'Maintenance is done on a session that is handed over, by policies that are handed over: it knows no files, no ledger rows and no other step.',
      from: { path: '^src/maintain/' },
      to: {
        path: '^src/(verbs|workspace|plan|prove|seed|mongo|codegen|lint|doctor|catalog|config)/',
        ...valuesOnly,
      },
    },
    {
      name: 'only-verbs-maintain',
      severity: 'error',
      comment:
        'It moves and deletes rows, and rebuilds what is in use: nobody should do so without having been asked to. The names of its tasks are public.',
      from: { path: '^src/', pathNot: '^src/(maintain|verbs)/' },
      to: { path: '^src/maintain/', pathNot: '^src/maintain/maintain-report\\.ts$', ...valuesOnly },
    },
    {
      name: 'fuzzing-is-a-step-of-verbs',
      severity: 'error',
      comment:
        'Rows are tried on a shadow that is handed over: the fuzzer knows neither who asks, nor which files are pending.',
      from: { path: '^src/fuzz/' },
      to: { path: '^src/(verbs|lint|seed|mongo|codegen|config)/', ...valuesOnly },
    },
    {
      name: 'only-verbs-fuzz',
      severity: 'error',
      comment: 'Running a migration hundreds of times is asked for by name, and done for nobody else.',
      from: { path: '^src/', pathNot: '^src/(fuzz|verbs)/' },
      to: { path: '^src/fuzz/' },
    },
    {
      name: 'backing-up-is-a-step-of-verbs',
      severity: 'error',
      comment:
        'What a backup holds and how it is proved is told from a session and a file that are handed over: it knows no configuration and no other step.',
      from: { path: '^src/backup/' },
      to: {
        path: '^src/(verbs|workspace|plan|apply|seed|mongo|codegen|lint|doctor|maintain|config)/',
        ...valuesOnly,
      },
    },
    {
      name: 'only-verbs-back-up',
      severity: 'error',
      comment:
        'It reads every row there is, and starts programs: nobody should do so without having been asked to.',
      from: { path: '^src/', pathNot: '^src/(backup|verbs)/' },
      to: { path: '^src/backup/', ...valuesOnly },
    },
    {
      name: 'errors-stand-alone',
      severity: 'error',
      comment: 'Everybody imports the catalogue of errors; if it imported anybody, there would be a ring.',
      from: { path: '^src/errors\\.ts$' },
      to: { path: '.' },
    },

    oneDoor(
      'one-door-for-the-terminal',
      ['commander', 'chalk'],
      '^src/cli/',
      'Flags and colours belong to the command line; reports carry neither.',
    ),
    oneDoor(
      'one-door-for-umzug',
      ['umzug'],
      '^src/apply/',
      'umzug runs steps and nothing more: ledger, lock and transactions are ours, and it stays replaceable.',
    ),
    oneDoor(
      'one-door-for-engines',
      ['pg', 'pg-.*', 'pgpass', '@electric-sql', 'pg-mem'],
      '^src/database/',
      'Engines differ in values, errors and limits; the adapters level that once, behind one port.',
    ),
    oneDoor(
      'one-door-for-kysely',
      ['kysely'],
      '^src/(client|generated|apply/module)/',
      'Kysely is what applications query with, and migrations as code, which bring their own; dbkit itself sends SQL, and must run where it is not installed.',
    ),
    oneDoor(
      'one-door-for-esbuild',
      ['esbuild'],
      '^src/config/',
      'At run time esbuild only turns a TypeScript config into JavaScript; 10 MB of binary for anything else needs a reason.',
    ),

    oneDoor(
      'one-door-for-kysely-codegen',
      ['kysely-codegen'],
      '^src/codegen/emit-kysely-codegen\\.ts$',
      'It is loaded when it is asked for, and only its serializer: the rest of that package needs TypeScript and four other databases.',
    ),
    oneDoor(
      'one-door-for-elkjs',
      ['elkjs'],
      '^src/docs/layout\\.ts$',
      'Finding places for boxes and lines is 1.6 MB of code: it is loaded when a diagram is drawn, and stays replaceable.',
    ),
    oneDoor(
      'one-door-for-minisearch',
      ['minisearch'],
      '^src/docs-site/search\\.ts$',
      'Only a browser searches the pages: the build puts it into their script.',
    ),
    oneDoor(
      'one-door-for-age',
      ['age-encryption'],
      '^src/backup/age\\.ts$',
      'What is encrypted, and how a wrong key is told from a broken file, is settled once; it is loaded when it is asked for.',
    ),
    oneDoor(
      'one-door-for-bson',
      ['bson'],
      '^src/mongo/',
      'What Extended JSON and BSON mean is settled once, where documents are read; nothing else knows MongoDB.',
    ),
    {
      name: 'mongo-is-told-what-to-do',
      severity: 'error',
      comment:
        'Reading, checking and merging documents is a step of a verb: it knows neither the verbs nor how plans are applied.',
      from: { path: '^src/mongo/' },
      to: { path: '^src/(verbs|apply)/' },
    },

    {
      name: 'no-circular',
      severity: 'error',
      comment:
        'In a ring of values somebody meets a module that is not evaluated yet. Types may point both ways.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'not-to-dev-dep',
      severity: 'error',
      comment: 'Development dependencies are not installed with the package: this would fail for every user.',
      from: { path: '^(src|bin)/' },
      // A peer stands among the development dependencies as well, for this checkout.
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: [...valuesOnly.dependencyTypesNot, 'npm-peer'],
        // The build puts what is called of kysely-codegen into the bundle.
        pathNot: 'node_modules/(@types|kysely-codegen)/',
      },
    },
    {
      name: 'not-to-unlisted',
      severity: 'error',
      comment:
        'A package that is only there because another one brought it may be gone with the next update.',
      from: { path: '^(src|bin)/' },
      // An optional peer is listed, though not where this is looked up.
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: [...valuesOnly.dependencyTypesNot, 'npm-peer'],
      },
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      comment: 'A name that leads nowhere is a mistake. (dist/ is written by the build, after this check.)',
      from: {},
      to: { couldNotResolve: true, pathNot: '(^|/)dist/' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nobody imports this module and it imports nobody: use it or remove it.',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: ['\\.d\\.ts$', '^src/database/embedded-worker\\.ts$', '^src/generated/'],
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    // Types are seen and told apart from values; without it they are gone before the rules look.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
}
