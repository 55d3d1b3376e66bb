import { Argument, type Command } from 'commander'
import { maintain, MAINTAIN_TASKS, type MaintainTask } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly table?: readonly string[]
  readonly full?: boolean
  readonly dryRun?: boolean
}

/** `dbkit maintain` */
export function defineMaintain(command: Command, context: VerbContext): void {
  command
    .addArgument(
      new Argument('[task]', 'default: what the configuration declares, and is due').choices(MAINTAIN_TASKS),
    )
    .option('--table <name...>', 'only these tables or views (default: those of the configuration, or all)')
    .option('--full', 'with vacuum: write the tables anew, and lock each as long as that takes')
    .option('--dry-run', 'print the SQL and run none of it')
    .addHelpText(
      'after',
      examples(
        'dbkit maintain',
        'dbkit maintain archive -d happyrobot --dry-run',
        'dbkit maintain reindex -d smartscheduler --table assignments jobs',
        'dbkit maintain vacuum -d happyrobot --url postgresql://...',
      ),
    )
    .action((task: MaintainTask | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        maintain(config, {
          ...run,
          ...(task === undefined ? {} : { task }),
          ...(options.table === undefined ? {} : { tables: options.table }),
          full: options.full === true,
          dryRun: options.dryRun === true,
        }),
      )
    })
}
