import { escapeXml } from './markup.js'

/** HTML that may stand as it is; anything else is text. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Part = Markup | string | number | undefined | false | readonly Part[]

/** A template whose values are text unless they are markup: nothing of a database becomes HTML by being forgotten. */
export function markup(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return new Markup(
    strings.map((string, index) => string + (index < values.length ? written(values[index]) : '')).join(''),
  )
}

function written(value: Part): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Markup) return value.text
  return typeof value === 'object' ? value.map(written).join('') : escapeXml(String(value))
}

/** As JSON in a script: neither </script> nor <!-- can end or change it. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`)
}

const KEYWORDS = new Set(
  (
    'add after all alter and any array as asc atomic before begin between by cascade case check column comment commit concurrently ' +
    'constraint create cross current_date current_timestamp declare default deferrable deferred delete desc distinct do domain drop each ' +
    'else elsif end enum except execute exists extension false filter following for foreign from function generated grant group having if ' +
    'immutable in index inner insert intersect interval into is join key language lateral left like limit loop materialized new not ' +
    'null offset old on only or order outer over partition perform preceding primary procedure raise references replace restrict return ' +
    'returning returns revoke right row rows schema security select sequence set stable stored strict table temporary then to trigger true ' +
    'truncate type union unique update using values view volatile when where while window with'
  ).split(' '),
)

const SQL_TOKEN =
  /(--[^\n]*|\/\*[\s\S]*?\*\/)|([eE]?'(?:[^']|'')*')|("(?:[^"]|"")*")|(\b\d+(?:\.\d+)?\b)|([\p{L}_][\p{L}\p{N}_$]*)/gu

/** SQL with its words marked, for the eye alone. */
export function sqlMarkup(sql: string): Markup {
  let [out, at] = ['', 0]
  for (const match of sql.matchAll(SQL_TOKEN)) {
    const [token, comment, literal, , number, word] = match
    const kind =
      comment !== undefined
        ? 'c'
        : literal !== undefined
          ? 's'
          : number !== undefined
            ? 'n'
            : word !== undefined && KEYWORDS.has(word.toLowerCase())
              ? 'k'
              : undefined
    out += escapeXml(sql.slice(at, match.index))
    // A mark never reaches over a line end, so that lines can be numbered.
    out +=
      kind === undefined
        ? escapeXml(token)
        : token
            .split('\n')
            .map((line) => `<span class="q${kind}">${escapeXml(line)}</span>`)
            .join('\n')
    at = match.index + token.length
  }
  return new Markup(out + escapeXml(sql.slice(at)))
}
