import { Argument, type Command } from 'commander'
import { problem, settleConfig } from '../../index.js'
import { flagsOf, type GlobalOptions } from '../options.js'
import type { VerbContext } from '../run-verb.js'
import { examples } from '../examples.js'

/** `dbkit completion` */
export function defineCompletion(command: Command, context: VerbContext): void {
  command
    .addArgument(new Argument('[shell]', 'for which').choices(['bash', 'zsh', 'fish']))
    .option('--databases', 'print the names of the databases instead, a line each')
    .addHelpText(
      'after',
      examples(
        'eval "$(dbkit completion bash)"',
        'dbkit completion zsh > "${fpath[1]}/_dbkit"',
        'dbkit completion fish > ~/.config/fish/completions/dbkit.fish',
      ),
    )
    .action(async (shell: string | undefined, options: { databases?: boolean }, command: Command) => {
      const { terminal } = context
      if (options.databases === true) {
        const flags = flagsOf(command.optsWithGlobals<GlobalOptions>())
        const config = await settleConfig(flags, { cwd: terminal.cwd(), environment: terminal.env })
        terminal.stdout.write(config.known.map((name) => `${name}\n`).join(''))
        return
      }
      if (shell === undefined)
        throw problem('request.bad-option', {
          option: 'completion',
          value: '',
          expected: 'bash, zsh or fish',
        })
      const program = command.parent ?? command
      const { renderCompletion } = await import('../completion/render-completion.js')
      terminal.stdout.write(renderCompletion(program, shell as 'bash' | 'zsh' | 'fish'))
    })
}
