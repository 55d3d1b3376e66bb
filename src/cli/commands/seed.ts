import type { Command } from 'commander'
import { seed } from '../../index.js'
import { duration, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from './migrate.js'

interface Options extends GlobalOptions {
  readonly set?: readonly string[]
  readonly dryRun?: boolean
  readonly reset?: boolean
}

/** `dbkit seed` */
export function addSeedCommand(program: Command, context: VerbContext): void {
  program
    .command('seed')
    .description('load reference and sample rows; a second run changes nothing')
    .option(
      '--set <name>',
      'load this seed set (repeat it, or separate by commas; default: reference, then sample)',
      (value: string, before: readonly string[] | undefined) => [
        ...(before ?? []),
        ...value.split(',').filter((name) => name !== ''),
      ],
    )
    .option('--dry-run', 'say what would change in each table, write nothing')
    .option('--reset', 'empty the tables of the sets first')
    .option(
      '--lock-timeout <time>',
      'how long a statement may wait for a lock before the seeds are given up (default: 5s)',
      duration,
    )
    .option('--lock-wait <time>', 'how long to wait for another runner (default: 10min)', duration)
    .addHelpText(
      'after',
      examples(
        'dbkit seed',
        'dbkit seed -d happyrobot --set reference',
        'dbkit seed -d happyrobot --reset --yes',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        seed(config, {
          ...run,
          ...(options.set === undefined ? {} : { sets: options.set }),
          dryRun: options.dryRun === true,
          reset: options.reset === true,
          yes: options.yes === true,
        }),
      )
    })
}
