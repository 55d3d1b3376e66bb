/** The same for two texts that mean the same: comments and white space outside of quotes are gone. */
export function plainCode(text: string): string {
  let plain = ''
  let blank = false
  for (const [part] of text.matchAll(TOKEN)) {
    if (/^(?:\s|--|\/\*)/.test(part)) {
      blank = true
      continue
    }
    // Between words and quotes a blank means something, beside a sign it does not.
    if (blank && WORDLIKE.test(plain.slice(-1)) && WORDLIKE.test(part.charAt(0))) plain += ' '
    blank = false
    plain += part
  }
  return plain
}

const WORDLIKE = /[\w'"$]/

/** White space, comments, quoted text and names, dollar quotes, words, and signs one by one. */
const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|[\w$]+|[^\s\w]/g

/**
 * The same for an expression and for what PostgreSQL makes of its own deparsed text: a cast of a whole list comes back as a cast of each
 * of its elements.
 */
export function plainExpression(text: string): string {
  return text
    .replaceAll(/\(ARRAY\[([^[\]]*)\]\)::([\w ]+)\[\]/g, (_, list: string, type: string) => {
      const elements = list.split(', ').map((element) => `(${element})::${type}`)
      return `ARRAY[${elements.join(', ')}]`
    })
    .replaceAll(/\s+/g, ' ')
}
