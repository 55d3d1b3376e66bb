import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin } from 'esbuild'
import type { SourceLocation } from '../errors.js'
import { makeOwnFolder } from '../own-folder.js'
import { makeFolder } from '../make-folder.js'

export type ModulePlugin = Plugin

export interface ModuleSource {
  /** Absolute. */
  readonly entry: string
  /** What is bundled instead of the entry alone; it imports the entry by its absolute name. */
  readonly wrapper?: string
  /** The folder `.dbkit`, where the result is kept. */
  readonly own: string
  /** What the files of the cache are called by. */
  readonly prefix: string
  /** How packages are found: left outside of the bundle, or taken into it. */
  readonly plugins: (packages: 'external' | 'bundle') => readonly ModulePlugin[]
  /** The plugins say what stays outside: the compiler leaves packages outside without looking for them. */
  readonly findsPackages?: boolean
  /** Keep where each line came from, for the places in a stack. */
  readonly sourcemap?: boolean
}

/** What the compiler says of a file it does not understand. */
export interface BuildTrouble {
  readonly reason: string
  readonly location: SourceLocation | undefined
}

interface Cached {
  /** Every file that went into the bundle, with the hash of its content. */
  readonly inputs: Readonly<Record<string, string>>
}

/**
 * Node 20 cannot strip types. A TypeScript file is bundled once with what it imports from its own folder, and kept under .dbkit/cache
 * with the hashes of all that went in: the next run reads those files, compares, and imports the result. Where nothing may be written,
 * as in a container that is read-only, it is compiled each time, with the packages it imports: a module without a folder finds none.
 * Returns the URL of the module. What is wrong in a file is thrown as `toProblem` words it.
 */
export async function transpile(
  source: ModuleSource,
  toProblem: (trouble: BuildTrouble, cause: unknown) => Error,
): Promise<string> {
  const folder = join(source.own, 'cache')
  const key = hash(Buffer.from(JSON.stringify([source.entry, source.wrapper]))).slice(0, 16)
  const index = join(folder, `${source.prefix}-${key}.json`)
  const cached = readCache(index)
  if (cached !== undefined && isCurrent(cached)) {
    const output = outputOf(source, folder, cached)
    if (existsSync(output)) return pathToFileURL(output).href
  }
  const build = (packages: 'external' | 'bundle'): ReturnType<typeof bundle> =>
    bundle(source, folder, packages).catch((error: unknown) => {
      const trouble = troubleOf(error)
      throw trouble === undefined ? error : toProblem(trouble, error)
    })
  try {
    makeOwnFolder(source.own)
    makeFolder(folder)
    const fresh = await build('external')
    const output = outputOf(source, folder, fresh.cached)
    writeWhole(output, fresh.code)
    writeWhole(index, JSON.stringify(fresh.cached))
    return pathToFileURL(output).href
  } catch (error) {
    if (!isUnwritable(error)) throw error
    const { code } = await build('bundle')
    return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
  }
}

/** Imports a module that transpile() has made, so that the places in its stacks are those of its sources. */
export async function importModule(url: string): Promise<Record<string, unknown>> {
  process.setSourceMapsEnabled(true)
  return (await import(url)) as Record<string, unknown>
}

function isUnwritable(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return ['EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOTDIR', 'ENOSPC', 'EDQUOT'].includes(String(code))
}

async function bundle(
  { entry, wrapper, plugins, findsPackages = false, sourcemap = false }: ModuleSource,
  folder: string,
  packages: 'external' | 'bundle',
): Promise<{ cached: Cached; code: string }> {
  const { build } = await import('esbuild')
  const result = await build({
    ...(wrapper === undefined
      ? { entryPoints: [entry] }
      : { stdin: { contents: wrapper, resolveDir: dirname(entry), sourcefile: 'dbkit-wrapper.js' } }),
    bundle: true,
    write: false,
    metafile: true,
    // Where the result will lie, so that the places it remembers are found from there.
    outfile: join(folder, 'module.mjs'),
    ...(sourcemap ? { sourcemap: 'inline' as const, sourcesContent: false } : {}),
    absWorkingDir: dirname(entry),
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: findsPackages ? 'bundle' : packages,
    // As Node resolves: not the variant that packages offer to bundlers.
    conditions: [],
    // The file moves into the cache; what it computes from its own place must not.
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(entry).href),
      'import.meta.dirname': JSON.stringify(dirname(entry)),
    },
    plugins: [...plugins(packages)],
    logLevel: 'silent',
  })
  const inputs = Object.keys(result.metafile.inputs)
    .map((name) => (isAbsolute(name) ? name : join(dirname(entry), name)))
    // What a plugin or the wrapper has made up is no file.
    .filter((name) => existsSync(name))
  return {
    cached: { inputs: Object.fromEntries(inputs.map((input) => [input, hash(readFileSync(input))])) },
    code: result.outputFiles[0]?.text ?? '',
  }
}

/** esbuild's first complaint. */
function troubleOf(error: unknown): BuildTrouble | undefined {
  const [first] =
    (
      error as {
        errors?: {
          text: string
          location: { file: string; line: number; column: number; lineText: string } | null
        }[]
      }
    ).errors ?? []
  if (first === undefined) return undefined
  const { text, location } = first
  return {
    reason: text,
    location:
      location === null
        ? undefined
        : {
            file: location.file,
            line: location.line,
            column: location.column + 1,
            excerpt: location.lineText,
          },
  }
}

function readCache(index: string): Cached | undefined {
  try {
    return JSON.parse(readFileSync(index, 'utf8')) as Cached
  } catch {
    // Missing or half-written by a crash: made anew.
    return undefined
  }
}

function isCurrent(cached: Cached): boolean {
  return Object.entries(cached.inputs).every(
    ([input, expected]) => existsSync(input) && hash(readFileSync(input)) === expected,
  )
}

/** Named by content, because Node keeps a module by its path for the life of the process. */
function outputOf({ prefix, wrapper }: ModuleSource, folder: string, cached: Cached): string {
  const content = JSON.stringify(wrapper === undefined ? cached.inputs : [wrapper, cached.inputs])
  return join(folder, `${prefix}-${hash(Buffer.from(content)).slice(0, 16)}.mjs`)
}

function writeWhole(file: string, text: string): void {
  const aside = `${file}.${String(process.pid)}`
  // Like the configuration itself it may name a password.
  writeFileSync(aside, text, { mode: 0o600 })
  renameSync(aside, file)
}

function hash(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
