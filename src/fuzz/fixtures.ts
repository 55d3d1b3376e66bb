import { existsSync, mkdtempSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { problem } from '../errors.js'
import { makeFolder } from '../make-folder.js'

/**
 * up: before the migration, which does not take them · down: after it, and its way back does not take them · up-down: before it, and
 * then the way back fails
 */
export type CaseKind = 'up' | 'down' | 'up-down'

/** Rows that have broken a migration once, as they stand in a file. */
export interface FixtureCase {
  readonly kind: CaseKind
  /** What PostgreSQL said, for who reads the file. */
  readonly about: string
  readonly sql: string
}

/** Refuses a folder that rows could not be kept in, before the search for them, which takes long. Fails with `run.file-failed`. */
export function refuseUnwritable(folder: string): void {
  let above = folder
  while (!existsSync(above)) above = dirname(above)
  if (!statSync(above).isDirectory())
    throw problem('run.file-failed', {
      file: above,
      reason: 'it is no folder, and rows are to be kept in it',
    })
  // Rights do not tell all: the root user has every one in /proc, and can make nothing there.
  let probe: string
  try {
    probe = mkdtempSync(join(above, '.dbkit-'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw problem(
      'run.file-failed',
      { file: above, reason: `rows are to be kept in it, and nothing can be made there (${String(code)})` },
      { cause: error },
    )
  }
  rmdirSync(probe)
}

export function fixturePath(folder: string, migration: string): string {
  return join(folder, `${migration}.sql`)
}

const HEAD = /^-- case (up-down|up|down)(?:: (.*))?$/

/** The cases of a file; none when there is no file. What stands above the first is for people. */
export function readCases(path: string): readonly FixtureCase[] {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there === undefined) return []
  // To read a pipe is to wait for somebody who writes.
  if (!there.isFile()) throw problem('run.file-failed', { file: path, reason: 'it is no plain file' })
  const cases: { kind: CaseKind; about: string; lines: string[] }[] = []
  for (const line of readFileSync(path, 'utf8').split(/\r?\n/)) {
    const [, kind, about = ''] = HEAD.exec(line) ?? []
    if (kind !== undefined) cases.push({ kind: kind as CaseKind, about, lines: [] })
    else cases.at(-1)?.lines.push(line)
  }
  return cases.map(({ kind, about, lines }) => ({ kind, about, sql: lines.join('\n').trim() }))
}

/** Adds cases to a file, or makes it; what is there already stays as it is. True: the file is another one now. */
export function addCases(path: string, migration: string, cases: readonly FixtureCase[]): boolean {
  const known = readCases(path)
  const fresh = cases.filter(
    ({ kind, sql }) => !known.some((other) => other.kind === kind && other.sql === sql),
  )
  if (fresh.length === 0) return false
  const before = existsSync(path)
    ? `${readFileSync(path, 'utf8').trimEnd()}\n`
    : `-- Rows that broke ${migration} when dbkit fuzz found them. Every run tries them first: keep this file in version control.\n`
  const text = fresh.map(
    ({ kind, about, sql }) => `\n-- case ${kind}: ${about.replaceAll(/\s+/g, ' ')}\n${sql}\n`,
  )
  makeFolder(dirname(path))
  writeFileSync(path, before + text.join(''))
  return true
}
