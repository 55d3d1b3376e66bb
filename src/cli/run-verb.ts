import { exitCodeOf, settleConfig, type Config, type Observer, type Report } from '../index.js'
import { flagsOf, type GlobalOptions } from './options.js'
import type { Terminal } from './terminal.js'

export interface VerbContext {
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** Lets Ctrl-C be for a program that was started; returns what takes it back. */
  giveInterruptsAway(): () => void
  /** Set by the command that ran; the process ends with it. */
  exitCode: number
}

interface RunOptions {
  /** For a command that has printed its report while it ran. */
  readonly isTold?: (report: Report) => boolean
}

const unobserved: Observer = () => undefined

/**
 * What every command does: settle the configuration, call the library, render its report. The only place where a report becomes
 * text; errors go on to main.
 */
export async function runVerb(
  context: VerbContext,
  options: GlobalOptions,
  call: (config: Config, run: { signal: AbortSignal; observer: Observer }) => Promise<Report>,
  { isTold = () => false }: RunOptions = {},
): Promise<void> {
  const { terminal } = context
  const config = await settleConfig(flagsOf(options), { cwd: terminal.cwd(), environment: terminal.env })
  const progress =
    options.json === true || options.quiet === true
      ? undefined
      : (await import('./progress.js')).showProgress(terminal, {
          color: wantsColor(terminal, options, terminal.stderr),
        })
  let report: Report
  try {
    report = await call(config, { signal: context.signal, observer: progress?.observer ?? unobserved })
  } finally {
    progress?.clear()
  }
  if (!isTold(report)) await printReport(terminal, options, report)
  context.exitCode = exitCodeOf(report)
}

export async function printReport(terminal: Terminal, options: GlobalOptions, report: Report): Promise<void> {
  if (options.json === true) {
    const { renderJson } = await import('./render-json.js')
    terminal.stdout.write(renderJson(report))
    return
  }
  const { renderHuman } = await import('./render-human.js')
  const text = await renderHuman(report, {
    color: wantsColor(terminal, options, terminal.stdout),
    errorColor: wantsColor(terminal, options, terminal.stderr),
    quiet: options.quiet === true,
  })
  if (text.out !== '') terminal.stdout.write(text.out)
  if (text.error !== '') terminal.stderr.write(text.error)
}

/** https://no-color.org, and FORCE_COLOR as chalk and others read it. */
export function wantsColor(
  terminal: Terminal,
  options: GlobalOptions,
  output: { readonly isTTY?: boolean | undefined },
): boolean {
  if (options.color === false || (terminal.env['NO_COLOR'] ?? '') !== '') return false
  const forced = terminal.env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return output.isTTY === true && terminal.env['TERM'] !== 'dumb'
}
