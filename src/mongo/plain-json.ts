import { isStorable } from './storable.js'
import { Decimal, Foreign, Instant, Malformed, Oid, openValue, type Open } from './values.js'

/** Where in a value something cannot be written as JSON, and why. */
export interface JsonFlaw {
  /** Path below the value, with a point before each step; empty for the value itself. */
  readonly path: string
  readonly malformed: Malformed
}

export const UNSTORABLE = new Malformed(
  'bad-text',
  'it holds a NUL character or half a surrogate pair, which PostgreSQL does not store',
)

/** MongoDB itself nests no deeper than this. */
const DEEPEST = 200

/**
 * A value that nobody but its owner understands, as plain JSON text: ObjectIds as their hex digits, dates as ISO 8601, longs and
 * decimals with all their digits, binary data as base64. Text rather than a JavaScript value, because the digits of a long would not
 * survive one.
 */
export function plainJson(value: unknown, open: Open, depth = 0): string | JsonFlaw {
  if (depth > DEEPEST)
    return {
      path: '',
      malformed: new Malformed('bad-type', `it is nested deeper than ${String(DEEPEST)} levels`),
    }
  const seen = openValue(value, open)
  if (seen === null || seen === undefined) return 'null'
  if (typeof seen === 'string')
    return isStorable(seen) ? JSON.stringify(seen) : { path: '', malformed: UNSTORABLE }
  if (typeof seen === 'number') return Number.isFinite(seen) ? String(seen) : `"${String(seen)}"`
  if (typeof seen === 'boolean' || typeof seen === 'bigint') return String(seen)
  if (seen instanceof Malformed) return { path: '', malformed: seen }
  if (seen instanceof Oid) return `"${seen.hex}"`
  if (seen instanceof Decimal) return /^-?\d/.test(seen.text) ? seen.text : `"${seen.text}"`
  if (seen instanceof Instant || seen instanceof Foreign) return JSON.stringify(seen.text)
  const parts: string[] = []
  if (Array.isArray(seen)) {
    for (const [index, item] of (seen as readonly unknown[]).entries()) {
      const part = plainJson(item, open, depth + 1)
      if (typeof part !== 'string') return { ...part, path: `.${String(index)}${part.path}` }
      parts.push(part)
    }
    return `[${parts.join(',')}]`
  }
  for (const [key, item] of Object.entries(seen)) {
    const part = isStorable(key) ? plainJson(item, open, depth + 1) : { path: '', malformed: UNSTORABLE }
    if (typeof part !== 'string') return { ...part, path: `.${key}${part.path}` }
    parts.push(`${JSON.stringify(key)}:${part}`)
  }
  return `{${parts.join(',')}}`
}
