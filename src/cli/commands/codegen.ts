import { Option, type Command } from 'commander'
import { codegen, codegenWatch, problem, settleConfig, type CodegenVerbOptions } from '../../index.js'
import { flagsOf, type GlobalOptions } from '../options.js'
import { printReport, runVerb, type VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

interface Options extends GlobalOptions {
  readonly check?: boolean
  readonly verify?: boolean
  readonly watch?: boolean
  readonly validators?: boolean
  readonly emitter?: 'dbkit' | 'kysely-codegen'
}

/** `dbkit codegen` */
export function defineCodegen(command: Command, context: VerbContext): void {
  command
    .option('--check', 'write nothing, and exit 1 with the difference when a file is out of date')
    // As kysely-codegen calls it.
    .addOption(new Option('--verify', 'the same as --check').hideHelp())
    .option('--watch', 'emit again whenever migrations, shapes or the configuration change')
    .option('--validators', 'emit Zod schemas as well, into <out>.validators.ts')
    .addOption(
      new Option('--emitter <name>', 'what writes the types (default: dbkit)').choices([
        'dbkit',
        'kysely-codegen',
      ]),
    )
    .addHelpText(
      'after',
      examples(
        'dbkit codegen',
        'dbkit codegen --check',
        'dbkit codegen --watch --validators',
        'dbkit codegen -d happyrobot --url postgresql://...',
      ),
    )
    .action((_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { emitter } = options
      const chosen: CodegenVerbOptions = {
        check: options.check === true || options.verify === true,
        ...(options.validators === undefined ? {} : { validators: options.validators }),
        ...(emitter === undefined ? {} : { emitter }),
      }
      return options.watch === true
        ? watchFiles(context, options, chosen)
        : runVerb(context, options, (config, run) => codegen(config, { ...run, ...chosen }))
    })
}

async function watchFiles(context: VerbContext, options: Options, chosen: CodegenVerbOptions): Promise<void> {
  const refused = [
    ['--url', options.url !== undefined, 'nothing tells when a live database changes'],
    ['--check', chosen.check === true, 'one writes, the other does not'],
    ['--json', options.json === true, 'that is one document'],
  ] as const
  for (const [option, isThere, why] of refused)
    if (isThere) throw problem('request.conflicting-options', { options: ['--watch', option], why })
  const { terminal, signal } = context
  const settle = () => settleConfig(flagsOf(options), { cwd: terminal.cwd(), environment: terminal.env })
  let printed = Promise.resolve()
  await codegenWatch(settle, {
    ...chosen,
    signal,
    onReport: (report) => {
      printed = printed.then(() => printReport(terminal, options, report))
    },
  })
  await printed
}
