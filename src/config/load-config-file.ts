import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DbkitError, problem } from '../errors.js'
import { transpile, type ModulePlugin } from './load-module.js'

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

/** The URL of a TypeScript configuration as a module. */
function transpiled(file: string): Promise<string> {
  return transpile(
    { entry: file, own: join(dirname(file), '.dbkit'), prefix: 'config', plugins: () => [defineConfigAlone] },
    (about, cause) =>
      problem(
        'config.unloadable',
        { file, reason: about.reason },
        { location: about.location === undefined ? undefined : { ...about.location, file }, cause },
      ),
  )
}

/** A project that runs dbkit through npx has no dbkit to import; all a configuration needs of it is this function. */
const defineConfigAlone: ModulePlugin = {
  name: 'define-config',
  setup(setup) {
    setup.onResolve({ filter: /^dbkit$/ }, () => ({ path: 'dbkit', namespace: 'define-config' }))
    setup.onLoad({ filter: /.*/, namespace: 'define-config' }, () => ({
      contents: 'export const defineConfig = (config) => config',
    }))
  },
}
