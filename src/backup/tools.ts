import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { problem } from '../errors.js'

type Environment = Readonly<Record<string, string | undefined>>
export type ToolName = 'pg_dump' | 'pg_restore' | 'psql'

export interface Tool {
  readonly path: string
  readonly major: number
}

/** Where packages put the programs of several majors. */
const ROOTS = [
  '/usr/lib/postgresql',
  '/opt/homebrew/opt',
  '/usr/local/opt',
  '/Applications/Postgres.app/Contents/Versions',
]

/**
 * The program of the wanted major, or the next newer one: an older one refuses a newer server, and a newer one may write what an older
 * server does not know. Fails with `backup.tool-missing` or `backup.tool-too-old`.
 */
export function findTool(name: ToolName, major: number, environment: Environment): Tool {
  const found = candidates(name, environment)
  const fitting = found.filter((tool) => tool.major >= major).sort((a, b) => a.major - b.major)[0]
  if (fitting !== undefined) return fitting
  if (found.length === 0) throw problem('backup.tool-missing', { tool: name, major })
  throw problem('backup.tool-too-old', {
    tool: name,
    major,
    found: [...new Set(found.map((tool) => tool.major))].sort((a, b) => a - b),
  })
}

function candidates(name: ToolName, environment: Environment): readonly Tool[] {
  const places = [
    ...ROOTS.flatMap((root) =>
      existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin', name)) : [],
    ),
    ...(environment['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => join(folder, process.platform === 'win32' ? `${name}.exe` : name)),
  ]
  return places
    .filter((path) => existsSync(path))
    .flatMap((path) => {
      // On Debian /usr/bin/pg_dump chooses a version by the cluster it is asked about, and says it like the others.
      const { stdout, status } = spawnSync(path, ['--version'], {
        encoding: 'utf8',
        env: { PATH: environment['PATH'] ?? '' },
      })
      const version = status === 0 ? /\) (\d+)/.exec(stdout)?.[1] : undefined
      return version === undefined ? [] : [{ path, major: Number(version) }]
    })
}
