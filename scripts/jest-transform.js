// TypeScript to JavaScript for jest, by the compiler that also makes the bundle. Types are checked by `npm run types`.
import { transformSync } from 'esbuild'

// As in tsconfig.json: without it esbuild would drop imports that it believes to be types.
const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } }

// A worker thread starts outside jest, where nothing turns TypeScript into JavaScript: it gets the built file.
const worker = {
  source: "new URL('./embedded-worker.js', import.meta.url)",
  built: '../../dist/lib/embedded-worker.js',
}

export function process(source, path) {
  return transformSync(
    source.replace(worker.source, worker.source.replace('./embedded-worker.js', worker.built)),
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

export default { process }
