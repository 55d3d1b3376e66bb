import { readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../make-folder.js'

/** Who holds an embedded folder. */
export interface Holder {
  readonly pid: number
  readonly host: string
  /** The space of process numbers on that host, where there are several (Linux containers). */
  readonly space?: string | undefined
  readonly purpose: string
  readonly since: string
  /** Where the holder answers the PostgreSQL protocol, when it is `dbkit db serve`. */
  readonly serves?: { readonly host: string; readonly port: number } | undefined
}

export interface FolderLock {
  /** Rewrites what others read about the holder. */
  announce(change: Pick<Holder, 'serves'>): void
  release(): void
}

export type LockAttempt = { readonly lock: FolderLock } | { readonly holder: Holder; readonly file: string }

/**
 * Takes a folder for this process alone, by the rule "announce, then look": each process writes a file of its own, then
 * lists the others; whoever sees another living one takes its own back. Of two that start together at least one sees the
 * other, so two can never both go on, and a file whose process is dead can be removed without a race, because no other
 * process ever uses its name. Node has no flock, and a lock file judged by its age would be lost while WASM blocks the loop.
 */
export function tryLockFolder(folder: string, purpose: string): LockAttempt {
  makeFolder(folder)
  const own = `${String(process.pid)}-${startTime(process.pid) ?? '0'}-${String(counter++)}.json`
  const file = join(folder, own)
  let holder: Holder = {
    pid: process.pid,
    host: hostname(),
    space: ownSpace(),
    purpose,
    since: new Date().toISOString(),
  }
  writeHolder(folder, file, holder)
  for (const name of readdirSync(folder)) {
    if (name === own || !name.endsWith('.json')) continue
    const other = readHolder(join(folder, name), name)
    if (other === undefined) continue
    if (isAlive(other, name)) {
      rmSync(file, { force: true })
      return { holder: other, file: join(folder, name) }
    }
    rmSync(join(folder, name), { force: true })
  }
  return {
    lock: {
      announce(change) {
        holder = { ...holder, ...change }
        writeHolder(folder, file, holder)
      },
      release() {
        rmSync(file, { force: true })
      },
    },
  }
}

/** One process may open several databases, each under its own name. */
let counter = 0

function writeHolder(folder: string, file: string, holder: Holder): void {
  // Written aside and renamed, so that nobody reads half of it.
  const aside = join(folder, `.${String(process.pid)}-${String(counter)}.tmp`)
  writeFileSync(aside, JSON.stringify(holder))
  renameSync(aside, file)
}

function readHolder(file: string, name: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder
  } catch (error) {
    // Released between the listing and the look.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (!(error instanceof SyntaxError)) throw error
    // The machine went down before its disk had the text. Whose it was stands in the name.
    return {
      pid: Number.parseInt(name, 10),
      host: hostname(),
      space: ownSpace(),
      purpose: 'command',
      since: statSync(file).mtime.toISOString(),
    }
  }
}

function isAlive(holder: Holder, name: string): boolean {
  if (isElsewhere(holder)) return true
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  // The number may have been given to another process since, and to this one as well: in a container that is started anew.
  const started = startTime(holder.pid)
  return started === undefined || name.split('-')[1] === started
}

/** A process of another machine or container on a shared folder cannot be asked whether it lives; it counts as living. */
export function isElsewhere(holder: Holder): boolean {
  return holder.host !== hostname() || holder.space !== ownSpace()
}

/** A container may have its host's name, and numbers its processes by itself all the same. */
function ownSpace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    // Not Linux, or a /proc that tells nothing: then there is one space for all.
    return undefined
  }
}

/** When a process started, in clock ticks since boot, where the system tells (Linux). */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    // The second field is the command in parentheses and may hold anything; the 22nd is the start time.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

/** "process 4711 (dbkit migrate up), since 12:03:41 UTC" */
export function describeHolder(holder: Holder): string {
  const where = isElsewhere(holder) ? ` on ${holder.host}` : ''
  return `process ${String(holder.pid)}${where} (dbkit ${holder.purpose}), since ${holder.since.slice(11, 19)} UTC`
}
