import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../bin/dbkit.cjs', import.meta.url))

export interface Ended {
  readonly exit: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Runs the command line as a process, as a user does. CI is not set unless a test sets it. */
export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startCli(args, options).ended
}

export function startCli(
  args: readonly string[],
  { cwd = tmpdir(), env = {}, input }: RunOptions = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const { PATH = '', HOME = '' } = process.env
  const own = { PATH, HOME, TMPDIR: tmpdir() }
  const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...own, ...env }, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  // Who is refused at once ends without having read it.
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  child.stdin.end(input ?? '')
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (exit, signal) => {
      resolve({ exit, signal, stdout, stderr })
    })
  })
  return { child, ended }
}

/** Files of a test, by name, in a folder that is removed afterwards: `using`-free, so call remove(). */
export interface Folder {
  readonly path: string
  write(files: Readonly<Record<string, string | Buffer>>): void
  remove(): void
}

export function makeFolder(files: Readonly<Record<string, string | Buffer>> = {}): Folder {
  const path = mkdtempSync(join(tmpdir(), 'dbkit-test-'))
  const folder: Folder = {
    path,
    write(more) {
      for (const [name, content] of Object.entries(more)) {
        const file = join(path, name)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, content)
      }
    },
    remove() {
      rmSync(path, { recursive: true, force: true })
    },
  }
  folder.write(files)
  return folder
}
