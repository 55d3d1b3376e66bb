/** The single exit for text: whatever looks like a password in a URL or a connection string leaves as ***. */
export function redact(text: string): string {
  return (
    text
      .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/"']*):[^\s@/"']+@/gi, '$1:***@')
      // Within its line: a quote that is not closed there would take everything up to the next one with it.
      .replace(/\b(password\s*=\s*)('[^'\n]*(?:'|$)|[^\s&"';]+)/gim, '$1***')
  )
}
