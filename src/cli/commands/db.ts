import { InvalidArgumentError, Option, type Command } from 'commander'
import {
  dbCreate,
  dbDrop,
  dbReset,
  dbServe,
  dbShell,
  problem,
  settleConfig,
  type Report,
} from '../../index.js'
import { flagsOf, templatesOption, type GlobalOptions } from '../options.js'
import { redact } from '../redact.js'
import { printReport, runVerb, wantsColor, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly force?: boolean
  readonly seed?: boolean
  readonly host?: string
  readonly port?: readonly number[]
}

/** `dbkit db ...` */
export function defineDb(db: Command, context: VerbContext): void {
  db.command('create')
    .description('create the databases, empty, where they are missing')
    .addHelpText('after', examples('dbkit db create', 'dbkit db create -d happyrobot --url postgresql://...'))
    .action((_: unknown, command: Command) =>
      runVerb(context, command.optsWithGlobals<Options>(), (config, run) => dbCreate(config, run)),
    )

  db.command('drop')
    .description('drop the databases with all that is in them')
    .option('--force', "on a server, end other people's sessions in them")
    .addHelpText('after', examples('dbkit db drop -d happyrobot', 'dbkit db drop --yes'))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) => dbDrop(config, { ...run, ...consent(options) }))
    })

  db.command('reset')
    .description('drop the databases, create them again and apply all migrations')
    .option('--seed', 'load the seeds as well')
    .option('--force', "on a server, end other people's sessions in them")
    .addOption(templatesOption())
    .addHelpText('after', examples('dbkit db reset -d happyrobot --seed', 'dbkit db reset --yes'))
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      return runVerb(context, options, (config, run) =>
        dbReset(config, { ...run, ...consent(options), seed: options.seed === true }),
      )
    })

  db.command('serve')
    .description('open the embedded databases on a port each, for psql and any other client')
    .option('--host <address>', 'listen on this address, for other machines too (default: 127.0.0.1)')
    .addOption(
      new Option(
        '--port <port>',
        'listen here (repeat it, or separate by commas, for several databases; default: the next free one from 5433)',
      ).argParser((value: string, before: readonly number[] | undefined) => [
        ...(before ?? []),
        ...value.split(',').map(portNumber),
      ]),
    )
    .addHelpText('after', examples('dbkit db serve', 'dbkit db serve -d happyrobot --port 6000'))
    .action((_: unknown, command: Command) => serve(context, command.optsWithGlobals<Options>()))

  db.command('shell')
    .description('open psql on a database (or a small shell of its own, if psql is not installed)')
    .addHelpText(
      'after',
      examples('dbkit db shell -d happyrobot', "echo 'select 1;' | dbkit db shell -d happyrobot"),
    )
    .action((_: unknown, command: Command) => shell(context, command.optsWithGlobals<Options>()))
}

/** Prints when the databases answer, not when the command ends; with --json, the report on a line of its own. */
async function serve(context: VerbContext, options: Options): Promise<void> {
  const { terminal } = context
  let printed: Promise<void> | undefined
  const onReady = (report: Report): void => {
    if (options.json === true) terminal.stdout.write(redact(JSON.stringify(report)) + '\n')
    printed = options.json === true ? Promise.resolve() : printReport(terminal, options, report)
  }
  await runVerb(
    context,
    options,
    async (config, run) => {
      const report = await dbServe(config, {
        ...run,
        ...(options.host === undefined ? {} : { host: options.host }),
        ...(options.port === undefined ? {} : { ports: options.port }),
        onReady,
      })
      await printed
      return report
    },
    { isTold: (report) => printed !== undefined && report.ok },
  )
}

async function shell(context: VerbContext, options: Options): Promise<void> {
  const { terminal, signal } = context
  if (options.json === true)
    throw problem('request.conflicting-options', {
      options: ['db shell', '--json'],
      why: 'a shell prints what is typed into it',
    })
  const config = await settleConfig(flagsOf(options), { cwd: terminal.cwd(), environment: terminal.env })
  const color = wantsColor(terminal, options, terminal.stderr)
  context.exitCode = await dbShell(config, {
    signal,
    observer(event) {
      if (event.kind === 'notice') terminal.stderr.write(`notice ${redact(event.message)}\n`)
    },
    async runProgram(program) {
      const { runProgram } = await import('../shell/run-program.js')
      return runProgram(context, program)
    },
    async converse(talk) {
      const { converse } = await import('../shell/converse.js')
      return converse(terminal, talk, { color, signal })
    },
  })
}

function consent(options: Options): { yes: boolean; force: boolean } {
  return { yes: options.yes === true, force: options.force === true }
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('Expected a port number from 1, or 0 for any free one.')
  return port
}
