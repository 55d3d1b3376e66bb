import { resolve } from 'node:path'
import type { Command } from 'commander'
import { fuzz } from '../../index.js'
import { version, wholeNumber, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly since?: string
  readonly base?: string
  readonly rows?: number
  readonly seed?: number
  readonly fixtures?: string
  readonly shadowUrl?: string
}

/** `dbkit fuzz` */
export function defineFuzz(command: Command, context: VerbContext): void {
  command
    .argument('[versions...]', 'these migrations (default: what is pending)')
    .option('--since <version>', 'those that are newer', version)
    .option('--base <git ref>', 'those that are new, or another text, there')
    .option('--rows <number>', 'rows at the edges, a table that is touched (default: 100)', wholeNumber)
    .option('--seed <number>', 'the same seed gives the same rows (default: 1)', wholeNumber)
    .option('--fixtures <folder>', 'where rows that break a migration are kept (default: fixtures/fuzz)')
    .option(
      '--shadow-url <url>',
      'a server to create the throw-away database on (default: one started for it, or the embedded engine)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit fuzz',
        'dbkit fuzz -d happyrobot 0007 --rows 500 --seed 7',
        'dbkit fuzz --base origin/main',
        'dbkit fuzz --dir ./migrations --shadow-url postgresql://postgres@localhost/postgres',
      ),
    )
    .action((versions: readonly string[], _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { since, base, rows, seed, fixtures, shadowUrl } = options
      return runVerb(context, options, (config, run) =>
        fuzz(config, {
          ...run,
          ...(versions.length === 0 ? {} : { versions }),
          ...(since === undefined ? {} : { since }),
          ...(base === undefined ? {} : { base }),
          ...(rows === undefined ? {} : { rows }),
          ...(seed === undefined ? {} : { seed }),
          ...(fixtures === undefined ? {} : { fixtures: resolve(context.terminal.cwd(), fixtures) }),
          ...(shadowUrl === undefined ? {} : { shadowUrl }),
        }),
      )
    })
}
