import { resolve } from 'node:path'
import type { Command } from 'commander'
import { verify } from '../../index.js'
import { version, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly since?: string
  readonly base?: string
  readonly shadowUrl?: string
  readonly fixtures?: string
}

/** `dbkit verify` */
export function defineVerify(command: Command, context: VerbContext): void {
  command
    .option('--since <version>', 'prove only what is newer; older migrations are only applied', version)
    .option(
      '--base <git ref>',
      'also apply what is new here after what is new there, and the other way round',
    )
    .option(
      '--shadow-url <url>',
      'a server to create the throw-away database on (default: one started for it, or the embedded engine)',
    )
    .option(
      '--fixtures <folder>',
      'where dbkit fuzz keeps rows that broke a migration (default: fixtures/fuzz)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit verify',
        'dbkit verify -d happyrobot --since 0007',
        'dbkit verify --base origin/main',
        'dbkit verify --dir ./migrations --shadow-url postgresql://postgres@localhost/postgres',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        verify(config, {
          ...run,
          ...(options.since === undefined ? {} : { since: options.since }),
          ...(options.base === undefined ? {} : { base: options.base }),
          ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
          ...(options.fixtures === undefined
            ? {}
            : { fixtures: resolve(context.terminal.cwd(), options.fixtures) }),
        }),
      )
    })
}
