import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DbkitError, problem } from '../errors.js'
import { makeOwnFolder } from '../own-folder.js'

const NAMES = ['.ts', '.mts', '.js', '.mjs', '.json'].map((extension) => `dbkit.config${extension}`)

/** The nearest configuration file, from a folder upwards. */
export function findConfigFile(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = NAMES.map((name) => join(at, name)).find((file) => existsSync(file))
    if (found !== undefined || dirname(at) === at) return found
  }
}

/** The value a configuration file exports. Fails with `config.unloadable`. */
export async function loadConfigFile(file: string): Promise<unknown> {
  try {
    switch (extname(file)) {
      case '.json':
        return JSON.parse(readFileSync(file, 'utf8')) as unknown
      case '.ts':
      case '.mts':
        return await importDefault(await transpiled(file))
      default:
        return await importDefault(pathToFileURL(file).href)
    }
  } catch (error) {
    if (error instanceof DbkitError) throw error
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw problem('config.unloadable', { file, reason }, { cause: error })
  }
}

async function importDefault(url: string): Promise<unknown> {
  const module = (await import(url)) as { default?: unknown }
  return module.default
}

interface Cached {
  /** Every file that went into the bundle, with the hash of its content. */
  readonly inputs: Readonly<Record<string, string>>
}

/**
 * Node 20 cannot strip types. A TypeScript configuration is bundled once with what it imports from its own folder, and kept under
 * .dbkit/cache with the hashes of all that went in: the next run reads those files, compares, and imports the result. Where nothing
 * may be written, as in a container that is read-only, it is compiled each time, with the packages it imports: a module without
 * a folder finds none. Returns the URL of the module.
 */
async function transpiled(file: string): Promise<string> {
  const own = join(dirname(file), '.dbkit')
  const folder = join(own, 'cache')
  const key = hash(Buffer.from(file)).slice(0, 16)
  const index = join(folder, `config-${key}.json`)
  const cached = readCache(index)
  if (cached !== undefined && isCurrent(cached)) return pathToFileURL(outputOf(folder, cached)).href
  try {
    makeOwnFolder(own)
    mkdirSync(folder, { recursive: true })
    const fresh = await bundle(file, 'external')
    writeWhole(outputOf(folder, fresh.cached), fresh.code)
    writeWhole(index, JSON.stringify(fresh.cached))
    return pathToFileURL(outputOf(folder, fresh.cached)).href
  } catch (error) {
    if (!isUnwritable(error)) throw error
    const { code } = await bundle(file, 'bundle')
    return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
  }
}

function isUnwritable(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return ['EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOTDIR', 'ENOSPC', 'EDQUOT'].includes(String(code))
}

async function bundle(
  file: string,
  packages: 'external' | 'bundle',
): Promise<{ cached: Cached; code: string }> {
  const { build } = await import('esbuild')
  const result = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    metafile: true,
    absWorkingDir: dirname(file),
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages,
    // The file moves into the cache; what it computes from its own place must not.
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(file).href),
      'import.meta.dirname': JSON.stringify(dirname(file)),
    },
    plugins: [
      {
        // A project that runs dbkit through npx has no dbkit to import; all a configuration needs of it is this function.
        name: 'define-config',
        setup(setup) {
          setup.onResolve({ filter: /^dbkit$/ }, () => ({ path: 'dbkit', namespace: 'define-config' }))
          setup.onLoad({ filter: /.*/, namespace: 'define-config' }, () => ({
            contents: 'export const defineConfig = (config) => config',
          }))
        },
      },
    ],
    logLevel: 'silent',
  }).catch((error: unknown) => {
    throw buildProblem(file, error)
  })
  const inputs = Object.keys(result.metafile.inputs)
    .filter((name) => !name.startsWith('define-config:'))
    .map((name) => join(dirname(file), name))
  return {
    cached: { inputs: Object.fromEntries(inputs.map((input) => [input, hash(readFileSync(input))])) },
    code: result.outputFiles[0]?.text ?? '',
  }
}

/** esbuild's first complaint, as a problem at its place in the file. */
function buildProblem(file: string, error: unknown): unknown {
  const [first] =
    (
      error as {
        errors?: { text: string; location: { line: number; column: number; lineText: string } | null }[]
      }
    ).errors ?? []
  if (first === undefined) return error
  const location =
    first.location === null
      ? undefined
      : {
          file,
          line: first.location.line,
          column: first.location.column + 1,
          excerpt: first.location.lineText,
        }
  return problem('config.unloadable', { file, reason: first.text }, { location, cause: error })
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
function outputOf(folder: string, cached: Cached): string {
  return join(folder, `config-${hash(Buffer.from(JSON.stringify(cached.inputs))).slice(0, 16)}.mjs`)
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
