import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ServerAddress } from '../database/server-target.js'
import { problem } from '../errors.js'
import type { Tool } from './tools.js'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What a program of PostgreSQL needs to connect. Nothing of it stands on a command line, which every user of the machine can read; and
 * nothing else of dbkit's own environment is handed on.
 */
export function environmentOf(address: ServerAddress, environment: Environment): Record<string, string> {
  const own = [
    'PATH',
    'HOME',
    'LANG',
    'LC_ALL',
    'TMPDIR',
    'SystemRoot',
    'LD_LIBRARY_PATH',
    'DYLD_LIBRARY_PATH',
  ]
  const all: Readonly<Record<string, string | undefined>> = {
    ...Object.fromEntries(own.map((name) => [name, environment[name]])),
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: address.user,
    PGDATABASE: address.database,
    PGPASSWORD: address.password,
    PGSSLMODE: address.sslmode,
    PGSSLROOTCERT: address.sslrootcert,
    PGSSLCERT: address.sslcert,
    PGSSLKEY: address.sslkey,
    PGCONNECT_TIMEOUT: String(Math.max(2, Math.round(address.connectTimeoutMs / 1_000))),
    PGAPPNAME: 'dbkit',
    // dbkit reads what it has to tell.
    LC_MESSAGES: 'C',
  }
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  )
}

interface Run {
  readonly tool: Tool
  readonly name: string
  readonly args: readonly string[]
  readonly env: Record<string, string>
  readonly signal: AbortSignal
}

/** Runs a program and hands its output to `take` while it comes; what it complains of becomes the error. */
export async function runForOutput(run: Run, take: (output: Readable) => Promise<void>): Promise<void> {
  const { child, ended } = start(run, ['ignore', 'pipe', 'pipe'])
  const taken = take(child.stdout as Readable).catch((error: unknown) => {
    child.kill('SIGTERM')
    throw error
  })
  const [complaint, outcome] = await Promise.all([
    ended,
    taken.then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
  ])
  if (run.signal.aborted) throw problem('run.interrupted', {})
  // Where its output could not be taken the program was stopped, and what it complains of then is only that.
  if (outcome !== undefined) throw outcome.error
  if (complaint !== undefined) throw complaint
}

/** Runs a program on an input. */
export async function runOnInput(run: Run, input: Readable): Promise<void> {
  const { child, ended } = start(run, ['pipe', 'ignore', 'pipe'])
  const fed = pipeline(input, child.stdin as Writable).catch((error: unknown) => {
    // A program that has ended reads no more: why it has, it says itself. Anything else must not look like the end of the input.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return
    child.kill('SIGKILL')
    throw error
  })
  const [complaint, outcome] = await Promise.all([
    ended,
    fed.then(
      () => undefined,
      (error: unknown) => ({ error }),
    ),
  ])
  if (run.signal.aborted) throw problem('run.interrupted', {})
  if (outcome !== undefined) throw outcome.error
  if (complaint !== undefined) throw complaint
}

function start(
  { tool, name, args, env, signal }: Run,
  stdio: ['ignore' | 'pipe', 'ignore' | 'pipe', 'pipe'],
): { readonly child: ChildProcess; readonly ended: Promise<Error | undefined> } {
  const child = spawn(tool.path, [...args], { env, stdio })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000)
  })
  const stop = (): void => {
    child.kill('SIGTERM')
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', (error) => {
      resolve(problem('backup.tool-failed', { tool: name, said: error.message }))
    })
    child.once('close', (code, killed) => {
      signal.removeEventListener('abort', stop)
      if (code === 0) resolve(undefined)
      else
        resolve(
          problem('backup.tool-failed', {
            tool: name,
            said: essence(said) || `it ended with ${String(code ?? killed)}`,
          }),
        )
    })
  })
  return { child, ended }
}

/** Its complaints without the program's name before each, and without what it tells of its progress. */
function essence(said: string): string {
  const lines = said
    .split('\n')
    .map((line) =>
      line
        .replace(/^(?:pg_dump|pg_restore|psql)(?:\.exe)?: /, '')
        .replace(/^<stdin>:\d+: |^psql:<stdin>:\d+: /, ''),
    )
    .filter((line) => line.trim() !== '')
  const errors = lines.filter((line) => /error:|ERROR:|FATAL:|DETAIL:|HINT:/.test(line))
  return (errors.length > 0 ? errors : lines).slice(0, 4).join('; ')
}
