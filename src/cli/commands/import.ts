import { resolve } from 'node:path'
import type { Command } from 'commander'
import { importMongo } from '../../index.js'
import { duration, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from './migrate.js'

interface Options extends GlobalOptions {
  readonly collection?: string
  readonly allowDangling?: boolean
  readonly skipBad?: boolean
  readonly dryRun?: boolean
}

/** `dbkit import ...` */
export function addImportCommands(program: Command, context: VerbContext): void {
  const imports = program.command('import').description('bring in what other systems exported')

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
}
