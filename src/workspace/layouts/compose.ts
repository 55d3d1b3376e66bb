import { throwProblems } from '../../errors.js'
import { directivesIn, type Origin, type ScriptText } from '../migration-file.js'
import { settleTransaction } from './own-transaction.js'
import type { Edit, Section } from './layout.js'

/** The script that a section of a file stands for. Throws what is wrong with it, at its place. */
export function composeScript(
  { from, to, transaction, edits }: Section,
  whole: string,
  file: string,
  irreversible?: string,
): ScriptText {
  const directives = directivesIn(whole.slice(from, to), file)
  if ('code' in directives) throw directives
  const asked = { ...directives, ...(irreversible === undefined ? {} : { irreversible }) }
  const put = editText(whole, from, to, edits?.() ?? [])
  const script: ScriptText = { file, directives: asked, ...put }
  const settled = settleTransaction(script, directives.transaction ? transaction : 'none')
  throwProblems(settled.problems)
  const text = blankOut(put.text, settled.blank)
  return { ...script, text, directives: { ...asked, transaction: settled.transaction } }
}

/** A part of a text with other texts put into it, and where each piece comes from. */
export function editText(
  whole: string,
  from: number,
  to: number,
  edits: readonly Edit[],
): { readonly text: string; readonly origin: Origin } {
  const pieces: Origin['pieces'][number][] = []
  let text = ''
  let at = from
  for (const one of edits) {
    pieces.push({ at: text.length, from: at, putIn: false })
    text += whole.slice(at, one.from)
    pieces.push({ at: text.length, from: one.from, putIn: true })
    text += one.text
    at = one.to
  }
  pieces.push({ at: text.length, from: at, putIn: false })
  text += whole.slice(at, to)
  return { text, origin: { text: whole, pieces } }
}

/** Blanks take as much room as what they replace, so that every place stays where it was. */
export function blankOut(
  text: string,
  spans: readonly { readonly start: number; readonly end: number }[],
): string {
  let blanked = ''
  let at = 0
  for (const { start, end } of spans) {
    blanked += text.slice(at, start) + text.slice(start, end).replaceAll(/[^\r\n]/g, ' ')
    at = end
  }
  return blanked + text.slice(at)
}
