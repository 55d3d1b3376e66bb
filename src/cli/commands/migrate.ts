import { Option, type Command } from 'commander'
import {
  migrateBaseline,
  migrateCreate,
  migrateDiff,
  migrateDown,
  migrateRedo,
  migrateRepair,
  migrateSquash,
  migrateStatus,
  migrateUp,
  problem,
  type DownGoal,
  type UpGoal,
} from '../../index.js'
import { changeChoices, changeOptions, type ChangeFlags } from '../change-options.js'
import { examples } from '../examples.js'
import { lockOptions, version, wholeNumber, type GlobalOptions } from '../options.js'
import { runVerb, type VerbContext } from '../run-verb.js'

interface Options extends GlobalOptions {
  readonly to?: string
  readonly step?: number
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly allowOutOfOrder?: boolean
  readonly singleTransaction?: boolean
  readonly fleet?: boolean
  readonly concurrency?: number
  readonly exitCode?: boolean
  readonly redact?: boolean
  readonly preflight?: boolean
  readonly timestamp?: boolean
  readonly kind?: 'sql' | 'ts' | 'js'
  readonly markApplied?: string
  readonly forget?: string
  readonly name?: string
  readonly remove?: boolean
  readonly shadowUrl?: string
}

/** `dbkit migrate ...` */
export function defineMigrate(migrate: Command, context: VerbContext): void {
  migrate.addHelpText(
    'after',
    examples(
      'dbkit migrate up',
      'dbkit migrate status',
      'dbkit migrate create add_carrier_rating -d happyrobot',
    ),
  )

  lockOptions(migrate.command('up').description('apply what is pending'))
    .option('--to <version>', 'stop after this version', version)
    .option('--step <n>', 'apply this many', wholeNumber)
    .option('--dry-run', 'print the SQL that would be run, write nothing')
    .option('--allow-out-of-order', 'also apply what is pending below the last applied version')
    .option('--single-transaction', 'one transaction for all instead of one for each')
    .option('--fleet', 'on every target of the configuration: canaries first, until one fails')
    .option('--concurrency <n>', 'how many targets of a fleet at a time (default: 8)', wholeNumber)
    .addHelpText(
      'after',
      examples(
        'dbkit migrate up',
        'dbkit migrate up -d happyrobot --to 3',
        'dbkit migrate up -d shop --fleet --concurrency 16',
        'dbkit migrate up --url postgresql://ci@db/freight -d happyrobot --wait',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        migrateUp(config, { ...run, ...choices(options), ...fleetOf(options), goal: upGoal(options) }),
      )
    })

  lockOptions(migrate.command('down').description('roll back the last applied migration'))
    .option('--to <version>', 'roll back everything above this version, which stays (0: everything)', version)
    .option('--step <n>', 'roll back this many', wholeNumber)
    .option('--all', 'roll back everything')
    .option('--dry-run', 'print the SQL that would be run, write nothing')
    .option('--single-transaction', 'one transaction for all instead of one for each')
    .addHelpText(
      'after',
      examples(
        'dbkit migrate down -d happyrobot',
        'dbkit migrate down -d happyrobot --to 3',
        'dbkit migrate down --all --yes',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        migrateDown(config, { ...run, ...choices(options), goal: downGoal(options) }),
      )
    })

  lockOptions(migrate.command('redo').description('roll back the last migration and apply it again'))
    .option('--step <n>', 'this many', wholeNumber)
    .option('--dry-run', 'print the SQL that would be run, write nothing')
    .addHelpText('after', examples('dbkit migrate redo -d happyrobot'))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        migrateRedo(config, { ...run, ...choices(options), count: options.step ?? 1 }),
      )
    })

  migrate
    .command('status')
    .description('show what is applied, pending, edited, missing or interrupted')
    .option('--exit-code', 'exit 1 when something is pending or wrong')
    .option('--fleet', 'which target of the configuration is at which version')
    .option('--concurrency <n>', 'how many targets of a fleet at a time (default: 8)', wholeNumber)
    .addHelpText('after', examples('dbkit migrate status', 'dbkit migrate status --exit-code --json'))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        migrateStatus(config, { ...run, ...fleetOf(options), strict: options.exitCode === true }),
      )
    })

  migrate
    .command('create <name>')
    .description('write an empty up and down with the next version')
    .option('--timestamp', 'version by the clock (UTC) instead of counting on')
    .addOption(
      new Option('--kind <kind>', 'what it is written in; code is given a Kysely (default: sql)').choices([
        'sql',
        'ts',
        'js',
      ]),
    )
    .addHelpText(
      'after',
      examples(
        'dbkit migrate create add_carrier_rating -d happyrobot',
        'dbkit migrate create backfill_ratings --kind ts -d happyrobot',
      ),
    )
    .action((name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config) =>
        migrateCreate(config, {
          name,
          ...(options.timestamp === undefined ? {} : { timestamp: options.timestamp }),
          ...(options.kind === undefined ? {} : { kind: options.kind }),
        }),
      )
    })

  changeOptions(
    migrate
      .command('diff <name>')
      .description('write the migration from the end of the migrations to the declared schema, up and down'),
  )
    .option('--timestamp', 'version by the clock (UTC) instead of counting on')
    .option('--dry-run', 'print the SQL, write nothing')
    .addHelpText(
      'after',
      examples(
        'dbkit migrate diff add_carrier_rating -d happyrobot',
        "dbkit migrate diff weigh_in_kilos -d happyrobot --rename 'column public.loads.weight = kilos'",
      ),
    )
    .action((name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options & ChangeFlags>()
      return runVerb(context, options, (config, run) =>
        migrateDiff(config, {
          ...run,
          ...changeChoices(options, context.terminal),
          name,
          dryRun: options.dryRun === true,
          ...(options.timestamp === undefined ? {} : { timestamp: options.timestamp }),
        }),
      )
    })

  migrate
    .command('baseline')
    .argument('<version>', 'the last version that the database has already', version)
    .description('record everything up to a version as applied, without running it')
    .option('--dry-run', 'say what would be recorded, write nothing')
    .addHelpText('after', examples('dbkit migrate baseline 4 -d happyrobot --url postgresql://...'))
    .action((upTo: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        migrateBaseline(config, { ...run, version: upTo, dryRun: options.dryRun === true }),
      )
    })

  migrate
    .command('repair')
    .description('accept edited files, or settle one version by hand; touches the ledger only')
    .option(
      '--mark-applied <version>',
      'an interrupted file was finished by hand, or a pending one was done by hand',
      version,
    )
    .option('--forget <version>', 'it was undone by hand, or its file is gone for good', version)
    .option('--dry-run', 'say what would be changed, write nothing')
    .addHelpText(
      'after',
      examples('dbkit migrate repair -d happyrobot', 'dbkit migrate repair -d happyrobot --mark-applied 7'),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { markApplied, forget } = options
      return runVerb(context, options, (config, run) =>
        migrateRepair(config, {
          ...run,
          ...choices(options),
          ...(markApplied === undefined ? {} : { markApplied }),
          ...(forget === undefined ? {} : { forget }),
        }),
      )
    })

  addSquashCommand(migrate, context)
}

