import { choiceOf, leastPlain, PLAIN, type Compiled, type Entries } from './compiled.js'
import type { Value } from './copy-values.js'
import { integerText } from './value-texts.js'

/** The JSON of a value, of a document part by part: nothing is made only to be written. */
export function jsonMaker(made: Compiled): (row: number) => string {
  const choice = choiceOf(made)
  if (choice !== undefined) {
    const texts = choice.values.map((value) => JSON.stringify(value))
    const [only = 'null'] = texts
    return texts.length === 1 ? () => only : (row) => texts[choice.pick(row)] ?? 'null'
  }
  const { document, absent, get } = made
  if (document !== undefined) {
    const text = 'items' in document ? ofItems(document.items) : ofEntries(document.entries)
    return absent === undefined ? text : (row) => (absent(row) ? 'null' : text(row))
  }
  if (leastPlain([made]) < PLAIN.parts) return (row) => JSON.stringify(get(row))
  return (row) => plainJson(get(row))
}

function plainJson(value: Value): string {
  if (typeof value === 'string') return `"${value}"`
  if (typeof value === 'number') return Number.isFinite(value) ? integerText(value) : 'null'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function ofItems(items: readonly Compiled[]): (row: number) => string {
  const texts = items.map(jsonMaker)
  return (row) => `[${texts.map((text) => text(row)).join(',')}]`
}

function ofEntries(entries: Entries): (row: number) => string {
  const parts = entries.map(({ name, value, isThere }) => ({
    key: `${JSON.stringify(name)}:`,
    text: jsonMaker(value),
    isThere,
  }))
  return (row) => {
    let text = '{'
    let between = ''
    for (const part of parts) {
      if (part.isThere?.(row) === false) continue
      text += between + part.key + part.text(row)
      between = ','
    }
    return `${text}}`
  }
}
