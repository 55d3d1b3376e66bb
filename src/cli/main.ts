import { CommanderError, type Command } from 'commander'
import { DbkitError, fileProblem, reportOf, type ErrorReport } from '../index.js'
import { createProgram } from './program.js'
import { printReport, type VerbContext } from './run-verb.js'
import type { Terminal } from './terminal.js'

export { terminalOf } from './terminal.js'

/**
 * The command line: a process in, an exit status out. The only place that catches to print; what is thrown here and is no
 * DbkitError is a bug, and says so with its stack.
 */
export async function main(terminal: Terminal): Promise<number> {
  const controller = new AbortController()
  let interruptedAt = 0
  const interrupt = (): void => {
    // The first stops in good order, another one at once. npm and timeout pass on a signal that the process has got already.
    if (!controller.signal.aborted) interruptedAt = Date.now()
    else if (Date.now() - interruptedAt > SAME_SIGNAL_MS) terminal.exit(130)
    controller.abort()
  }
  terminal.on('SIGINT', interrupt)
  terminal.on('SIGTERM', interrupt)
  const context: VerbContext = {
    terminal,
    signal: controller.signal,
    giveInterruptsAway() {
      const ignore = (): void => undefined
      // In this order: without any listener the signal would end the process.
      terminal.on('SIGINT', ignore)
      terminal.removeListener('SIGINT', interrupt)
      return () => {
        terminal.on('SIGINT', interrupt)
        terminal.removeListener('SIGINT', ignore)
      }
    },
    exitCode: 0,
  }
  const program = await createProgram(context, terminal.argv.slice(2))
  const json = terminal.argv.includes('--json')
  if (json) program.configureOutput({ writeErr: () => undefined }).commands.forEach(muteErrors)
  try {
    await program.parseAsync([...terminal.argv])
    return context.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return await endOfParsing(program, terminal, error, json)
    const known = error instanceof DbkitError ? error : fileProblem(error)
    const report = known === undefined ? bug(error) : reportOf(known)
    const options = { json, color: !terminal.argv.includes('--no-color') }
    await printReport(terminal, options, {
      command: commandOf(program, terminal.argv),
      ok: false,
      databases: [],
      error: report,
    })
    return report.exit
  } finally {
    terminal.removeListener('SIGINT', interrupt)
    terminal.removeListener('SIGTERM', interrupt)
  }
}

const SAME_SIGNAL_MS = 500

/** With --json nothing but the document is printed, not even commander's own complaint. */
function muteErrors(command: {
  configureOutput(output: object): unknown
  readonly commands: readonly unknown[]
}): void {
  command.configureOutput({ writeErr: () => undefined })
  for (const inner of command.commands) muteErrors(inner as Parameters<typeof muteErrors>[0])
}

/** --help and --version end here with 0; a flag that does not exist is a wrong request. */
async function endOfParsing(
  program: Command,
  terminal: Terminal,
  error: CommanderError,
  json: boolean,
): Promise<number> {
  if (error.exitCode === 0) return 0
  if (json) {
    // A group of commands without one of them: commander prints its help and has nothing to say about it.
    const message =
      error.code === 'commander.help' ? 'No command was given.' : error.message.replace(/^error: /, '')
    const report: ErrorReport = { code: 'request.usage', exit: 2, message, hint: 'See dbkit --help.' }
    await printReport(
      terminal,
      { json },
      { command: commandOf(program, terminal.argv), ok: false, databases: [], error: report },
    )
  }
  return 2
}

/** The command's own words, wherever the flags stand: "migrate up". */
function commandOf(program: Command, argv: readonly string[]): string {
  const words: string[] = []
  let at: Command | undefined = program
  for (const word of argv.slice(2)) {
    const next: Command | undefined = at.commands.find((command) => command.name() === word)
    if (next === undefined) continue
    words.push(word)
    at = next
  }
  return words.join(' ')
}

function bug(error: unknown): ErrorReport {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return {
    code: 'bug',
    exit: 70,
    message,
    hint: 'This is a bug of dbkit. Please report it with the lines above.',
  }
}
