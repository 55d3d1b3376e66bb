import { Option, type Command } from 'commander'
import { init, exitCodeOf, type InitOptions } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { printReport, type VerbContext } from '../run-verb.js'
import type { Terminal } from '../terminal.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly urlEnv?: string
  readonly types?: string
  readonly ci?: 'github' | 'gitlab'
}

/** `dbkit init` */
export function defineInit(command: Command, context: VerbContext): void {
  command
    .option(
      '--url-env <variable>',
      "the environment variable of the server's URL (default: <NAME>_DATABASE_URL)",
    )
    .option('--types <file>', 'where the emitted types go (default: types/<database>.ts)')
    .addOption(
      new Option('--ci <where>', 'also a workflow that verifies and lints').choices(['github', 'gitlab']),
    )
    .addHelpText(
      'after',
      examples(
        'dbkit init',
        'dbkit init -d shop --ci github --yes',
        'dbkit init -d shop --dir db/migrations --url-env SHOP_URL --types src/db.ts --yes',
      ),
    )
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const given: InitOptions = {
        ...(options.database?.[0] === undefined ? {} : { database: options.database[0] }),
        ...(options.dir === undefined ? {} : { migrations: options.dir }),
        ...(options.urlEnv === undefined ? {} : { urlVariable: options.urlEnv }),
        ...(options.types === undefined ? {} : { types: options.types }),
        ...(options.ci === undefined ? {} : { ci: options.ci }),
      }
      const { terminal } = context
      const settled = isAsked(options, terminal)
        ? await (await import('../ask-init.js')).askInit(given, terminal)
        : given
      const report = await init(settled, { cwd: terminal.cwd() })
      await printReport(terminal, options, report)
      context.exitCode = exitCodeOf(report)
    })
}

function isAsked(options: Options, { env, stdin, stderr }: Terminal): boolean {
  if (options.json === true || options.yes === true || (env['CI'] ?? '') !== '') return false
  return 'isTTY' in stdin && stdin.isTTY === true && stderr.isTTY === true
}
