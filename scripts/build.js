// Builds what is published:
//   dist/bin    the command line, its packages bundled and every command in a chunk of its own, because reading
//               several hundred files of node_modules costs more than most commands do
//   dist/lib    the library, its packages left to the installer, so that an application has one `pg`, not two
//   dist/docs-site  what pages of `dbkit docs` bring along for a browser: a style sheet and two scripts
//   dist/types  the declarations
// and dist/THIRD-PARTY-NOTICES.txt, for the packages that are inside.
//
// node scripts/build.js [--no-types]
import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { rolldown } from 'rolldown'
import { noticesFor } from './notices.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const fromRoot = (...parts) => join(root, ...parts)

// How long chunks of earlier builds stay: a process that started on them may import another one at any time.
const keepOldChunksMs = 10 * 60_000

// Started as `./embedded-worker.js` beside the code that opens it, which is why every chunk is kept in one flat folder.
const worker = { 'embedded-worker': fromRoot('src/database/embedded-worker.ts') }

// Their types are entries of the package: dbkit/happyrobot and so on.
const databases = ['happyrobot', 'escalation', 'smartscheduler', 'delauto']

const shared = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  chunkNames: 'chunk-[hash]',
  entryNames: '[name]',
  charset: 'utf8',
  legalComments: 'none',
  // Not minified: it saves 4 ms of 120 at start, and costs a stack trace that says where a bug is.
  minify: false,
  logLevel: 'warning',
  metafile: true,
  write: false,
}

// The command line is CommonJS in the end: Node 20 takes 6 ms to set up its loader of ES modules, a tenth of what `node -e 0`
// costs, and esbuild cannot split CommonJS.
// commander loads child_process at its start, which loads all of net and dgram (7 ms), for subcommands that are programs of
// their own. dbkit has none, so it is loaded when it is used.
function lazyChildProcess() {
  return {
    name: 'lazy-child-process',
    transform: {
      filter: { id: /commander[\\/]lib[\\/]command\.js$/ },
      handler(code) {
        const eager = /const (\w+) = require\('node:child_process'\)(\.\w+)?;/
        if (!eager.test(code))
          throw new Error('commander no longer loads child_process this way: see if this is still needed')
        return code.replace(
          eager,
          "const $1 = { spawn: (...args) => require('node:child_process').spawn(...args) };",
        )
      },
    },
  }
}

// umzug can load migrations from files, and write new ones from templates. dbkit has it do neither, and a chunk in which a real
// `import()` stands, or is only spoken of, is not kept compiled.
function umzugWithoutFiles() {
  return {
    name: 'umzug-without-files',
    transform: {
      filter: { id: /umzug[\\/]lib[\\/](?:umzug|templates)\.js$/ },
      handler(code, id) {
        if (id.endsWith('templates.js')) return 'exports.__esModule = true'
        if (!code.includes('import(fileUrl)'))
          throw new Error('umzug no longer loads files this way: see if this is still needed')
        return code.replace('import(fileUrl)', 'require(filepath)')
      },
    },
  }
}

// The serializer of kysely-codegen is bundled, because that package needs TypeScript without saying so, and brings the dialects of four
// other databases: what dbkit calls of it needs neither.
const kyselyCodegen = [
  [/parser[\\/]type-expression-parser(?:\.js)?$/, 'kysely-codegen-type-expressions.js'],
  [/generator[\\/]singularizer$|^\.\/singularizer$/, 'kysely-codegen-singularizer.js'],
  [/introspector[\\/]dialects[\\/]postgres[\\/]postgres-dialect$/, 'kysely-codegen-introspector.js'],
].map(([request, stub]) => ({ request, stub: fromRoot('scripts/stubs', stub) }))
const isOfKyselyCodegen = (importer) => importer?.includes(join('node_modules', 'kysely-codegen')) ?? false
const stubFor = (request, importer) =>
  isOfKyselyCodegen(importer) ? kyselyCodegen.find((one) => one.request.test(request))?.stub : undefined

// A checkout without development dependencies, as a production install of a git URL has it, is built without that emitter.
const hasKyselyCodegen = await isInstalled('kysely-codegen/package.json')
if (!hasKyselyCodegen)
  console.error(
    '--emitter kysely-codegen was left out: kysely-codegen is not installed (it is a development dependency).',
  )

// The same for backups that are encrypted: an older node_modules lacks what a newer checkout depends on.
const hasAge = await isInstalled('age-encryption')
if (!hasAge) console.error('backup --encrypt was left out: age-encryption is not installed. Run npm ci.')

const { kept } = createRequire(import.meta.url)('../bin/compile-cache.cjs')

