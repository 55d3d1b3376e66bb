import { execFile } from 'node:child_process'
import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'

/** Who committed a line as it stands. */
export interface LineCommit {
  readonly commit: string
  readonly author: string
  /** "2026-11-20", as the author's clock had it. */
  readonly date: string
}

const AT_ONCE = 4

/**
 * Who committed the lines of files, by "shown name:line". A line that is not committed, a file that git does not know, and a folder
 * without git have none: a page says less then.
 */
export async function readBlame(
  files: readonly { readonly path: string; readonly file: string }[],
): Promise<ReadonlyMap<string, LineCommit>> {
  const found = new Map<string, LineCommit>()
  const waiting = [...files]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      for (const [line, commit] of await blameOf(next.path)) found.set(`${next.file}:${String(line)}`, commit)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return found
}

const run = promisify(execFile)

async function blameOf(path: string): Promise<ReadonlyMap<number, LineCommit>> {
  try {
    const { stdout } = await run('git', ['blame', '--porcelain', '--', basename(path)], {
      cwd: dirname(path),
      maxBuffer: 2 ** 28,
    })
    return parsePorcelain(stdout)
  } catch (error) {
    // 128: no repository, or nothing committed; ENOENT: no git. Anything else is not foreseen.
    const { code } = error as { code?: unknown }
    if (code === 128 || code === 'ENOENT') return new Map()
    throw error
  }
}

/** A commit is described where it is first met, and named by its hash from then on. */
export function parsePorcelain(text: string): ReadonlyMap<number, LineCommit> {
  const commits = new Map<string, { author: string; seconds: number; zone: string }>()
  const lines = new Map<number, LineCommit>()
  let current: { hash: string; line: number } | undefined
  for (const row of text.split('\n')) {
    const head = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(row)
    if (head !== null && current === undefined) {
      current = { hash: head[1] ?? '', line: Number(head[2]) }
      continue
    }
    if (current === undefined) continue
    const commit = commits.get(current.hash) ?? { author: '', seconds: 0, zone: '+0000' }
    commits.set(current.hash, commit)
    if (row.startsWith('author ')) commit.author = row.slice('author '.length)
    else if (row.startsWith('author-time ')) commit.seconds = Number(row.slice('author-time '.length))
    else if (row.startsWith('author-tz ')) commit.zone = row.slice('author-tz '.length)
    else if (row.startsWith('\t')) {
      if (!/^0+$/.test(current.hash))
        lines.set(current.line, {
          commit: current.hash.slice(0, 8),
          author: commit.author,
          date: dateOf(commit),
        })
      current = undefined
    }
  }
  return lines
}

function dateOf({ seconds, zone }: { readonly seconds: number; readonly zone: string }): string {
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(zone) ?? []
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -60 : 60)
  return new Date((seconds + offset) * 1000).toISOString().slice(0, 10)
}
