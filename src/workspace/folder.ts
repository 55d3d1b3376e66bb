import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileProblem } from '../errors.js'
import { REPLACEMENT, refuseBytes, withoutMark } from './migration-file.js'
import type { Folder } from './layouts/layout.js'

/** How far up from the migrations a project's own file may be: services/billing/db/migrations. */
const LEVELS_AROUND = 5

/** Everything below a folder of migrations; texts are read when they are asked for, once. */
export function openFolder(path: string, shownAs: string): Folder {
  const texts = new Map<string, string>()
  let names: readonly string[] | undefined
  const show = (name: string): string => shownAs + sep + name.split('/').join(sep)
  return {
    show,
    get names() {
      return (names ??= listFiles(path))
    },
    text(name) {
      let text = texts.get(name)
      if (text === undefined) texts.set(name, (text = readWhole(join(path, name), show(name))))
      return text
    },
    around: (name) => placesOf(path, name).some((file) => existsSync(file)),
    textAround(name) {
      const file = placesOf(path, name).find((one) => existsSync(one))
      return file === undefined ? undefined : readWhole(file, file)
    },
  }
}

function listFiles(path: string): readonly string[] {
  if (!existsSync(path)) return []
  const found: string[] = []
  const look = (below: string, prefix: string): void => {
    for (const entry of readdirSync(below, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      if (entry.isDirectory()) look(join(below, entry.name), `${prefix}${entry.name}/`)
      else found.push(prefix + entry.name)
    }
  }
  look(path, '')
  // Sorted, so that the same folder gives the same messages on every file system.
  return found.sort()
}

function placesOf(path: string, name: string): readonly string[] {
  const places: string[] = []
  for (let at = path; places.length <= LEVELS_AROUND; at = dirname(at)) {
    places.push(join(at, name))
    if (dirname(at) === at) break
  }
  return places
}

function readWhole(path: string, shown: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
    if (text.includes(REPLACEMENT) || text.includes('\0')) {
      const undecodable = refuseBytes(readFileSync(path), shown)
      if (undecodable !== undefined) throw undecodable
    }
  } catch (error) {
    throw fileProblem(error) ?? error
  }
  return withoutMark(text)
}
