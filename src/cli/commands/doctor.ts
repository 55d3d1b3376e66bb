import type { Command } from 'commander'
import { doctor } from '../../index.js'
import { wholeNumber, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from './migrate.js'

interface Options extends GlobalOptions {
  readonly poolSize?: number
  readonly instances?: number
}

/** `dbkit doctor` */
export function addDoctorCommand(program: Command, context: VerbContext): void {
  program
    .command('doctor')
    .description(
      'look for what is wrong or soon will be: connection, rights, ledger, indexes, sequences, bloat; exit 1 from a warning on',
    )
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
