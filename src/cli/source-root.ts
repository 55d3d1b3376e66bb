import { spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'

/**
 * Paths as code hosts know them: from the top of the git repository that holds the configuration, or from the current folder where there
 * is no repository, or no git. With slashes everywhere.
 */
export function pathFromTop(root: string, cwd: string): (file: string) => string {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--show-toplevel'], {
    cwd: root,
    encoding: 'utf8',
  })
  // git follows symbolic links, and so has to be followed.
  const top = realpathSync(status === 0 ? stdout.replace(/\r?\n$/, '') : cwd)
  const from = realpathSync(root)
  return (file) => relative(top, resolve(from, file)).split(sep).join('/')
}
