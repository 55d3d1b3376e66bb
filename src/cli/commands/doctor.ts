import type { Command } from 'commander'
import { doctor } from '../../index.js'
import { wholeNumber, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly poolSize?: number
  readonly instances?: number
}

/** `dbkit doctor` */
export function defineDoctor(command: Command, context: VerbContext): void {
  command
    .option('--pool-size <n>', 'connections that one instance of the application may open', wholeNumber)
    .option('--instances <n>', 'instances of the application (default: 1)', wholeNumber)
    .addHelpText(
      'after',
      examples(
        'dbkit doctor',
        'dbkit doctor -d happyrobot --url postgresql://... --pool-size 30 --instances 4',
        'dbkit doctor --json',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        doctor(config, {
          ...run,
          ...(options.poolSize === undefined ? {} : { poolSize: options.poolSize }),
          ...(options.instances === undefined ? {} : { instances: options.instances }),
        }),
      )
    })
}
