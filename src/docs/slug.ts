import { createHash } from 'node:crypto'

/** Longer ones are cut and told apart by a hash: file systems take 255 bytes, and the ending and the folder need some. */
const LONGEST = 120

/**
 * A name as the name of a file: small letters, digits, _ and - stay, a dot parts schema from name, and everything else becomes ~ and
 * its code. Two names never give the same, also where the file system does not tell "Loads" from "loads".
 */
export function slugOf(...names: readonly string[]): string {
  const safe = names.map(safeName).join('.')
  if (safe.length <= LONGEST) return safe
  return `${safe.slice(0, LONGEST - 17)}~${createHash('sha256').update(names.join('\0')).digest('hex').slice(0, 16)}`
}

function safeName(name: string): string {
  return name.replaceAll(/[^a-z0-9_-]/gu, (character) => `~${(character.codePointAt(0) ?? 0).toString(16)}~`)
}

/** Names that Windows keeps for devices, and an empty one. */
const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d|index|)(?:\.|$)/

export function fileNameOf(slug: string, ending: string): string {
  return `${RESERVED.test(slug) ? `~${slug}` : slug}${ending}`
}
