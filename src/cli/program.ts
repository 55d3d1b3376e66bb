import { Command, Help } from 'commander'
import { DBKIT_VERSION } from '../index.js'
import { commandList } from './command-list.js'
import { examples } from './examples.js'
import { addGlobalOptions } from './options.js'
import type { VerbContext } from './run-verb.js'

/** Made from the flags of all commands. */
const OF_ALL = 'completion'

/**
 * The program, with every command. Those that `words` name have their flags as well; the others are a name, because reading and
 * defining all takes longer than most commands do. Commands only translate flags into a call of the library.
 */
export async function createProgram(context: VerbContext, words: readonly string[]): Promise<Command> {
  const { terminal } = context
  const program: Command = new Command('dbkit')
    .description('Schema as code for PostgreSQL: versioned SQL, proved rollbacks, seeds and honest types.')
    .version(DBKIT_VERSION, '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({
      showGlobalOptions: true,
      sortSubcommands: false,
      // 20: else a terminal of 60 columns breaks the lines itself, in the middle of words.
      minWidthToWrap: 20,
      subcommandTerm(command) {
        const listed = command.parent === program && commandList.find(({ name }) => name === command.name())
        return listed ? `${listed.name} ${listed.takes}`.trimEnd() : Help.prototype.subcommandTerm(command)
      },
    })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      examples(
        'dbkit migrate up',
        'dbkit migrate status',
        'dbkit migrate up --dir ./migrations --url postgresql://...',
      ),
    )
  addGlobalOptions(program)
  for (const { name, about, load } of commandList) {
    const command = program.command(name).description(about)
    // A word that is a value of a flag costs no more than the time.
    if (words.includes(name) || words.includes(OF_ALL)) (await load())(command, context)
  }
  return program
}
