import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

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

export function fixturePath(folder: string, migration: string): string {
  return join(folder, `${migration}.sql`)
}

const HEAD = /^-- case (up-down|up|down)(?:: (.*))?$/

/** The cases of a file; none when there is no file. What stands above the first is for people. */
export function readCases(path: string): readonly FixtureCase[] {
  if (!existsSync(path)) return []
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
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, before + text.join(''))
  return true
}
