import { readFileSync } from 'node:fs'

const NAMES = [
  ['site.css', 'style.css'],
  ['site.js', 'site.js'],
  ['search.js', 'search.js'],
] as const

/** What the build has made for browsers, by the names that pages know it by. */
export function readAssets(): ReadonlyMap<string, string> {
  const folder = new URL('../docs-site/', import.meta.url)
  return new Map(NAMES.map(([name, built]) => [name, readFileSync(new URL(built, folder), 'utf8')]))
}
