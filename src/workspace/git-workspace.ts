import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, sep } from 'node:path'
import { problem } from '../errors.js'
import type { LayoutName } from './layouts/names.js'
import { isModuleName } from './migration-file.js'
import { readWorkspace, type Workspace, type WorkspaceSource } from './workspace.js'

/** The migrations of another commit of the same repository. */
export interface BaseWorkspace {
  readonly ref: string
  readonly workspace: Workspace
  /** Names that both had where the two ways parted: what is no longer here of them was removed on purpose. */
  readonly shared: ReadonlySet<string>
}

/**
 * Reads the folder of migrations as it is at a git ref, and hands it to `body`; the files are there as long as that runs. The layout is
 * that of the folder as it is now: what shows it may stand around the folder. Fails with `request.bad-base`.
 */
export async function withWorkspaceAt<T>(
  source: WorkspaceSource & { readonly layout: LayoutName },
  ref: string,
  body: (base: BaseWorkspace) => Promise<T>,
): Promise<T> {
  const git = gitIn(source.migrations, ref)
  const top = git(['rev-parse', '--show-toplevel']).toString('utf8').trim()
  // A ref that begins with a hyphen would be an option.
  const commit = git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`])
    .toString('utf8')
    .trim()
  const path = relative(realpathSync(top), realExisting(source.migrations)).split(sep).join('/')
  const folder = mkdtempSync(join(tmpdir(), 'dbkit-base-'))
  const readAt = (at: string, aside: string, shownAs: string): Workspace => {
    const migrations = join(folder, aside)
    for (const [name, content] of contentsOf(git, at, path, filesAt(git, at, path, source.layout))) {
      mkdirSync(dirname(join(migrations, name)), { recursive: true })
      writeFileSync(join(migrations, name), content)
    }
    return readWorkspace({ ...source, migrations }, folder, {
      mayBeMissing: true,
      mayLackDowns: true,
      shownAs,
      packagesFrom: source.migrations,
    })
  }
  try {
    const workspace = readAt(commit, 'base', `${ref}:${path}`)
    const shared =
      source.layout === 'dbkit'
        ? namesAtFork(git, commit, path)
        : namesOf(forkOf(git, commit), (fork) => readAt(fork, 'fork', `${fork}:${path}`))
    return await body({ ref, workspace, shared })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function namesOf(fork: string | undefined, read: (fork: string) => Workspace): ReadonlySet<string> {
  return new Set(fork === undefined ? [] : read(fork).migrations.map(({ name }) => name))
}

type Git = (args: readonly string[], input?: string) => Buffer

function gitIn(folder: string, ref: string): Git {
  let cwd = folder
  while (!existsSync(cwd)) cwd = dirname(cwd)
  return (args, input) => {
    const { status, stdout, stderr, error } = spawnSync('git', args, {
      cwd,
      maxBuffer: 2 ** 30,
      ...(input === undefined ? {} : { input }),
    })
    if (error !== undefined)
      throw problem('request.bad-base', { ref, reason: `git could not be started: ${error.message}` })
    if (status === 0) return stdout
    const said = stderr.toString('utf8').trim().split('\n')[0] ?? ''
    const reason = said === '' ? 'there is no such commit here' : said.replace(/^fatal: /, '')
    throw problem('request.bad-base', { ref, reason })
  }
}

/** A folder that is not there yet may still be in the other commit. */
function realExisting(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : join(realExisting(dirname(folder)), basename(folder))
}

/** The .sql files right in a folder, and code with what it may import; for other layouts all that is below it. */
function filesAt(git: Git, commit: string, path: string, layout: LayoutName): readonly string[] {
  const below = path === '' ? [] : ['--', `${path}/`]
  const deep = layout === 'dbkit' ? [] : ['-r']
  return git(['ls-tree', '-z', '--name-only', '--full-tree', ...deep, commit, ...below])
    .toString('utf8')
    .split('\0')
    .filter((name) => (layout === 'dbkit' ? /\.(?:sql|ts|mts|js|mjs)$/.test(name) : name !== ''))
    .map((name) => name.slice(path === '' ? 0 : path.length + 1))
}

/** All of them through one process: `git show` for each would take seconds for a long history. */
function contentsOf(
  git: Git,
  commit: string,
  path: string,
  names: readonly string[],
): readonly (readonly [name: string, content: Buffer])[] {
  if (names.length === 0) return []
  const wanted = names.map((name) => `${commit}:${path === '' ? '' : `${path}/`}${name}\n`)
  const output = git(['cat-file', '--batch'], wanted.join(''))
  let at = 0
  return names.map((name) => {
    const end = output.indexOf(0x0a, at)
    const size = Number(output.subarray(at, end).toString('utf8').split(' ').at(-1))
    const content = output.subarray(end + 1, end + 1 + size)
    at = end + 1 + size + 1
    return [name, content] as const
  })
}

/** The names of the migrations where the two commits parted; none where they have nothing in common, or too little was fetched. */
function namesAtFork(git: Git, commit: string, path: string): ReadonlySet<string> {
  const fork = forkOf(git, commit)
  if (fork === undefined) return new Set()
  return new Set(
    filesAt(git, fork, path, 'dbkit')
      .filter((name) => name.endsWith('.up.sql') || isModuleName(name))
      .map((name) => name.replace(/\.(?:up\.sql|m?[tj]s)$/, '')),
  )
}

/** Where the two ways parted; unknown where they have nothing in common, or too little was fetched. */
function forkOf(git: Git, commit: string): string | undefined {
  try {
    return git(['merge-base', 'HEAD', commit]).toString('utf8').trim()
  } catch {
    return undefined
  }
}