function addSquashCommand(migrate: Command, context: VerbContext): void {
  migrate
    .command('squash')
    .description('replace the history up to a version by one migration, proved to leave the same')
    .requiredOption('--to <version>', 'the last version that goes into it', version)
    .option('--name <name>', 'of the new migration, after its version (default: squashed)')
    .option('--remove', 'delete the old files instead of moving them to squashed/ beside the migrations')
    .option('--dry-run', 'prove it and print the SQL, write nothing')
    .option(
      '--shadow-url <url>',
      'a server to prove it on, in a database of its own (default: the embedded engine)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit migrate squash -d happyrobot --to 5 --dry-run',
        'dbkit migrate squash -d happyrobot --to 0005 --name first_year',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        migrateSquash(config, {
          ...run,
          to: options.to ?? '',
          dryRun: options.dryRun === true,
          remove: options.remove === true,
          ...(options.name === undefined ? {} : { name: options.name }),
          ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
        }),
      )
    })
}

function choices(options: Options): {
  dryRun: boolean
  allowOutOfOrder: boolean
  singleTransaction: boolean
  redact: boolean
  preflight: boolean
  yes: boolean
} {
  return {
    dryRun: options.dryRun === true,
    allowOutOfOrder: options.allowOutOfOrder === true,
    singleTransaction: options.singleTransaction === true,
    redact: options.redact === true,
    preflight: options.preflight !== false,
    yes: options.yes === true,
  }
}

function fleetOf({ fleet, concurrency }: Options): {
  readonly fleet: boolean
  readonly concurrency?: number
} {
  return { fleet: fleet === true, ...(concurrency === undefined ? {} : { concurrency }) }
}

function upGoal({ to, step }: Options): UpGoal {
  if (to !== undefined && step !== undefined) throw conflicting('--to', '--step')
  if (to !== undefined) return { kind: 'to', version: to }
  return step === undefined ? { kind: 'latest' } : { kind: 'steps', count: step }
}

function downGoal({ to, step, all }: Options): DownGoal {
  if (to !== undefined && step !== undefined) throw conflicting('--to', '--step')
  if (all === true && (to !== undefined || step !== undefined))
    throw conflicting('--all', to === undefined ? '--step' : '--to')
  if (all === true) return { kind: 'all' }
  return to === undefined ? { kind: 'steps', count: step ?? 1 } : { kind: 'to', version: to }
}

function conflicting(...options: string[]): Error {
  return problem('request.conflicting-options', { options, why: 'each says on its own how far to go' })
}
