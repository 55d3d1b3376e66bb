import { tokensOf, type SqlToken, type Statement } from '../workspace/statements.js'

/**
 * SQL in one form, for patterns: each token followed by a blank, words in lower case, and nothing that stands in quotes. Bodies that
 * stand in dollar quotes are forms of their own.
 */
export interface PlainForm {
  readonly text: string
  /** The body of a function or a DO. */
  readonly isBody: boolean
  /** The index in the file of what stands at an index of the text. */
  place(index: number): number
}

const HAS_BODY = /^(?:do|create (?:or replace )?(?:function|procedure))\b/

/** Strings that mean something to the parser. */
const KEPT = /^(?:-?infinity|builtin)$/

export function plainForms({ text, start, words }: Statement): readonly PlainForm[] {
  const forms: PlainForm[] = []
  const pending = [{ sql: text, offset: start, isBody: false }]
  const hasBody = HAS_BODY.test(words.join(' '))
  for (let one = pending.shift(); one !== undefined; one = pending.shift()) {
    const pieces: string[] = []
    const starts: { readonly plain: number; readonly source: number }[] = []
    let length = 0
    for (const token of tokensOf(one.sql)) {
      const raw = one.sql.slice(token.start, token.end)
      if (token.kind === 'string' && raw.startsWith('$') && hasBody) {
        const tag = raw.indexOf('$', 1) + 1
        pending.push({ sql: raw.slice(tag, -tag), offset: one.offset + token.start + tag, isBody: true })
      }
      const piece = `${plainToken(token, raw)} `
      starts.push({ plain: length, source: one.offset + token.start })
      pieces.push(piece)
      length += piece.length
    }
    const { isBody } = one
    forms.push({
      text: pieces.join(''),
      isBody,
      place: (index) => starts.findLast(({ plain }) => plain <= index)?.source ?? start,
    })
  }
  return forms
}

function plainToken({ kind, text }: SqlToken, raw: string): string {
  // A name in quotes is no keyword.
  if (kind === 'name') return text === '' ? '"q"' : text
  if (kind !== 'string') return raw.toLowerCase()
  const content = raw.slice(raw.indexOf("'") + 1, -1).toLowerCase()
  return KEPT.test(content) ? `'${content}'` : `'s'`
}

/** From an opening parenthesis to what follows the closing one. */
export function afterParentheses(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++
    if (text[at] === ')' && --depth === 0) return at + 2
  }
  return text.length
}
