import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { Chalk } from 'chalk'
import type { Shell, ShellAnswer } from '../../index.js'
import { redact } from '../redact.js'
import { renderFailure } from '../render-human.js'
import type { Output, Terminal } from '../terminal.js'
import { renderTable } from './render-table.js'

const HELP = `Statements end in ; and may take several lines.
  \\d         tables and views
  \\d NAME    columns of one
  \\q         ends the shell, as Ctrl-D does
  Ctrl-C     forgets what was typed, or stops what is running
psql can more: dbkit uses it where it is installed.
`

/**
 * The shell for an embedded database where psql is not installed. On a terminal it goes on after an error; with input from a file or
 * a pipe it stops there with exit status 3, because the rest was written for another state of the database.
 */
export async function converse(
  terminal: Terminal,
  shell: Shell,
  options: { readonly color: boolean; readonly signal: AbortSignal },
): Promise<number> {
  const conversation = new Conversation(terminal, shell, options)
  return conversation.hold()
}

class Conversation {
  private readonly terminal: Terminal
  private readonly shell: Shell
  private readonly options: { readonly color: boolean; readonly signal: AbortSignal }
  private readonly interactive: boolean
  private typed = ''
  private running = false

  constructor(
    terminal: Terminal,
    shell: Shell,
    options: { readonly color: boolean; readonly signal: AbortSignal },
  ) {
    this.terminal = terminal
    this.shell = shell
    this.options = options
    this.interactive = isTerminal(terminal.stdin) && terminal.stdout.isTTY === true
  }

  async hold(): Promise<number> {
    const { stdin, stdout } = this.terminal
    const lines = createInterface({
      input: stdin,
      ...(this.interactive ? { output: streamTo(stdout) } : {}),
      terminal: this.interactive,
      crlfDelay: Infinity,
    })
    const { signal } = this.options
    const stop = (): void => {
      if (this.running) this.shell.cancel()
      lines.close()
    }
    signal.addEventListener('abort', stop, { once: true })
    lines.on('SIGINT', () => {
      this.interrupt(lines)
    })
    if (this.interactive) this.write('\\? for help, \\q to end.\n')
    try {
      this.prompt(lines)
      for await (const line of lines) {
        const status = await this.take(line)
        if (signal.aborted) return 130
        if (status !== undefined) return status
        this.prompt(lines)
      }
      if (signal.aborted) return 130
      // As psql, which also runs what the input ends with.
      return (await this.runAll(this.typed.trim() === '' ? [] : [this.typed])) ?? 0
    } finally {
      signal.removeEventListener('abort', stop)
      lines.close()
    }
  }

  /** Returns the exit status when the conversation is over. */
  private async take(line: string): Promise<number | undefined> {
    if (this.typed.trim() === '' && line.trimStart().startsWith('\\')) return this.command(line.trim())
    const { statements, rest } = this.shell.split(`${this.typed}${line}\n`)
    this.typed = rest.trim() === '' ? '' : rest
    return this.runAll(statements)
  }

  private async command(line: string): Promise<number | undefined> {
    const [name, argument] = line.replace(/;$/, '').split(/\s+/)
    switch (name) {
      case '\\q':
        return 0
      case '\\d':
        return this.show(await this.watched(this.shell.describe(argument)))
      case '\\?':
        this.write(HELP)
        return undefined
      default:
        this.terminal.stderr.write(`${name ?? ''} is not known here; \\? lists what is.\n`)
        return this.interactive ? undefined : 2
    }
  }

  private async runAll(statements: readonly string[]): Promise<number | undefined> {
    for (const statement of statements) {
      const status = this.show(await this.watched(this.shell.run(statement)))
      if (status !== undefined) return status
    }
    return undefined
  }

  private async watched(running: Promise<ShellAnswer>): Promise<ShellAnswer> {
    this.running = true
    try {
      return await running
    } finally {
      this.running = false
    }
  }

  private show({ results, error, lost }: ShellAnswer): number | undefined {
    for (const { tag, table } of results)
      this.write(table === undefined ? `${tag}\n` : `${renderTable(table)}\n`)
    if (error === undefined) return undefined
    const paint = new Chalk({ level: this.options.color ? 1 : 0 })
    this.terminal.stderr.write(redact(renderFailure(error, paint).join('\n')) + '\n')
    return lost || !this.interactive ? error.exit : undefined
  }

  private interrupt(lines: Interface): void {
    if (this.running) {
      this.shell.cancel()
      return
    }
    this.typed = ''
    this.write('\n')
    this.prompt(lines)
  }

  private prompt(lines: Interface): void {
    if (!this.interactive) return
    lines.setPrompt(`${this.shell.database}${this.typed === '' ? '=>' : '->'} `)
    lines.prompt()
  }

  private write(text: string): void {
    this.terminal.stdout.write(text)
  }
}

/** readline wants a stream, with the width of the terminal. */
function streamTo(output: Output): NodeJS.WritableStream {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      output.write(chunk.toString())
      done()
    },
  })
  return Object.defineProperty(stream, 'columns', { get: () => output.columns ?? 80 })
}

function isTerminal(stream: NodeJS.ReadableStream): boolean {
  return (stream as { readonly isTTY?: boolean }).isTTY === true
}
