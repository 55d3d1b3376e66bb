// TypeScript to JavaScript for jest, by the compiler that also makes the bundle. Types are checked by `npm run types`.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformSync, version } from 'esbuild'

// As in tsconfig.json: without it esbuild would drop imports that it believes to be types.
const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } }

// A worker thread starts outside jest, where nothing turns TypeScript into JavaScript: it gets the built file.
const worker = {
  source: "new URL('./embedded-worker.js', import.meta.url)",
  built: '../../dist/lib/embedded-worker.js',
}

// What a browser is given is built as well.
const docsSite = [
  "new URL('../docs-site/', import.meta.url)",
  "new URL('../../dist/docs-site/', import.meta.url)",
]

export function process(source, path) {
  return transformSync(
    source
      .replace(worker.source, worker.source.replace('./embedded-worker.js', worker.built))
      .replace(...docsSite),
    {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
      sourcefile: path,
      sourcemap: 'external',
      tsconfigRaw,
    },
  )
}

// Jest keeps what a transform returned. By default it does not ask whether the transform is still the same one.
const self = readFileSync(fileURLToPath(import.meta.url), 'utf8')

export function getCacheKey(source, path, { configString }) {
  return createHash('sha256').update([version, self, configString, path, source].join('\0')).digest('hex')
}

export default { process, getCacheKey }
