import { quoteLiteral } from './quote.js'
import type { Complaint } from './wire.js'

/**
 * `COPY ... FROM STDIN` through `db serve`. The embedded engine would wait for ever for rows that it cannot be given; it can read them
 * from a device of its own, once all of them are there.
 */
export interface CopyIn {
  /** The statement that reads what the client has sent. */
  readonly sql: string
  /** Returns the number of columns that are expected; no rows or null when the table cannot be found. */
  readonly columnsSql: string
  readonly binary: boolean
}

type Statement = { readonly text: string; readonly words: readonly string[]; readonly copyData?: unknown }

/** What is to be done with a message that holds SQL: a COPY from the client, a refusal, or (undefined) nothing special. */
export function readCopy(
  sql: string,
  split: (sql: string) => readonly Statement[],
  protocol: 'simple' | 'extended',
): { readonly copyIn: CopyIn } | { readonly refusal: Complaint } | undefined {
  if (!/\bcopy\b/i.test(sql) || !/\b(?:stdin|stdout|program)\b/i.test(sql)) return undefined
  const statements = split(sql)
  if (statements.some(({ text, words }) => words[0] === 'copy' && PROGRAM.test(text)))
    return {
      refusal: refusal(
        'COPY ... PROGRAM',
        'It has no programs to run. Use \\copy of psql, which runs them beside it.',
      ),
    }
  const [first] = statements.filter(({ copyData }) => copyData !== undefined)
  if (first === undefined) return undefined
  if (protocol === 'extended')
    return {
      refusal: refusal(
        'COPY ... FROM STDIN in the extended protocol',
        'Send it as a simple query, without parameters.',
      ),
    }
  const match = statements.length > 1 ? null : COPY_FROM.exec(first.text)
  if (match === null)
    return { refusal: refusal('COPY ... FROM STDIN together with other statements', 'Send it by itself.') }
  const [whole, before = '', table = '', columns] = match
  const options = first.text.slice(whole.length)
  return {
    copyIn: {
      sql: `${before}'/dev/blob'${options}`,
      columnsSql:
        columns === undefined
          ? `select nullif(count(*), 0) from pg_catalog.pg_attribute where attrelid = pg_catalog.to_regclass(${quoteLiteral(table)}) and attnum > 0 and not attisdropped and attgenerated = ''`
          : `select ${String(columns.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).length)} where pg_catalog.to_regclass(${quoteLiteral(table)}) is not null`,
      binary: /^\s*copy\s+binary\b/i.test(before) || /\bbinary\b/i.test(options),
    },
  }
}

function refusal(what: string, hint: string): Complaint {
  return {
    severity: 'ERROR',
    sqlstate: '0A000',
    message: `${what} is not supported by the embedded engine`,
    hint,
  }
}

const BLANK = String.raw`(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)`
const NAME = String.raw`(?:"(?:[^"]|"")*"|[^\s".(),;'/-]+)`
const TABLE = String.raw`${NAME}(?:\s*\.\s*${NAME})*`
const COLUMNS = String.raw`\((?<columns>(?:[^()"]|"(?:[^"]|"")*")*)\)`
const COPY_FROM = new RegExp(
  String.raw`^(?<before>copy${BLANK}+(?:binary${BLANK}+)?(?<table>${TABLE})${BLANK}*(?:${COLUMNS}${BLANK}*)?from${BLANK}+)(?:stdin|stdout)\b`,
  'i',
)
const PROGRAM = /\b(?:from|to)\s+program\s*(?:e?'|\$)/i
