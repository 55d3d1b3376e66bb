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
