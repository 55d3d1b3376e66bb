import { InvalidArgumentError, Option, type Command } from 'commander'
import { portable } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly target: number
  readonly extensions?: readonly string[]
  readonly from?: 'migrations' | 'schema'
  readonly shadowUrl?: string
}

/** `dbkit portable` */
export function definePortable(command: Command, context: VerbContext): void {
  command
    .requiredOption('--target <major>', 'the version that is to take them: 14 to 18', major)
    .option('--extensions <names>', 'the extensions that can be had there, separated by commas', names)
    .addOption(
      new Option('--from <what>', 'what is looked at (default: migrations)').choices([
        'migrations',
        'schema',
      ]),
    )
    .option(
      '--shadow-url <url>',
      'a server of that version to run them on (default: one of this machine or of npm)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit portable --target 14',
        'dbkit portable -d happyrobot --target 15 --extensions pg_trgm,pgcrypto',
        'dbkit portable --dir ./migrations --target 16 --shadow-url postgresql://postgres@localhost/postgres',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        portable(config, {
          ...run,
          target: options.target,
          ...(options.extensions === undefined ? {} : { extensions: options.extensions }),
          ...(options.from === undefined ? {} : { from: options.from }),
          ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
        }),
      )
    })
}

/** "15", and "15.4" for whoever looked at his server. */
function major(value: string): number {
  if (!/^\d+(?:\.\d+)?$/.test(value)) throw new InvalidArgumentError('Expected a major version, e.g. 15.')
  return Number.parseInt(value, 10)
}

function names(value: string): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
}
