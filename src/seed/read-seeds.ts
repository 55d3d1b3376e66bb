import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { nearestName, problem, throwProblems, type DbkitError } from '../errors.js'

/** What the seed files of one database say, before a table or a row is looked at. */
export interface Seeds {
  readonly sets: readonly SeedSet[]
  /** What was passed over, and why. */
  readonly notes: readonly string[]
}

/** A folder of seed files, loaded as a whole. */
export interface SeedSet {
  readonly name: string
  /** By file name. */
  readonly files: readonly SeedFile[]
}

export type SeedFormat = 'csv' | 'json' | 'ndjson' | 'sql'

export interface SeedFile {
  readonly set: string
  readonly path: string
  /** As shown to people. */
  readonly file: string
  readonly format: SeedFormat
  readonly bytes: number
  /** The tables it may be meant for, the likeliest first: "01_public.carriers" could all be one name. */
  readonly candidates: readonly { readonly schema: string | undefined; readonly table: string }[]
}

/** Loaded when no set is asked for, in this order; the second may build on the first. */
const USUAL_SETS = ['reference', 'sample'] as const

const FORMATS: readonly SeedFormat[] = ['csv', 'json', 'ndjson', 'sql']

/**
 * Finds the sets that are wanted in the seed folders of the databases. A set that some of them have is left out for the others, with a note; one that none has is
 * `seed.unknown-set`.
 */
export function readSeeds(
  databases: readonly { readonly name: string; readonly seeds: string }[],
  wanted: readonly string[] | undefined,
  root: string,
): readonly Seeds[] {
  const show = (path: string): string => relative(root, path) || '.'
  const folders = databases.map(({ seeds }) => ({ seeds, known: setsIn(seeds) }))
  const names = wanted === undefined ? USUAL_SETS : inOrder(wanted)
  const problems: DbkitError[] = []
  if (wanted !== undefined)
    for (const set of names) {
      if (folders.some(({ known }) => known.includes(set))) continue
      const known = [...new Set(folders.flatMap((folder) => folder.known))]
      problems.push(
        problem('seed.unknown-set', {
          set,
          folders: folders.map(({ seeds }) => show(seeds)),
          known,
          nearest: nearestName(set, known),
        }),
      )
    }
  const all = folders.map(({ seeds, known }) => {
    const notes: string[] = []
    const here = names.filter((name) => known.includes(name))
    if (here.length === 0) notes.push(`nothing to load: ${show(seeds)} has no seed set ${names.join(' or ')}`)
    else if (wanted !== undefined)
      for (const name of names) if (!here.includes(name)) notes.push(`${show(seeds)} has no seed set ${name}`)
    const sets = here.map((name) => readSet(name, join(seeds, name), show, notes, problems))
    return { sets, notes }
  })
  throwProblems(problems)
  return all
}

/** The usual ones first, whatever the order in which they were asked for: the sample refers to the reference rows. */
function inOrder(wanted: readonly string[]): readonly string[] {
  const usual = USUAL_SETS.filter((name) => wanted.includes(name))
  return [...new Set([...usual, ...wanted])]
}

function setsIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
}

function readSet(
  set: string,
  folder: string,
  show: (path: string) => string,
  notes: string[],
  problems: DbkitError[],
): SeedSet {
  const files: SeedFile[] = []
  // Sorted, so that the same folder loads in the same order on every file system.
  for (const fileName of readdirSync(folder).sort()) {
    if (fileName.startsWith('.')) continue
    const path = join(folder, fileName)
    const status = statSync(path)
    const format = FORMATS.find((known) => fileName.endsWith(`.${known}`))
    if (format === undefined || !status.isFile()) {
      notes.push(`${show(path)} is passed over: seed files end in .csv, .json, .ndjson or .sql`)
      continue
    }
    const candidates = parseTableName(fileName.slice(0, -`.${format}`.length))
    if (candidates.length === 0) problems.push(problem('seed.bad-name', { file: show(path) }))
    files.push({ set, path, file: show(path), format, bytes: status.size, candidates })
  }
  return { name: set, files }
}

/** "01_public.carriers": carriers of the schema public, if no table is called just that. */
export function parseTableName(stem: string): SeedFile['candidates'] {
  const unprefixed = stem.replace(/^\d+[_-]/, '')
  return [...new Set([stem, unprefixed])]
    .filter((name) => name !== '')
    .flatMap((name) => {
      const point = name.indexOf('.')
      const parts = { schema: name.slice(0, point), table: name.slice(point + 1) }
      const whole = { schema: undefined, table: name }
      return point > 0 && parts.table !== '' ? [whole, parts] : [whole]
    })
}
