// Gives `npx dbkit` in a checkout the checkout's own command, as it would have in a project that installed the package.
// Without the link npx makes an installation of its own for it, which takes seconds and may ask the registry.
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../node_modules/.bin/', import.meta.url))
// Windows needs shims instead of links; there npx does it its own way.
if (process.platform !== 'win32' && !existsSync(`${folder}dbkit`)) {
  mkdirSync(folder, { recursive: true })
  symlinkSync('../../bin/dbkit.cjs', `${folder}dbkit`)
}
