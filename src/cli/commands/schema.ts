import { resolve } from 'node:path'
import type { Command } from 'commander'
import { schemaDrift, schemaDump } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from './migrate.js'

interface Options extends GlobalOptions {
  readonly singleFile?: string | true
  readonly check?: boolean
  readonly shadowUrl?: string
}

/** `dbkit schema ...` */
export function addSchemaCommands(program: Command, context: VerbContext): void {
  const schema = program
    .command('schema')
    .description('what is in a database, as files, and whether it is what its migrations make')
    .addHelpText(
      'after',
      examples('dbkit schema dump', 'dbkit schema dump --check', 'dbkit schema drift -d happyrobot'),
    )

  schema
    .command('dump')
    .description('write what the migrations make, or with --url what a database contains, an object a file')
    .option('--single-file [path]', 'one file that psql can run (default: schema.sql beside the migrations)')
    .option('--check', 'write nothing, and exit 1 when the files are not what would be written')
    .option(
      '--shadow-url <url>',
      'a server to run the migrations on, in a database of their own (default: the embedded engine)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit schema dump',
        'dbkit schema dump -d happyrobot --url postgresql://... --single-file freight.sql',
        'dbkit schema dump --check',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        schemaDump(config, {
          ...run,
          from: options.url === undefined && options.embedded !== true ? 'migrations' : 'database',
          check: options.check === true,
          ...(options.singleFile === undefined
            ? {}
            : {
                singleFile:
                  options.singleFile === true ? true : resolve(context.terminal.cwd(), options.singleFile),
              }),
          ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
        }),
      )
    })
  schema
    .command('drift')
    .description('compare a live database with its migrations, at the version its ledger says')
    .option(
      '--shadow-url <url>',
      'a server to run the migrations on again, in a database of their own (default: the embedded engine)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit schema drift -d happyrobot --url postgresql://...',
        'dbkit schema drift --json',
        'dbkit schema drift -d happyrobot --shadow-url postgresql://postgres@localhost/postgres',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        schemaDrift(config, {
          ...run,
          ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
        }),
      )
    })
}
