import { InvalidArgumentError, type Command } from 'commander'
import { bench } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'
import { positive, rowCounts } from './seed.js'

interface Options extends GlobalOptions {
  readonly scale?: number
  readonly rows?: number | Readonly<Record<string, number>>
  readonly runs?: number
}

/** `dbkit bench` */
export function defineBench(command: Command, context: VerbContext): void {
  command
    .option(
      '--scale <factor>',
      'fill a database of its own with so many times the rows of the recipe, and drop it',
      positive('--scale'),
    )
    .option(
      '--rows <number>',
      'the same with rows of every table, or of some: loads=500000,calls=500000',
      rowCounts,
    )
    .option('--runs <number>', 'runs of each query (default: 100)', runs)
    .addHelpText(
      'after',
      examples(
        'dbkit bench -d happyrobot',
        'dbkit bench -d happyrobot --scale 100 --url postgresql://postgres@localhost/happyrobot',
        'dbkit bench --scale 1 --embedded --json',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        bench(config, {
          ...run,
          ...(options.scale === undefined ? {} : { scale: options.scale }),
          ...(options.rows === undefined ? {} : { rows: options.rows }),
          ...(options.runs === undefined ? {} : { runs: options.runs }),
        }),
      )
    })
}

function runs(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('Expected a whole number from 1.')
  return Number(value)
}
