// Packs the package, unpacks it where only its own dependencies can be found, and uses it as a stranger would:
// compiles a program against its types, imports it, and runs its command. In the checkout all of that works even
// when a file is missing from "files" or a dependency is declared for development only.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

function run(what, command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: 'pipe' })
  if (error) throw error
  if (status !== 0) throw new Error(`${what} failed with exit ${status}.\n${stdout}${stderr}`)
  console.log(`ok: ${what}`)
  return stdout
}

/** Of the package with what npm installs with it by default, in MB. */
function installedSize(app) {
  const megabytes = (paths) => {
    const out = spawnSync('du', ['-skc', ...paths], { encoding: 'utf8' }).stdout
    return Math.round(Number(/(\d+)\s+total/.exec(out)?.[1]) / 1024)
  }
  const own = megabytes([join(app, 'node_modules', manifest.name)])
  const closure = (names, seen = new Set()) => {
    for (const name of names) {
      const folder = join(root, 'node_modules', name)
      if (seen.has(folder) || !existsSync(folder)) continue
      seen.add(folder)
      const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
        readFileSync(join(folder, 'package.json'), 'utf8'),
      )
      closure([...Object.keys(dependencies), ...Object.keys(optionalDependencies)], seen)
    }
    return [...seen]
  }
  const needed = closure([...Object.keys(manifest.dependencies), 'pg'])
  const optional = closure(Object.keys(manifest.optionalDependencies))
  return `${own} MB itself, ${megabytes(needed)} MB in ${needed.length} packages, ${megabytes(optional)} MB of embedded engine and PostGIS, which are optional`
}

const app = mkdtempSync(join(tmpdir(), 'dbkit-package-'))
try {
  const packed = run(
    'npm pack',
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', app],
    root,
  )
  const [{ filename, files, size }] = JSON.parse(packed)
  console.log(`    ${files.length} files, ${Math.ceil(size / 1024)} kB`)
  const stray = files.filter(({ path }) =>
    /(^|\/)(test|fixtures|node_modules|\.env[^/]*)(\/|$)|\.tmp$/.test(path),
  )
  if (stray.length > 0) throw new Error(`Not for users: ${stray.map(({ path }) => path).join(', ')}`)

  if (!files.some(({ path }) => path === 'dist/THIRD-PARTY-NOTICES.txt'))
    throw new Error('The licences of the bundled packages are not packed.')

  const home = join(app, 'node_modules', manifest.name)
  mkdirSync(home, { recursive: true })
  run('unpack', 'tar', ['-xzf', join(app, filename), '-C', home, '--strip-components=1'], app)

  const provided = [
    ...Object.keys(manifest.dependencies),
    ...Object.keys(manifest.peerDependencies),
    ...Object.keys(manifest.optionalDependencies),
    '@types/node',
  ]
  for (const name of provided) {
    const target = join(app, 'node_modules', name)
    mkdirSync(dirname(target), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), target)
  }

  writeFileSync(join(app, 'package.json'), '{ "type": "module", "private": true }\n')
  writeFileSync(
    join(app, 'user.ts'),
    "import * as dbkit from 'dbkit'\n\nexport const names: string[] = Object.keys(dbkit)\n",
  )
  const options = {
    strict: true,
    noEmit: true,
    // Here our declarations are the ones to check, with nothing but Node's own types to lean on.
    skipLibCheck: false,
    types: ['node'],
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2022'],
  }
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['user.ts'] }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  run('compile a program that imports it', process.execPath, [tsc, '-p', '.', '--pretty', 'false'], app)

  // An application with types, test databases and queries; it writes into the user's cache, as it would at home. The types have to
  // resolve however it resolves modules, and fit each Kysely that the package allows; the newest asks for Node 22.
  cpSync(join(root, 'fixtures/consumer'), join(app, 'consumer'), { recursive: true })
  const [major] = process.versions.node.split('.').map(Number)
  for (const [kysely, least] of [
    ['kysely', 20],
    ['kysely-newest', 22],
  ]) {
    const link = join(app, 'node_modules/kysely')
    rmSync(link)
    symlinkSync(join(root, 'node_modules', kysely), link)
    const { version } = JSON.parse(readFileSync(join(link, 'package.json'), 'utf8'))
    for (const [module, resolution] of [
      ['node16', 'node16'],
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ])
      run(
        `compile a consumer with Kysely ${version}, modules as ${resolution}`,
        process.execPath,
        [
          tsc,
          '-p',
          'consumer',
          '--module',
          module,
          '--moduleResolution',
          resolution,
          '--noEmit',
          'false',
          '--pretty',
          'false',
        ],
        app,
      )
    if (major >= least)
      run(`run the consumer with Kysely ${version}`, process.execPath, ['consumer/consumer.js'], app)
    else console.log(`not run: the consumer with Kysely ${version}, which asks for Node ${least}`)
  }
  rmSync(join(app, 'node_modules/kysely'))
  symlinkSync(join(root, 'node_modules/kysely'), join(app, 'node_modules/kysely'))

  // Types alone load nothing: neither Kysely nor a driver has to be there.
  const bare = join(app, 'bare')
  mkdirSync(join(bare, 'node_modules'), { recursive: true })
  symlinkSync(home, join(bare, 'node_modules/dbkit'))
  const codes =
    "import('dbkit/smartscheduler').then(({ JobStatus }) => console.log(JobStatus.Open, process.moduleLoadList.length > 0))"
  const preserve = ['--preserve-symlinks', '-e', codes]
  if (
    !run('load a constant where nothing else is installed', process.execPath, preserve, bare).startsWith('1 ')
  )
    throw new Error('JobStatus.Open is not what it was.')

  console.log(`    installed: ${installedSize(app)}`)

  const listing = "import('dbkit').then((dbkit) => console.log(Object.keys(dbkit).join(' ')))"
  const exported = run('import it', process.execPath, ['-e', listing], app).trim()
  if (exported === '') throw new Error('The package exports nothing.')
  console.log(`    ${exported}`)

  for (const [name, path] of Object.entries(manifest.bin)) {
    const program = join(home, path)
    if (!existsSync(program)) throw new Error(`${name} is declared as ${path}, which was not packed.`)
    const version = run(`${name} --version`, process.execPath, [program, '--version'], app).trim()
    if (!version.includes(manifest.version))
      throw new Error(`It says ${version}, and is ${manifest.version}.`)
    run(`${name} --help`, process.execPath, [program, '--help'], app)
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(app, { recursive: true, force: true })
}
