import { quoteIfNeeded, quoteLiteral } from '../database/quote.js'

const PIECE =
  /\s+|[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$[A-Za-z_\u0080-\uffff]*\$)[^]*?\1|[^\s'"$eE]+|./gsu

/**
 * PostgreSQL writes its keywords in capitals, and every name that needs capitals between quotes: so all that is outside of quotes can
 * be written small, as the migrations are.
 */
export function small(definition: string): string {
  return (withoutLostCasts(definition).match(PIECE) ?? [])
    .map((piece) => (/^(?:[eE]?'|"|\$)/.test(piece) ? piece : piece.toLowerCase()))
    .join('')
}

/**
 * `varchar in ('a', 'b')` is an array of varchar that is taken for one of text. PostgreSQL writes that as (ARRAY[...])::text[], and reads
 * what it wrote as a cast of each element: a constraint that differs. Without the cast it is read as it was.
 */
function withoutLostCasts(definition: string): string {
  return definition.replaceAll(LOST_CAST, '$1 (ARRAY[$2])')
}

const LOST_CAST =
  /\b(ANY|ALL) \(\(ARRAY\[((?:'(?:[^']|'')*'|"(?:[^"]|"")*"|\([^()[\]'"]*\)|[^()[\]'"])*)\]\)::text\[\]\)/g

/** The same, its further lines as deep as a list in parentheses has its own; text in quotes stays as it is. */
export function smallInBlock(definition: string): string {
  return (small(definition).match(PIECE) ?? [])
    .map((piece) => (/^\s+$/.test(piece) ? piece.replaceAll('\n', '\n  ') : piece))
    .join('')
}

/** "fillfactor=70" as it stands in WITH (...). */
export function storageOptions(options: readonly string[], prefix = ''): readonly string[] {
  return options.map((option) => {
    const [name, value] = splitOption(option)
    return `${prefix}${name} = ${/^[A-Za-z0-9_.+-]+$/.test(value) ? value : quoteLiteral(value).trim()}`
  })
}

/** "host=example.org" as it stands in OPTIONS (...); what was hidden when it was read is left out. */
export function foreignOptions(options: readonly string[]): string {
  const known = options.map(splitOption).filter(([, value]) => value !== '***')
  if (known.length === 0) return ''
  return ` options (${known.map(([name, value]) => `${quoteIfNeeded(name)} ${quoteLiteral(value).trim()}`).join(', ')})`
}

export function splitOption(option: string): readonly [name: string, value: string] {
  const at = option.indexOf('=')
  return at < 0 ? [option, 'true'] : [option.slice(0, at), option.slice(at + 1)]
}

/** " with (a = 1, b = 2)", or nothing. */
export function withOptions(options: readonly string[]): string {
  return options.length === 0 ? '' : ` with (${options.join(', ')})`
}

/** A list in parentheses, a line each. */
export function block(lines: readonly string[]): string {
  return lines.length === 0 ? '()' : `(\n${lines.map((line) => `  ${line}`).join(',\n')}\n)`
}

/** The expression in one pair of parentheses around it all, which it may have already. */
export function inParentheses(expression: string): string {
  let depth = 0
  const pieces = expression.match(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|[^()'"]+/gs) ?? []
  const closesBefore = pieces.slice(0, -1).some((piece) => {
    depth += piece === '(' ? 1 : piece === ')' ? -1 : 0
    return depth === 0
  })
  return expression.startsWith('(') && !closesBefore ? expression : `(${expression})`
}
