/** An integer of more digits than a JavaScript number holds for sure, where a number may stand. */
const LONG_INTEGER = /[:,[]\s*-?\d{16,}\s*[,}\]]/

/** A string, or a number: whatever could be mistaken for one inside a string is swallowed with it. */
const STRINGS_AND_NUMBERS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/**
 * Parses the text of a document. Relaxed Extended JSON writes 64-bit integers as bare numbers, and JSON.parse would round them: they
 * are given their wrapper first, so that they stay exact. Throws SyntaxError.
 */
export function parseExtended(text: string): unknown {
  return JSON.parse(LONG_INTEGER.test(text) ? wrapLongIntegers(text) : text) as unknown
}

function wrapLongIntegers(text: string): string {
  return text.replace(STRINGS_AND_NUMBERS, (token) => {
    if (!/^-?\d{16,19}$/.test(token) || Number.isSafeInteger(Number(token))) return token
    // Beyond 64 bits it was a double, which JSON.parse reads as such.
    const long = BigInt.asIntN(64, BigInt(token))
    return String(long) === token ? `{"$numberLong":"${token}"}` : token
  })
}