const bin = {
  outdir: fromRoot('dist/bin'),
  input: {
    input: { main: fromRoot('src/cli/main.ts') },
    cwd: root,
    platform: 'node',
    // Engines find their WASM and their binaries beside themselves, and not everyone installs them.
    external: [
      /^@electric-sql\//,
      'esbuild',
      'pg-native',
      'pg-mem',
      // Under a licence of its own (EPL), so it is installed as it is, and not made a part of another file.
      /^elkjs\//,
      ...(hasKyselyCodegen ? [] : [/^kysely-codegen\//]),
      ...(hasAge ? [] : ['age-encryption']),
    ],
    resolve: {
      alias: {
        '@rushstack/ts-command-line': fromRoot('scripts/stubs/ts-command-line.js'),
        '#supports-color': fromRoot('scripts/stubs/supports-color.js'),
        pg$: fromRoot('scripts/stubs/pg.js'),
        tinyglobby: fromRoot('scripts/stubs/tinyglobby.js'),
      },
    },
    transform: {
      target: 'node20',
      // pg asks whether it runs on Cloudflare by making a Response, which on Node 20 loads the whole of fetch.
      define: { Response: 'undefined' },
    },
    plugins: [
      lazyChildProcess(),
      umzugWithoutFiles(),
      { name: 'kysely-codegen-alone', resolveId: (request, importer) => stubFor(request, importer) },
    ],
    logLevel: 'warn',
  },
  output: {
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'chunk-[name]-[hash].cjs',
    // Names stay, so that a stack still says where it was; what goes is white space and comments, a third of what is read.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    codeSplitting: {
      groups: [
        // What every start needs, in one file: each further one costs a millisecond.
        {
          name: 'start',
          test: /src[\\/](?:errors|report|duration|package-version|index|config[\\/]define-config|cli[\\/](?!progress|render-|ask-|source-root)[^\\/]*)\.ts$|node_modules[\\/]commander[\\/]|rolldown[\\/]runtime/,
        },
        {
          // What every command that looks at a database needs.
          name: 'run',
          test: /src[\\/](?:config[\\/](?!load-)|workspace[\\/](?!git-|own-copy|schema-folder|text-file)|plan|database[\\/](?:open-database|server|server-target|sql-error|quote|ledger|repeatable-ledger|keep-session|script-message)\.|verbs[\\/](?:with-database|change-under-lock|migrate-(?:up|status))|cli[\\/](?:progress|render-human|render-json))|scripts[\\/]stubs[\\/](?:pg|supports-color)\.|node_modules[\\/](?:pg|pg-types|pg-protocol|pg-connection-string|pg-int8|postgres-[a-z]+|chalk)[\\/]/,
        },
      ],
    },
  },
}

const binWorker = {
  ...shared,
  splitting: false,
  entryPoints: worker,
  outdir: fromRoot('dist/bin'),
  external: ['@electric-sql/*'],
}

// Plain scripts, because a page that is opened from a disk may load no modules. Minified, with the notices of what is in them.
const docsSite = {
  ...shared,
  splitting: false,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  legalComments: 'inline',
  entryPoints: {
    site: fromRoot('src/docs-site/site.ts'),
    search: fromRoot('src/docs-site/search.ts'),
    // Not beside site.js under the same name: the bundler would take both for one.
    style: fromRoot('src/docs-site/site.css'),
  },
  outdir: fromRoot('dist/docs-site'),
  banner: { js: '/*! Made by dbkit. Search: MiniSearch, (c) Luca Ongaro, MIT License. */' },
}

const lib = {
  ...shared,
  entryPoints: {
    index: fromRoot('src/index.ts'),
    client: fromRoot('src/client/index.ts'),
    ...Object.fromEntries(databases.map((name) => [name, fromRoot(`src/generated/${name}.ts`)])),
    ...worker,
  },
  outdir: fromRoot('dist/lib'),
  plugins: [
    {
      name: 'packages-external',
      setup({ onResolve }) {
        onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
          if (kind === 'entry-point' || path.startsWith('node:')) return undefined
          const isInside = isOfKyselyCodegen(importer) || importer.startsWith(fromRoot('scripts/stubs'))
          const isBundled = hasKyselyCodegen && (path.startsWith('kysely-codegen/') || isInside)
          return isBundled ? undefined : { path, external: true }
        })
        onResolve({ filter: /^\./ }, ({ path, importer }) => {
          const stub = stubFor(path, importer)
          return stub === undefined ? undefined : { path: stub }
        })
      },
    },
  ],
}

/** Every module that a bundle holds. */
const bundled = []
const noteInputs = ({ inputs }) => bundled.push(...Object.keys(inputs).map((path) => join(root, path)))

async function bundle(options) {
  const { outputFiles, metafile } = await esbuild.build(options)
  noteInputs(metafile)
  return writeAll(options.outdir, outputFiles)
}

