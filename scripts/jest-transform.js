// TypeScript to JavaScript for jest, by the compiler that also makes the bundle. Types are checked by `npm run types`.
import { transformSync } from 'esbuild'

// As in tsconfig.json: without it esbuild would drop imports that it believes to be types.
const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } }

export function process(source, path) {
  return transformSync(source, {
    loader: 'ts',
    format: 'esm',
    target: 'node20',
    sourcefile: path,
    sourcemap: 'external',
    tsconfigRaw,
  })
}

export default { process }
