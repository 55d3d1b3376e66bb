import { InvalidArgumentError, type Command } from 'commander'
import { seed, seedGenerate } from '../../index.js'
import { duration, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly set?: readonly string[]
  readonly dryRun?: boolean
  readonly reset?: boolean
}

/** `dbkit seed` */
export function defineSeed(command: Command, context: VerbContext): void {
  command
    .option(
      '--set <name>',
      'load this seed set (repeat it, or separate by commas; default: reference, then sample)',
      (value: string, before: readonly string[] | undefined) => [
        ...(before ?? []),
        ...value.split(',').filter((name) => name !== ''),
      ],
    )
    .option('--dry-run', 'say what would change in each table, write nothing')
    .option('--reset', 'empty the tables of the sets first')
    .option(
      '--lock-timeout <time>',
      'how long a statement may wait for a lock before the seeds are given up (default: 5s)',
      duration,
    )
    .option('--lock-wait <time>', 'how long to wait for another runner (default: 10min)', duration)
    .addHelpText(
      'after',
      examples(
        'dbkit seed',
        'dbkit seed -d happyrobot --set reference',
        'dbkit seed -d happyrobot --reset --yes',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        seed(config, {
          ...run,
          ...(options.set === undefined ? {} : { sets: options.set }),
          dryRun: options.dryRun === true,
          reset: options.reset === true,
          yes: options.yes === true,
        }),
      )
    })
  addGenerateCommand(command, context)
}

interface GenerateOptions extends GlobalOptions {
  readonly rows?: number | Readonly<Record<string, number>>
  readonly scale?: number
  readonly seed?: number
  readonly today?: string
}

/** `dbkit seed generate` */
function addGenerateCommand(parent: Command, context: VerbContext): void {
  parent
    .command('generate')
    .description('fill tables with plausible rows that satisfy their constraints, any number of them')
    .option(
      '--rows <number>',
      'rows of every table, or of some: calls=100000,loads=5000 (repeat it, or separate by commas)',
      rowCounts,
    )
    .option(
      '--scale <factor>',
      'times the rows that the recipe of the database names (default: 1)',
      positive('--scale'),
    )
    .option('--seed <number>', 'another number gives other rows (default: 1)', whole)
    .option('--today <day>', 'the day that dates are counted from, YYYY-MM-DD (default: today, in UTC)')
    .addHelpText(
      'after',
      examples(
        'dbkit seed generate -d happyrobot --scale 10',
        'dbkit seed generate -d happyrobot --rows carriers=500,loads=20000,calls=100000 --seed 7',
        'dbkit seed generate --dir ./migrations --url postgresql://... --rows 1000',
      ),
    )
    .action((_: unknown, command: Command) => {
      refuseOptionsOf(parent, command)
      const options = command.optsWithGlobals<GenerateOptions>()
      return runVerb(context, options, (config, run) =>
        seedGenerate(config, {
          ...run,
          ...(options.rows === undefined ? {} : { rows: options.rows }),
          ...(options.scale === undefined ? {} : { scale: options.scale }),
          ...(options.seed === undefined ? {} : { seed: options.seed }),
          ...(options.today === undefined ? {} : { today: options.today }),
        }),
      )
    })
}

/** commander takes those of `seed` for itself wherever they stand, and `--dry-run` would not hold `seed generate` back from writing. */
function refuseOptionsOf(parent: Command, command: Command): void {
  for (const option of parent.options)
    if (parent.getOptionValueSource(option.attributeName()) === 'cli')
      command.error(`error: unknown option '${String(option.long)}'`, { code: 'commander.unknownOption' })
}

export function rowCounts(
  value: string,
  before: number | Readonly<Record<string, number>> | undefined,
): number | Readonly<Record<string, number>> {
  if (/^\d+$/.test(value) && before === undefined) return Number(value)
  const named = typeof before === 'object' ? { ...before } : {}
  for (const part of value.split(',')) {
    const [, table, rows] = /^(.+)=(\d+)$/.exec(part.trim()) ?? []
    if (table === undefined || rows === undefined || typeof before === 'number')
      throw new InvalidArgumentError('Expected one number, or table=number, e.g. calls=100000,loads=5000.')
    named[table] = Number(rows)
  }
  return named
}

export const positive =
  (option: string) =>
  (value: string): number => {
    if (!/^\d*\.?\d+$/.test(value) || Number(value) <= 0)
      throw new InvalidArgumentError(`Expected a number above 0 behind ${option}.`)
    return Number(value)
  }

function whole(value: string): number {
  if (!/^\d{1,9}$/.test(value))
    throw new InvalidArgumentError('Expected a whole number of at most nine digits.')
  return Number(value)
}
