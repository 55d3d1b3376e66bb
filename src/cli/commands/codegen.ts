import type { Command } from 'commander'
import { codegen } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from './migrate.js'

interface Options extends GlobalOptions {
  readonly check?: boolean
}

/** `dbkit codegen` */
export function addCodegenCommand(program: Command, context: VerbContext): void {
  program
    .command('codegen')
    .description('emit TypeScript types from the migrations, or with --url from a live database')
    .option('--check', 'write nothing, and exit 1 with the difference when a file is out of date')
    .addHelpText(
      'after',
      examples(
        'dbkit codegen',
        'dbkit codegen --check',
        'dbkit codegen -d happyrobot --url postgresql://...',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        codegen(config, { ...run, check: options.check === true }),
      )
    })
}
