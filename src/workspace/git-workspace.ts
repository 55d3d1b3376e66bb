import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, sep } from 'node:path'
import { problem } from '../errors.js'
import { readWorkspace, type Workspace } from './workspace.js'

/** The migrations of another commit of the same repository. */
export interface BaseWorkspace {
  readonly ref: string
  readonly workspace: Workspace
  /** Names that both had where the two ways parted: what is no longer here of them was removed on purpose. */
  readonly shared: ReadonlySet<string>
}

/**
 * Reads the folder of migrations as it is at a git ref, and hands it to `body`; the files are there as long as that runs. Fails with
 * `request.bad-base`.
 */
export async function withWorkspaceAt<T>(
  source: { readonly name: string; readonly migrations: string },
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
  try {
    const files = filesAt(git, commit, path)
    for (const [name, content] of contentsOf(git, commit, path, files))
      writeFileSync(join(folder, name), content)
    const workspace = readWorkspace({ name: source.name, migrations: folder }, folder, {
      mayLackDowns: true,
      shownAs: `${ref}:${path}`,
    })
    return await body({ ref, workspace, shared: namesAtFork(git, commit, path) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
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

/** The .sql files right in a folder. */
function filesAt(git: Git, commit: string, path: string): readonly string[] {
  const below = path === '' ? [] : ['--', `${path}/`]
  return git(['ls-tree', '-z', '--name-only', '--full-tree', commit, ...below])
    .toString('utf8')
    .split('\0')
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.slice(name.lastIndexOf('/') + 1))
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
  let fork: string
  try {
    fork = git(['merge-base', 'HEAD', commit]).toString('utf8').trim()
  } catch {
    return new Set()
  }
  return new Set(
    filesAt(git, fork, path)
      .filter((name) => name.endsWith('.up.sql'))
      .map((name) => name.slice(0, -'.up.sql'.length)),
  )
}
