/**
 * Chance that needs no memory: what is drawn for a row follows from its number and a salt alone. Rows can therefore be made in any order,
 * on any thread, and a row that refers to another one works that one out instead of remembering it.
 */
export function draw(row: number, salt: number): number {
  // Steps that can all be undone (those of MurmurHash3's end): under one salt no two rows draw the same 32 bits.
  let bits = Math.imul(row + 1, 0x9e3779b1) ^ salt
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** From 0 up to, and without, 1. */
export function share(row: number, salt: number): number {
  return draw(row, salt) / 4_294_967_296
}

/** A whole number between two, both included. */
export function between(row: number, salt: number, least: number, most: number): number {
  return least + Math.floor(share(row, salt) * (most - least + 1))
}

/** The salt of a name: FNV-1a, stirred. */
export function saltOf(name: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < name.length; index++)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return draw(hash, 0x5bd1e995) | 0
}

// By bytes: a table of all pairs of bytes is slower, because the processor does not keep two megabytes at hand.
const HEX = Array.from({ length: 256 }, (_, number) => number.toString(16).padStart(2, '0'))

const hex = (bits: number): string => HEX[bits & 0xff] ?? ''

/** Eight hexadecimal digits. */
export function hexOf(bits: number): string {
  return hex(bits >>> 24) + hex(bits >>> 16) + hex(bits >>> 8) + hex(bits)
}

/** A version 4 UUID; under one salt no two rows have the same. */
export function uuid(row: number, salt: number): string {
  const a = draw(row, salt)
  const b = draw(row, salt ^ 0x1b873593)
  const c = draw(row, salt ^ 0x2545f491)
  const d = draw(row, salt ^ 0x369dea0f)
  const version = (b & 0x0fff) | 0x4000
  const variant = ((c >>> 16) & 0x3fff) | 0x8000
  return (
    hexOf(a) +
    '-' +
    (hex(b >>> 24) + hex(b >>> 16)) +
    '-' +
    (hex(version >>> 8) + hex(version)) +
    '-' +
    (hex(variant >>> 8) + hex(variant)) +
    '-' +
    (hex(c >>> 8) + hex(c) + hexOf(d))
  )
}
