import { fstatSync, writeSync } from 'node:fs'

/** The parts of a process that the command line uses; tests give their own. */
export interface Terminal {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  cwd(): string
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: Output
  readonly stderr: Output
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  removeListener(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  /** Ends at once, for a second Ctrl-C. */
  exit(code: number): unknown
}

export interface Output {
  write(text: string): void
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** A process as a terminal. */
export function terminalOf(own: NodeJS.Process): Terminal {
  return {
    argv: own.argv,
    env: own.env,
    cwd: () => own.cwd(),
    get stdin() {
      return own.stdin
    },
    stdout: outputTo(1, own.platform, () => own.stdout),
    stderr: outputTo(2, own.platform, () => own.stderr),
    on: (event, listener) => own.on(event, listener),
    removeListener: (event, listener) => own.removeListener(event, listener),
    exit: (code) => own.exit(code),
  }
}

/**
 * Written at once, as Node writes to files, pipes and terminals anyway, but without its stream: to set that up takes 3 ms, a
 * tenth of what `node -e 0` takes. The stream is for what only it can: the width, the console of Windows, which takes characters
 * and not bytes, and to wait for a pipe that is full.
 */
function outputTo(descriptor: number, platform: NodeJS.Platform, open: () => NodeJS.WriteStream): Output {
  let stream = platform === 'win32' ? open() : undefined
  const device = (): NodeJS.WriteStream | undefined =>
    fstatSync(descriptor).isCharacterDevice() ? open() : undefined
  return {
    write(text) {
      if (stream !== undefined) {
        stream.write(text)
        return
      }
      const bytes = Buffer.from(text)
      let written = 0
      try {
        while (written < bytes.length) written += writeSync(descriptor, bytes, written)
      } catch (error) {
        // Nobody reads any more, as after `| head`: the exit status still says how it went.
        if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return
        stream = open()
        stream.write(bytes.subarray(written))
      }
    },
    get isTTY() {
      return device()?.isTTY
    },
    get columns() {
      return device()?.columns
    },
  }
}
