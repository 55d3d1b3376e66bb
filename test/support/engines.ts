import { describe, test } from '@jest/globals'
import { runCli, makeFolder, type Ended, type Folder } from './cli.js'
import { createServerDatabase, noteEngine, serverUrl, type ServerDatabase } from './server.js'

/** A folder of migrations with a database to run them on, through the command line. */
export interface Bench {
  readonly folder: Folder
  /** dbkit with the arguments that name this folder and this database. */
  dbkit(...args: string[]): Promise<Ended>
  /** The same with --json, parsed. */
  json(...args: string[]): Promise<{ readonly exit: number | null; readonly report: JsonReport }>
  /** Rows of a query against the database; on the embedded engine through `select` only. */
  readonly server: ServerDatabase | undefined
  remove(): Promise<void>
}

/** The parts of a report that tests look at. */
export interface JsonReport {
  readonly command: string
  readonly ok: boolean
  readonly databases: readonly {
    readonly database: string
    readonly ok: boolean
    readonly steps?: readonly {
      name: string
      outcome: string
      direction: string
      source?: string
      outOfOrder?: boolean
      statements?: number
    }[]
    readonly migrations?: readonly { name: string; state: string; version: string }[]
    readonly summary?: Readonly<Record<string, number>>
    readonly notes?: readonly string[]
    readonly files?: readonly string[]
    readonly sql?: readonly { name: string; sql: string }[]
    readonly engine?: { kind: string; label: string; version: string }
    readonly error?: JsonError
  }[]
  readonly error?: JsonError
}

export interface JsonError {
  readonly code: string
  readonly exit: number
  readonly message: string
  readonly hint?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly excerpt?: string
  readonly sql?: Readonly<Record<string, string>>
  readonly culprit?: { readonly kind: string; readonly summary: string; readonly examples: readonly string[] }
  readonly others?: readonly JsonError[]
}

export type Files = Readonly<Record<string, string | Buffer>>

/** How a test is registered: on every engine, or (where the engine makes no difference) on the fastest one that is there. */
export interface Tests {
  everywhere(name: string, body: () => Promise<void>): void
  once(name: string, body: () => Promise<void>): void
}

type Open = (files: Files) => Promise<Bench>

/**
 * Runs the same tests on the embedded engine and, where there is one, on a server. `open` gives each test a bench of its own.
 */
export function describeEngines(title: string, body: (open: Open, tests: Tests) => void): void {
  const tests = (engine: 'embedded' | 'server'): Tests => ({
    everywhere: (name, run) => {
      test(name, run)
    },
    once: (name, run) => {
      if (engine === fastest()) test(name, run)
    },
  })
  describe(`${title} on PGlite`, () => {
    body(openEmbedded, tests('embedded'))
  })
  describe(`${title} on a server`, () => {
    if (serverUrl() === undefined)
      test.skip('needs PostgreSQL server binaries, which this machine lacks', () => undefined)
    else body(openServer, tests('server'))
  })
}

/** Runs tests on the fastest engine that is there, because the engine makes no difference to them. */
export function describeFastest(title: string, body: (open: Open) => void): void {
  describe(title, () => {
    body(fastest() === 'server' ? openServer : openEmbedded)
  })
}

function fastest(): 'embedded' | 'server' {
  return serverUrl() === undefined ? 'embedded' : 'server'
}

function openEmbedded(files: Files): Promise<Bench> {
  noteEngine('embedded PGlite 0.5.8')
  return Promise.resolve(benchOf(makeFolder(prefixed(files)), ['--embedded'], undefined))
}

async function openServer(files: Files): Promise<Bench> {
  const server = await createServerDatabase()
  return benchOf(makeFolder(prefixed(files)), ['--url', server.url], server)
}

function prefixed(files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`sql/${name}`, text]))
}

function benchOf(folder: Folder, target: readonly string[], server: ServerDatabase | undefined): Bench {
  const run = (args: readonly string[]): Promise<Ended> =>
    runCli([...args, '--dir', 'sql', ...target], { cwd: folder.path })
  return {
    folder: { ...folder, write: (files) => folder.write(prefixed(files)) },
    server,
    dbkit: (...args) => run(args),
    async json(...args) {
      const { exit, stdout } = await run([...args, '--json'])
      return { exit, report: JSON.parse(stdout) as JsonReport }
    },
    async remove() {
      folder.remove()
      await server?.drop()
    },
  }
}
