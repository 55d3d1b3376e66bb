/** The single exit for text: whatever looks like a password in a URL or a connection string leaves as ***. */
export function redact(text: string): string {
  if (!mayHoldPassword(text)) return text
  return (
    text
      .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/"']*):[^\s@/"']+@/gi, '$1:***@')
      // Within its line: a quote that is not closed there would take everything up to the next one with it.
      .replace(/\b(password\s*=\s*)('[^'\n]*(?:'|$)|[^\s&"';]+)/gim, '$1***')
  )
}

/** False for nearly every text, and told at once: to look for the beginning of a URL at each letter takes ten times as long. */
export function mayHoldPassword(text: string): boolean {
  return text.includes('://') || /password/i.test(text)
}

/** A colour, as chalk writes it. */
const COLOUR = /\p{Cc}\[[\d;]*m/uy
const UNSEEN = /(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/**
 * What a file, a database or a server says, so that it cannot act on the terminal: no cursor is moved, no title set, no line overwritten
 * and no text turned round. What would do so is written out.
 */
export function inert(text: string): string {
  return text.replaceAll(UNSEEN, (character, at: number) => {
    COLOUR.lastIndex = at
    if (character === '\u001b' && COLOUR.test(text)) return character
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
}
