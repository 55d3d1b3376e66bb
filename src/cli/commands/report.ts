import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { report } from '../../index.js'
import type { GlobalOptions } from '../options.js'
import { printReport, runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly base: string
  readonly format?: 'markdown' | 'json'
  readonly shadowUrl?: string
  readonly stats?: string
}

/** `dbkit report` */
export function defineReport(command: Command, context: VerbContext): void {
  command
    .requiredOption('--base <git ref>', 'the branch, tag or commit to compare with')
    .addOption(
      new Option('--format <format>', 'how it is written (default: markdown)').choices(['markdown', 'json']),
    )
    .option('--stats <url|file>', 'where the sizes of the tables come from: a server, or a JSON file')
    .option(
      '--shadow-url <url>',
      'a server to create the throw-away databases on (default: the embedded engine)',
    )
    .addHelpText(
      'after',
      examples(
        'dbkit report --base origin/main',
        'dbkit report --base origin/main >> "$GITHUB_STEP_SUMMARY"',
        'dbkit report --base origin/main -d happyrobot --json',
      ),
    )
    .action((_: unknown, command: Command) => {
      const given = command.optsWithGlobals<Options>()
      const options: Options = given.format === 'json' ? { ...given, json: true } : given
      const { base, shadowUrl, stats } = options
      const { terminal } = context
      return runVerb(
        context,
        options,
        async (config, run) => {
          const made = await report(config, {
            ...run,
            base,
            ...(shadowUrl === undefined ? {} : { shadowUrl }),
            ...(stats === undefined
              ? {}
              : { stats: /^[a-z]+:\/\//i.test(stats) ? stats : resolve(terminal.cwd(), stats) }),
          })
          if (options.json !== true) {
            const { renderMarkdown } = await import('../report/render-markdown.js')
            terminal.stdout.write(renderMarkdown(made))
            await printReport(terminal, { ...options, quiet: true }, made)
          }
          return made
        },
        { isTold: () => options.json !== true },
      )
    })
}
