import { readdirSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { nearestName, problem, throwProblems, type DbkitError } from '../errors.js'

/** A file to be imported. */
export interface MongoFile {
  readonly path: string
  /** As shown to people. */
  readonly file: string
  readonly collection: string
  readonly format: 'json' | 'bson'
  readonly zipped: boolean
  readonly size: number
}

export interface FoundFiles {
  readonly files: readonly MongoFile[]
  /** Files of a folder that no collection of the mapping claims. */
  readonly leftOut: readonly string[]
}

/** agents.json, delauto.agents.json (as Compass calls it), agents.bson.gz */
const FILE_NAME = /^(?<name>.+?)\.(?<format>json|jsonl|ndjson|bson)(?<zipped>\.gz)?$/i

/**
 * The files that paths name, in a fixed order. A folder gives the files of known collections and names the rest; a file that is named
 * itself has to belong to a collection. Fails with `import.missing-file`, `import.unknown-collection` and `import.no-files`.
 */
export function findFiles(
  paths: readonly string[],
  options: {
    readonly root: string
    readonly known: readonly string[]
    readonly collection: string | undefined
  },
): FoundFiles {
  const { root, known, collection } = options
  if (collection !== undefined && !known.includes(collection))
    throw problem('import.unknown-collection', {
      what: `--collection ${collection}`,
      known,
      nearest: nearestName(collection, known),
    })
  const files: MongoFile[] = []
  const leftOut: string[] = []
  const problems: DbkitError[] = []
  for (const written of paths) {
    const path = resolve(root, written)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) problems.push(problem('import.missing-file', { file: written }))
    else if (stats.isDirectory()) {
      for (const name of readdirSync(path).sort()) {
        const inner = join(path, name)
        const found = statSync(inner, { throwIfNoEntry: false })
        if (found?.isDirectory() === true) continue
        const file = found === undefined ? undefined : toFile(inner, root, known, collection)
        if (file === undefined) leftOut.push(relative(root, inner))
        else files.push(file)
      }
    } else {
      const file = toFile(path, root, known, collection)
      if (file === undefined)
        problems.push(
          problem('import.unknown-collection', {
            what: written,
            known,
            nearest: nearestName(collectionName(basename(path)), known),
          }),
        )
      else files.push(file)
    }
  }
  throwProblems(problems)
  // A folder and a file of it: every document would be there twice.
  const once = files.filter(({ path }, index) => files.findIndex((other) => other.path === path) === index)
  if (files.length === 0) throw problem('import.no-files', { paths, known })
  return { files: once, leftOut }
}

function toFile(
  path: string,
  root: string,
  known: readonly string[],
  collection: string | undefined,
): MongoFile | undefined {
  const name = basename(path)
  const groups = FILE_NAME.exec(name)?.groups
  // What mongodump writes beside the documents: the indexes of the collection.
  if (groups === undefined || /\.metadata\.json(?:\.gz)?$/i.test(name)) return undefined
  const claimed = collection ?? known.find((one) => one === groups['name'] || one === collectionName(name))
  if (claimed === undefined) return undefined
  return {
    path,
    file: relative(root, path) || path,
    collection: claimed,
    format: groups['format']?.toLowerCase() === 'bson' ? 'bson' : 'json',
    zipped: groups['zipped'] !== undefined,
    size: statSync(path).size,
  }
}

/** The last part of the name before its endings. */
function collectionName(fileName: string): string {
  const name = FILE_NAME.exec(fileName)?.groups?.['name'] ?? fileName
  return name.slice(name.lastIndexOf('.') + 1)
}
