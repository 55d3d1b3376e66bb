import pg from 'pg'
import utils from 'pg/lib/utils.js'
import type { TypedResult } from './database.js'
import type { UntypedResult } from './embedded-worker.js'

/** Declared for the types that have a name only; it knows what to do with every other. */
export const parserOf = pg.types.getTypeParser as unknown as (
  oid: number,
  format: 'text',
) => (value: string) => unknown

/** By the value alone, as `pg` does it: what the engine knows of types made by the application is nothing. */
export function asText(value: unknown): string | null {
  const prepared = utils.prepareValue(value)
  return Buffer.isBuffer(prepared) ? `\\x${prepared.toString('hex')}` : prepared
}

/** Rows as `pg` returns them, from the text that the embedded engine does. */
export function typedResult(sql: string, { rows, fields, affected }: UntypedResult): TypedResult {
  const parsers = fields.map(({ type }) => parserOf(type, 'text'))
  const typed = rows.map((row) =>
    Object.fromEntries(
      fields.map(({ name }, index) => {
        const value = row[index] ?? null
        return [name, value === null ? null : parsers[index]?.(value)]
      }),
    ),
  )
  const command = commandOf(sql)
  return { command, rowCount: command === 'SELECT' ? typed.length : affected, rows: typed }
}

/** PGlite does not hand on the command's tag. Behind WITH it is the statement that stands outside parentheses. */
export function commandOf(sql: string): 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'MERGE' {
  let depth = 0
  const pattern =
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|[()]|[a-z]+/gi
  for (const [token] of sql.matchAll(pattern)) {
    if (token === '(') depth++
    else if (token === ')') depth--
    else if (depth === 0) {
      const word = token.toUpperCase()
      if (word === 'INSERT' || word === 'UPDATE' || word === 'DELETE' || word === 'MERGE') return word
      if (word === 'SELECT' || word === 'VALUES' || word === 'TABLE') return 'SELECT'
    }
  }
  return 'SELECT'
}
