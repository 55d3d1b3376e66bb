import type { Command } from 'commander'
import { switchToFiles } from '../../index.js'
import { lockOptions, templatesOption, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly dryRun?: boolean
  readonly reset?: boolean
  readonly seed?: boolean
  readonly force?: boolean
  readonly redact?: boolean
  readonly preflight?: boolean
}

/** `dbkit switch` */
export function defineSwitch(command: Command, context: VerbContext): void {
  lockOptions(command)
    .option('--dry-run', 'print the SQL that would be run, write nothing')
    .option('--reset', 'where something has no way back, make the database anew, without its rows')
    .option('--seed', 'with --reset: load the seeds into a database that was made anew')
    .option('--force', "with --reset, on a server: end other people's sessions in it")
    .addOption(templatesOption())
    .addHelpText(
      'after',
      examples(
        'git checkout feature && dbkit switch',
        'dbkit switch --dry-run',
        'dbkit switch -d happyrobot --reset --seed',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        switchToFiles(config, {
          ...run,
          dryRun: options.dryRun === true,
          reset: options.reset === true,
          seed: options.seed === true,
          force: options.force === true,
          redact: options.redact === true,
          preflight: options.preflight !== false,
          yes: options.yes === true,
        }),
      )
    })
}
