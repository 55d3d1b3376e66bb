import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { lint, type Report } from '../../index.js'
import { version, type GlobalOptions } from '../options.js'
import { printReport, runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly since?: string
  readonly base?: string
  readonly format?: 'human' | 'json' | 'sarif' | 'github'
  readonly stats?: string
  readonly shadowUrl?: string
}

/** `dbkit lint` */
export function defineLint(command: Command, context: VerbContext): void {
  command
    .argument('[versions...]', 'these migrations (default: what is pending)')
    .option('--since <version>', 'those that are newer', version)
    .option('--base <git ref>', 'those that are new, or another text, there')
    .addOption(
      new Option('--format <format>', 'how the findings are written (default: human)').choices([
        'human',
        'json',
        'sarif',
        'github',
      ]),
    )
    .option('--stats <url|file>', 'where the sizes of the tables come from: a server, or a JSON file')
    .option(
      '--shadow-url <url>',
      'a server to create the throw-away database on (default: the embedded engine)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit lint',
        'dbkit lint -d happyrobot 0007 0008',
        'dbkit lint --base origin/main --format github',
        'dbkit lint -d happyrobot --stats postgresql://reader@db.internal/freight',
        'dbkit lint --dir ./migrations --shadow-url postgresql://postgres@localhost/postgres',
      ),
    )
    .action((versions: readonly string[], _: unknown, command: Command) => {
      const given = command.optsWithGlobals<Options>()
      const options: Options = given.format === 'json' ? { ...given, json: true } : given
      return runVerb(
        context,
        options,
        async (config, run) => {
          const report = await lint(config, {
            ...run,
            ...(versions.length === 0 ? {} : { versions }),
            ...(options.since === undefined ? {} : { since: options.since }),
            ...(options.base === undefined ? {} : { base: options.base }),
            ...(options.stats === undefined ? {} : { stats: fromHere(options.stats, context) }),
            ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
          })
          await printFor(context, options, config.root, report)
          return report
        },
        { isTold: () => isForMachines(options) },
      )
    })
}

/** A file is named from where the command is given, wherever the configuration is. */
function fromHere(stats: string, { terminal }: VerbContext): string {
  return /^[a-z]+:\/\//i.test(stats) ? stats : resolve(terminal.cwd(), stats)
}

function isForMachines({ format, json }: Options): boolean {
  return json !== true && (format === 'sarif' || format === 'github')
}

/** For GitHub, on stdout; what failed, as everywhere, on stderr. */
async function printFor(
  { terminal }: VerbContext,
  options: Options,
  root: string,
  report: Report,
): Promise<void> {
  if (!isForMachines(options)) return
  const { renderGithub, renderSarif } = await import('../render-lint-formats.js')
  const { pathFromTop } = await import('../source-root.js')
  const pathOf = pathFromTop(root, terminal.cwd())
  const render = options.format === 'sarif' ? renderSarif : renderGithub
  terminal.stdout.write(render(report, pathOf))
  await printReport(terminal, { ...options, quiet: true }, report)
}
