import { problem, type DbkitError } from '../../errors.js'
import { compareText } from '../version.js'
import { isOutside, timestampOf, wholeFile } from './files.js'
import type { Draft, Folder, Layout } from './layout.js'

const FOLDER = /^([^/]+)\/(up|down)\.sql$/

/** A folder for each migration, with up.sql and down.sql; metadata.toml may take it out of its transaction. */
export const diesel: Layout = {
  name: 'diesel',
  recognise(folder) {
    const file = folder.names.find((name) => FOLDER.exec(name)?.[2] === 'up')
    return file === undefined ? undefined : folder.show(file)
  },
  read(folder) {
    const problems: DbkitError[] = []
    const byVersion = new Map<string, Draft>()
    for (const name of new Set(folder.names.flatMap((file) => FOLDER.exec(file)?.[1] ?? []))) {
      const up = `${name}/up.sql`
      if (!folder.names.includes(up)) {
        problems.push(problem('workspace.unpaired', { file: folder.show(`${name}/down.sql`), missing: up }))
        continue
      }
      // What diesel takes for the version, hyphens left out: "2026-01-01-120000_users" is 20260101120000.
      const version = (name.split('_')[0] ?? name).replaceAll('-', '')
      const other = byVersion.get(version)
      if (other !== undefined) {
        const files = [folder.show(other.up.file), folder.show(up)]
        problems.push(problem('workspace.duplicate-version', { version, files }))
        continue
      }
      const rule = runsInTransaction(folder, name) ? 'one' : 'none'
      const down = `${name}/down.sql`
      byVersion.set(version, {
        version,
        name,
        up: wholeFile(folder, up, rule),
        down: folder.names.includes(down) ? wholeFile(folder, down, rule) : undefined,
      })
    }
    return { migrations: [...byVersion.values()], order: compareText, problems }
  },
  create(title, { now, texts }) {
    const digits = timestampOf(now)
    const day = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8), digits.slice(8)].join('-')
    const label = `${day}-0000_${title}`
    return [
      { path: `${label}/up.sql`, text: texts?.up ?? '-- Your SQL goes here\n' },
      {
        path: `${label}/down.sql`,
        text: texts === undefined ? '-- This file should undo anything in `up.sql`\n' : (texts.down ?? ''),
      },
      ...(isOutside(texts) ? [{ path: `${label}/metadata.toml`, text: 'run_in_transaction = false\n' }] : []),
    ]
  },
}

function runsInTransaction(folder: Folder, name: string): boolean {
  const metadata = `${name}/metadata.toml`
  return (
    !folder.names.includes(metadata) || !/^\s*run_in_transaction\s*=\s*false\b/m.test(folder.text(metadata))
  )
}