async function bundleBin() {
  const bundler = await rolldown(bin.input)
  const { output } = await bundler.generate(bin.output)
  await bundler.close()
  refuseImports(output)
  const { outputFiles, metafile } = await esbuild.build(binWorker)
  noteInputs(metafile)
  bundled.push(...output.flatMap(({ moduleIds = [] }) => moduleIds))
  const chunks = output.map(({ fileName, code }) => ({
    path: join(bin.outdir, fileName),
    contents: Buffer.from(code),
  }))
  await forgetCompiled(new Set(output.map(({ fileName }) => fileName)))
  return writeAll(bin.outdir, [...chunks, ...outputFiles])
}

// What bin/compile-cache.cjs has kept of earlier builds.
async function forgetCompiled(current) {
  const folder = fromRoot('.dbkit/cache')
  for (const name of (await readdir(folder).catch(absent)) ?? [])
    if (kept.test(name) && !current.has(name.replace(/\.cjs\..*$/, '.cjs')))
      await rm(join(folder, name), { force: true })
}

// V8 forgets what `import()` needs when a chunk comes out of the cache of bin/compile-cache.cjs.
function refuseImports(output) {
  for (const { fileName, code } of output) {
    const found = kept.test(fileName) ? /\bimport\(.{0,60}/.exec(code) : null
    if (found !== null)
      throw new Error(
        `${fileName} is kept compiled, and holds ${found[0]}: import it statically, or in a module that has a chunk of its own`,
      )
  }
}

async function writeAll(outdir, outputFiles) {
  await mkdir(outdir, { recursive: true })
  // Chunks before the entries that name them: a process starting meanwhile sees the old build or the new one.
  const isChunk = (file) => file.path.includes('chunk-')
  const ordered = [...outputFiles].sort((a, b) => Number(isChunk(b)) - Number(isChunk(a)))
  for (const file of ordered) await writeIfChanged(file.path, file.contents)
  await removeOldChunks(outdir, new Set(outputFiles.map((file) => file.path)))
  return outputFiles
}

async function writeIfChanged(path, contents) {
  const before = await readFile(path).catch(absent)
  if (before?.equals(contents)) return
  // Renamed into place: a reader never meets half a file.
  const draft = `${path}.${process.pid}.tmp`
  await writeFile(draft, contents)
  await rename(draft, path)
}

async function removeOldChunks(folder, current) {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (current.has(path)) continue
    const found = await stat(path).catch(absent)
    if (found && Date.now() - found.mtimeMs > keepOldChunksMs)
      await rm(path, { recursive: true, force: true })
  }
}

function absent(error) {
  if (error.code === 'ENOENT') return undefined
  throw error
}

async function declarations() {
  const compiler = await findCompiler()
  if (!compiler) {
    console.error('dist/types was left out: typescript is not installed (it is a development dependency).')
    return true
  }
  await rm(fromRoot('dist/types'), { recursive: true, force: true })
  const child = spawn(
    process.execPath,
    [compiler, '-p', fromRoot('tsconfig.build.json'), '--pretty', 'false'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  return code === 0
}

async function isInstalled(name) {
  try {
    import.meta.resolve(name)
    return true
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return false
    throw error
  }
}

async function findCompiler() {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin', 'tsc')
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

async function timed(what, work) {
  const started = performance.now()
  const result = await work()
  console.log(`${what.padEnd(10)} ${String(Math.round(performance.now() - started)).padStart(5)} ms`)
  return result
}

const unknown = process.argv.slice(2).filter((argument) => argument !== '--no-types')
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(' ')}. Usage: node scripts/build.js [--no-types]`)
  process.exit(2)
}

const parts = [
  ['dist/bin', bundleBin],
  ['dist/lib', () => bundle(lib)],
  ['dist/docs-site', () => bundle(docsSite)],
]
if (!process.argv.includes('--no-types')) {
  // The compiler is a process of its own, so the bundles do not wait for it.
  parts.push(['dist/types', declarations])
}
const outcomes = await Promise.allSettled(parts.map(([what, work]) => timed(what, work)))
if (outcomes.every(({ status }) => status === 'fulfilled'))
  await writeIfChanged(fromRoot('dist/THIRD-PARTY-NOTICES.txt'), Buffer.from(await noticesFor(bundled)))
for (const [index, outcome] of outcomes.entries()) {
  const what = parts[index][0]
  if (outcome.status === 'fulfilled' && outcome.value) continue
  process.exitCode = 1
  // esbuild and tsc have printed their own messages; anything else is told here.
  const error = outcome.reason
  console.error(error && !error.errors ? error : `${relative(root, fromRoot(what))} was not built.`)
}
