import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { schemaDiff, schemaDrift, schemaDump } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { changeChoices, changeOptions, type ChangeFlags } from '../change-options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly singleFile?: string | true
  readonly check?: boolean
  readonly shadowUrl?: string
  readonly from?: string
  readonly to?: string
  readonly down?: string
  readonly exitCode?: boolean
  readonly fix?: 'migrations' | 'database'
}

/** `dbkit schema ...` */
export function defineSchema(schema: Command, context: VerbContext): void {
  schema.addHelpText(
    'after',
    examples('dbkit schema dump', 'dbkit schema diff -d happyrobot', 'dbkit schema drift -d happyrobot'),
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
  changeOptions(
    schema
      .command('diff')
      .description('print the SQL from one database to another, run on a throw-away database before'),
  )
    .option(
      '--from <what>',
      'a URL, an .sql file, a folder of migrations or declared schema, a database, or "migrations", "schema", "database" of the selected one (default: migrations)',
    )
    .option('--to <what>', 'likewise (default: schema)')
    .option('--down <file>', 'write the way back to this file')
    .option('--exit-code', 'exit 1 when there is a difference')
    .addHelpText(
      'after',
      examples(
        'dbkit schema diff -d happyrobot',
        'dbkit schema diff -d happyrobot --from database --to migrations --exit-code',
        'dbkit schema diff -d happyrobot --from postgresql://... --to freight.sql --down back.sql',
        "dbkit schema diff -d happyrobot --rename 'column public.loads.weight = kilos'",
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options & ChangeFlags>()
      // Both sides named: then two files need no configuration.
      const here = options.from !== undefined && options.to !== undefined
      return runVerb(context, { ...options, here }, (config, run) =>
        schemaDiff(config, {
          ...run,
          ...changeChoices(options, context.terminal),
          ...(options.from === undefined ? {} : { from: options.from }),
          ...(options.to === undefined ? {} : { to: options.to }),
          ...(options.down === undefined ? {} : { downFile: resolve(context.terminal.cwd(), options.down) }),
          exitCode: options.exitCode === true,
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
    .addOption(
      new Option(
        '--fix <side>',
        'write what makes one side true: a migration that all databases get, or a script for this database',
      ).choices(['migrations', 'database']),
    )
    .option('--allow-data-loss', 'the fix may drop what holds rows or values')
    .addHelpText(
      'after',
      examples(
        'dbkit schema drift -d happyrobot --url postgresql://...',
        'dbkit schema drift -d happyrobot --url postgresql://... --fix migrations',
        'dbkit schema drift --json',
        'dbkit schema drift -d happyrobot --shadow-url postgresql://postgres@localhost/postgres',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options & ChangeFlags>()
      return runVerb(context, options, (config, run) =>
        schemaDrift(config, {
          ...run,
          ...(options.fix === undefined ? {} : { fix: options.fix }),
          allowDataLoss: options.allowDataLoss === true,
          ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
        }),
      )
    })
}
