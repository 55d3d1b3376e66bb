import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { importMigrations, importMongo, LEDGER_TOOLS, type LedgerTool } from '../../index.js'
import { duration, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly collection?: string
  readonly allowDangling?: boolean
  readonly skipBad?: boolean
  readonly dryRun?: boolean
  readonly from?: LedgerTool
  readonly out?: string
  readonly inPlace?: boolean
  readonly baseline?: boolean
  readonly ledgerTable?: string
  readonly force?: string
  readonly shadowUrl?: string
}

/** `dbkit import ...` */
export function defineImport(imports: Command, context: VerbContext): void {
  imports
    .command('mongo')
    .argument('<files...>', 'files of mongoexport or mongodump, or a folder of them')
    .description('import MongoDB documents; the same documents again change nothing')
    .option('--collection <name>', 'the collection of all the files (default: by the name of each file)')
    .option('--allow-dangling', 'set optional references that lead nowhere to NULL, and say so')
    .option('--skip-bad', 'leave bad documents out (default: one of them stops the import)')
    .option('--dry-run', 'do everything, say what it changed, and roll it back')
    .option(
      '--lock-timeout <time>',
      'how long a statement may wait for a lock before the import is given up (default: 5s)',
      duration,
    )
    .option('--lock-wait <time>', 'how long to wait for another runner (default: 10min)', duration)
    .addHelpText(
      'after',
      examples(
        'dbkit import mongo -d delauto dump/delauto',
        'dbkit import mongo -d delauto agents.json customers.json --dry-run',
        'dbkit import mongo -d delauto calls-2025.json --collection calllogs --allow-dangling',
      ),
    )
    .action((files: readonly string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        importMongo(config, {
          ...run,
          // What is typed counts from where it is typed, not from where the configuration is.
          paths: files.map((file) => resolve(context.terminal.cwd(), file)),
          ...(options.collection === undefined ? {} : { collection: options.collection }),
          allowDangling: options.allowDangling === true,
          skipBad: options.skipBad === true,
          dryRun: options.dryRun === true,
        }),
      )
    })

  imports
    .command('migrations')
    .description("copy another tool's migrations into dbkit's layout, and take over its ledger")
    .addOption(
      new Option('--from <tool>', 'whose migrations they are (default: what the folder shows)').choices(
        LEDGER_TOOLS,
      ),
    )
    .option('--out <folder>', 'where the copies go (default: sql/<database>/migrations)')
    .option('--in-place', 'leave the files where they are, and take over the ledger alone')
    .option('--baseline', 'write one migration of what is there, instead of those that are programs')
    .option('--ledger-table <schema.table>', 'where the tool keeps its ledger, if not at its usual place')
    .option(
      '--force <reason>',
      'take over although the database differs from the migrations or they were edited',
    )
    .option('--shadow-url <url>', 'a server to compare on (default: a local one, or the embedded engine)')
    .option('--dry-run', 'look at everything and compare, write nothing')
    .option('--lock-wait <time>', 'how long to wait for another runner (default: 10min)', duration)
    .addHelpText(
      'after',
      examples(
        'dbkit import migrations --from dbmate --dir db/migrations --url postgresql://localhost/shop --dry-run',
        'dbkit import migrations --dir db/migrations --url postgresql://localhost/shop --in-place',
        'dbkit import migrations --from knex --dir migrations --url postgresql://localhost/shop',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { from, out, ledgerTable, force, shadowUrl } = options
      return runVerb(context, options, (config, run) =>
        importMigrations(config, {
          ...run,
          ...(from === undefined ? {} : { from }),
          ...(out === undefined ? {} : { out: resolve(context.terminal.cwd(), out) }),
          ...(ledgerTable === undefined ? {} : { ledgerTable }),
          ...(force === undefined ? {} : { force }),
          ...(shadowUrl === undefined ? {} : { shadowUrl }),
          inPlace: options.inPlace === true,
          baseline: options.baseline === true,
          dryRun: options.dryRun === true,
        }),
      )
    })
}
