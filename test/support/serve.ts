import type { ChildProcess } from 'node:child_process'
import { startCli, type Ended } from './cli.js'

/** `dbkit db serve` as a process, ready to be asked. */
export interface Served {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Ports, in the order of the databases. */
  readonly ports: readonly number[]
  /** What it printed when it was ready. */
  readonly report: {
    readonly databases: readonly {
      readonly connection: string
      readonly notes?: readonly string[]
      readonly engine: { readonly label: string }
    }[]
  }
  /** Ctrl-C, and how it ended. */
  stop(): Promise<Ended>
}

export async function startServe(cwd: string, args: readonly string[]): Promise<Served> {
  const { child, ended } = startCli(['db', 'serve', '--json', ...args], { cwd })
  const line = new Promise<string>((resolve) => {
    let text = ''
    child.stdout?.on('data', (chunk: string) => {
      text += chunk
      if (text.includes('\n')) resolve(text)
    })
  })
  const early = ended.then(({ exit, stdout, stderr }) => {
    throw new Error(`db serve ended with ${String(exit)} before it was ready: ${stdout}${stderr}`)
  })
  // When it is stopped later, nobody waits for this any more.
  early.catch(() => undefined)
  const printed = await Promise.race([line, early])
  const report = JSON.parse(printed) as Served['report'] & { readonly ok: boolean }
  if (!report.ok) throw new Error(`db serve failed: ${printed}`)
  return {
    child,
    ended,
    report,
    ports: report.databases.map(({ connection }) => Number(new URL(connection).port)),
    stop() {
      child.kill('SIGINT')
      return ended
    },
  }
}
