import type { TextRow } from '../../database/database.js'
import type { SqlError } from '../../database/sql-error.js'
import type { CulpritReport } from '../../errors.js'
import { tokensOf } from '../../workspace/statements.js'

/** A statement that the server refused, and the means to look for the reason. */
export interface Refusal {
  readonly error: SqlError
  /** As it stands in the file. */
  readonly statement: string
  /** Runs SQL in a short transaction that is rolled back; the last rows come back. Fails as SQL fails. */
  readonly look: (sql: string) => Promise<readonly TextRow[]>
  /** Hides what comes from rows, when values are not to be shown. */
  readonly value: (text: string | null | undefined) => string
  /** Hides the constants in somebody's query, likewise. */
  readonly query: (text: string) => string
}

/** Looks for one kind of culprit; undefined when the refusal is of another kind, or nothing was found. */
export type Finder = (refusal: Refusal) => Promise<CulpritReport | undefined>

/** How many examples are shown of what may be millions. */
export const EXAMPLES = 3

export function times(count: string | null | undefined, noun: string): string {
  return `${grouped(count)} ${noun}${count === '1' ? '' : 's'}`
}

export function grouped(count: string | null | undefined): string {
  return Number(count ?? 0).toLocaleString('en-US')
}

const LONGEST_VALUE = 60

export function shownValue(text: string | null | undefined): string {
  const characters = [...(text ?? 'NULL').replaceAll(/\s+/g, ' ')]
  return characters.length <= LONGEST_VALUE
    ? characters.join('')
    : `${characters.slice(0, LONGEST_VALUE - 1).join('')}…`
}

export function hiddenValue(text: string | null | undefined): string {
  return text === null || text === undefined ? 'NULL' : `‹${times(String([...text].length), 'character')}›`
}

/** A query with its constants left out. */
export function withoutConstants(sql: string): string {
  let [shown, at] = ['', 0]
  for (const { kind, start, end } of tokensOf(sql)) {
    if (kind !== 'string' && kind !== 'number') continue
    shown += `${sql.slice(at, start)}‹…›`
    at = end
  }
  return shown + sql.slice(at)
}
