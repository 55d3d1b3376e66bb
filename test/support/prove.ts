import { appendFileSync } from 'node:fs'

/** `npm run prove` sets this: the same tests, with counts that take minutes instead of seconds. */
export const proving = process.env['DBKIT_PROVE'] === '1'

/** How often something left to chance is tried: a sample in `npm test`, the whole battery in `npm run prove`. */
export function rounds(sample: number, full: number): number {
  return proving ? full : sample
}

/** A sample of a list, spread evenly; all of it when proving. */
export function sampled<T>(all: readonly T[], size: number): readonly T[] {
  if (proving || all.length <= size) return all
  return Array.from({ length: size }, (_, index) => all[Math.floor(((index + 0.5) * all.length) / size)] as T)
}

/** A line for the figures that `npm run prove` prints at its end. */
export function figure(what: string, value: string | number): void {
  const file = process.env['DBKIT_PROVE_FIGURES']
  if (file !== undefined && file !== '') appendFileSync(file, `${what}: ${String(value)}\n`)
}
