import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { DatabaseConfig, Hook, HookName } from '../config/config.js'
import type { SessionKeeper } from '../database/keep-session.js'
import { BEGIN } from '../database/ledger.js'
import { quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { problem, type DbkitError } from '../errors.js'
import type { Observer } from './observer.js'
import { interruption, LEAVE_CLEAN, RESET_ROLE, settings } from './run-transaction.js'

/** What a hook is told: of a run its direction, of a migration also which. */
export interface HookMoment {
  readonly direction: 'up' | 'down'
  readonly version?: string
  readonly name?: string
  readonly outcome?: 'applied' | 'rolled-back' | 'failed'
}

export interface HookGround {
  readonly config: DatabaseConfig
  readonly sessions: SessionKeeper
  readonly signal: AbortSignal
  readonly observer: Observer
  /** The one transaction of the run is open: a hook's SQL is a part of it. */
  readonly within: boolean
}

/** Runs the hooks of a moment, in order; returns why the first that failed did. */
export async function runHooks(
  name: HookName,
  moment: HookMoment,
  ground: HookGround,
): Promise<DbkitError | undefined> {
  for (const hook of ground.config.hooks[name]) {
    if (ground.signal.aborted) throw interruption(ground.signal)
    const why =
      'command' in hook ? await runCommand(hook, moment, ground) : await runSql(hook, moment, ground)
    if (why !== undefined)
      return problem('hook.failed', {
        hook: name,
        what: 'command' in hook ? hook.command : 'file' in hook ? basename(hook.file) : 'SQL',
        why,
        stands: whatStands(name, moment),
      })
  }
  return undefined
}

function whatStands(name: HookName, { name: migration = '' }: HookMoment): string {
  switch (name) {
    case 'beforeRun':
      return 'Nothing was changed.'
    case 'beforeMigration':
      return `${migration} was not run, and what came before it stands.`
    case 'afterMigration':
      return `${migration} stands; what comes after it was not run.`
    case 'afterRun':
      return 'The run itself had ended.'
  }
}

async function runSql(
  hook: Exclude<Hook, { readonly command: string }>,
  moment: HookMoment,
  { config, sessions, within }: HookGround,
): Promise<string | undefined> {
  const text = 'file' in hook ? readFileSync(hook.file, 'utf8') : hook.sql
  const about = Object.entries(variablesOf(moment, config)).map(
    ([name, value]) =>
      `set local ${name.toLowerCase().replace(/^dbkit_/, 'dbkit.')} to ${quoteLiteral(value)}`,
  )
  const pinned = settings({ script: NO_DIRECTIVES }, config, {
    scope: 'transaction',
    lockTimeoutMs: config.lockTimeoutMs,
    serverSettings: [],
  })
  const inside = [...about, `${text}\n`]
  const session = await sessions.current()
  try {
    await session.script(
      within
        ? inside.join(';')
        : [BEGIN, ...pinned, ...inside, ...RESET_ROLE, 'commit', ...LEAVE_CLEAN].join(';'),
    )
    return undefined
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    if (!session.lost && !within) await session.script(['rollback', ...LEAVE_CLEAN].join(';'))
    return error.message
  }
}

const NO_DIRECTIVES = {
  file: '',
  text: '',
  directives: {
    transaction: true,
    irreversible: undefined,
    lockTimeoutMs: undefined,
    statementTimeoutMs: undefined,
    replaces: undefined,
    substitute: [],
    allow: new Map<string, string>(),
  },
}

function variablesOf(moment: HookMoment, config: DatabaseConfig): Readonly<Record<string, string>> {
  return {
    DBKIT_DATABASE: config.name,
    DBKIT_DIRECTION: moment.direction,
    ...(moment.version === undefined ? {} : { DBKIT_VERSION: moment.version }),
    ...(moment.name === undefined ? {} : { DBKIT_NAME: moment.name }),
    ...(moment.outcome === undefined ? {} : { DBKIT_OUTCOME: moment.outcome }),
  }
}

/** In a shell, in the folder of the configuration; what it prints is passed on line by line. */
function runCommand(
  { command, cwd }: Extract<Hook, { readonly command: string }>,
  moment: HookMoment,
  { config, signal, observer }: HookGround,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, {
      shell: true,
      cwd,
      env: { ...config.environment, ...variablesOf(moment, config) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stop = (): void => {
      child.kill('SIGTERM')
    }
    signal.addEventListener('abort', stop, { once: true })
    let last = ''
    const lines = (stream: NodeJS.ReadableStream): void => {
      let rest = ''
      stream.setEncoding('utf8')
      stream.on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n')
        rest = parts.pop() ?? ''
        for (const message of parts) {
          last = message.trim() === '' ? last : message
          observer({ kind: 'notice', database: config.name, message })
        }
      })
      stream.on('end', () => {
        if (rest === '') return
        last = rest
        observer({ kind: 'notice', database: config.name, message: rest })
      })
    }
    lines(child.stdout)
    lines(child.stderr)
    const end = (why: string | undefined): void => {
      signal.removeEventListener('abort', stop)
      resolve(why)
    }
    child.on('error', (error) => {
      end(error.message)
    })
    child.on('close', (code, killed) => {
      if (code === 0) end(undefined)
      else
        end(
          `${killed === null ? `it ended with ${String(code)}` : `it was ended by ${killed}`}${last === '' ? '' : `: ${last.trim()}`}`,
        )
    })
  })
}
