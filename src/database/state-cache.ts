import { constants, cpSync, existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../make-folder.js'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Data folders of the embedded engine that were expensive to make, by the hash of all that went into them: the next database that
 * is to become the same starts as a copy. They hold what migrations and seeds made, never a user's data.
 */
const KEPT_STATES = 8

/** The user's cache folder. https://specifications.freedesktop.org/basedir-spec/latest/ */
export function cacheFolder(environment: Environment): string {
  // Set but empty counts as not set, says the specification; else the cache would lie in the current folder.
  const given = environment['XDG_CACHE_HOME'] ?? ''
  const home = environment['HOME'] ?? ''
  return join(given !== '' ? given : join(home !== '' ? home : homedir(), '.cache'), 'dbkit')
}

/** Copies the first state that is there into a data folder; returns its key. */
export function restoreState(
  keys: readonly string[],
  dataDir: string,
  environment: Environment,
): string | undefined {
  const states = join(cacheFolder(environment), 'states')
  for (const key of keys) {
    const state = join(states, key)
    if (!existsSync(join(state, 'PG_VERSION'))) continue
    copyDataDir(state, dataDir)
    // The least recently used one goes first.
    const now = new Date()
    utimesSync(state, now, now)
    return key
  }
  return undefined
}

/** Keeps a closed data folder under a key. A cache that cannot be written is no failure of the command: then nothing is kept. */
export function keepState(key: string, dataDir: string, environment: Environment): void {
  const states = join(cacheFolder(environment), 'states')
  if (existsSync(join(states, key))) return
  try {
    makeFolder(states)
    copyDataDir(dataDir, join(states, key))
    forgetOldest(states)
    removeAbandoned(states)
  } catch (error) {
    if (!isUnwritable(error)) throw error
  }
}

/** Copies aside and renames, so that a folder of that name is always whole. */
export function copyDataDir(from: string, to: string): void {
  const aside = `${to}.${String(process.pid)}`
  rmSync(aside, { recursive: true, force: true })
  cpSync(from, aside, { recursive: true, mode: constants.COPYFILE_FICLONE })
  try {
    renameSync(aside, to)
  } catch (error) {
    // Another process made the same one in the meantime.
    if (!existsSync(join(to, 'PG_VERSION'))) throw error
    rmSync(aside, { recursive: true, force: true })
  }
}

const ABANDONED_MS = 60 * 60_000

/** What was being copied aside when a process was killed; an hour later nobody is still copying it. */
export function removeAbandoned(folder: string): void {
  for (const name of readdirSync(folder)) {
    // The process that copies adds its number to the name.
    const isAside = /^(?:pglite-\d+\.\d+\.\d+|[0-9a-f]{64})\.\d+(?:\.new)?$/.test(name)
    const changed = isAside ? statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs : undefined
    if (changed !== undefined && Date.now() - changed > ABANDONED_MS)
      rmSync(join(folder, name), { recursive: true, force: true })
  }
}

export function isUnwritable(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT'].includes(String(code))
}

function forgetOldest(states: string): void {
  const byAge = readdirSync(states)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => ({ name, used: statSync(join(states, name)).mtimeMs }))
    .sort((a, b) => b.used - a.used)
  for (const { name } of byAge.slice(KEPT_STATES))
    rmSync(join(states, name), { recursive: true, force: true })
}
