import { createHash } from 'node:crypto'
import { problem, type DbkitError } from '../../errors.js'
import { compareText, listedOrder } from '../version.js'
import { timestampOf, wholeFile } from './files.js'
import type { Draft, Folder, Layout, Reading } from './layout.js'

const JOURNAL = 'meta/_journal.json'
const NO_WAY_BACK = 'migrations of Drizzle have no way back'

interface Journal {
  readonly version?: string
  readonly dialect?: string
  readonly entries: readonly { readonly idx: number; readonly when: number; readonly tag: string }[]
}

/** 0000_name.sql in the order of meta/_journal.json, or since its first version a folder for each with its snapshot. */
export const drizzle: Layout = {
  name: 'drizzle',
  recognise(folder) {
    if (folder.names.includes(JOURNAL)) return folder.show(JOURNAL)
    const snapshot = folder.names.find((name) => /^[^/]+\/snapshot\.json$/.test(name))
    return snapshot !== undefined && folder.names.includes(snapshot.replace('snapshot.json', 'migration.sql'))
      ? folder.show(snapshot)
      : undefined
  },
  read: (folder) => (folder.names.includes(JOURNAL) ? readJournalled(folder) : readFolders(folder)),
  create(title, { folder, now, texts }) {
    if (!folder.names.includes(JOURNAL) && folder.names.some((name) => name.endsWith('/snapshot.json')))
      return [{ path: `${timestampOf(now)}_${title}/migration.sql`, text: texts?.up ?? '' }]
    const journal = folder.names.includes(JOURNAL)
      ? (JSON.parse(folder.text(JOURNAL)) as Journal)
      : { version: '7', dialect: 'postgresql', entries: [] }
    const idx = (journal.entries.at(-1)?.idx ?? -1) + 1
    const tag = `${String(idx).padStart(4, '0')}_${title}`
    const entry = { idx, version: journal.version ?? '7', when: now.getTime(), tag, breakpoints: true }
    const next = { ...journal, entries: [...journal.entries, entry] }
    return [
      { path: `${tag}.sql`, text: texts?.up ?? '' },
      { path: JOURNAL, text: `${JSON.stringify(next, undefined, 2)}\n`, replaces: true },
    ]
  },
}

function readJournalled(folder: Folder): Reading {
  const problems: DbkitError[] = []
  const journal = parseJournal(folder)
  if ('code' in journal) return { migrations: [], order: compareText, problems: [journal] }
  const { dialect, entries } = journal
  if (dialect !== undefined && dialect !== 'postgresql')
    problems.push(problem('layout.other-dialect', { file: folder.show(JOURNAL), dialect }))
  const notes: string[] = []
  const seen = new Set<string>()
  let latest = { when: -Infinity, tag: '' }
  const migrations = entries.flatMap(({ tag, when }): readonly Draft[] => {
    const file = `${tag}.sql`
    if (seen.has(tag)) {
      problems.push(problem('workspace.duplicate-version', { version: tag, files: [folder.show(JOURNAL)] }))
      return []
    }
    seen.add(tag)
    // Drizzle runs what is younger than the youngest it has run: after a merge that may leave out one.
    if (when < latest.when)
      notes.push(
        `${tag} is dated before ${latest.tag}: where that one was applied, Drizzle would pass over this one in silence`,
      )
    else latest = { when, tag }
    if (!folder.names.includes(file)) {
      problems.push(problem('layout.missing-file', { file: folder.show(file), tool: 'Drizzle' }))
      return []
    }
    const up = wholeFile(folder, file, 'sent')
    return [{ version: tag, name: tag, up, irreversible: NO_WAY_BACK, key: String(when) }]
  })
  for (const name of folder.names)
    if (/^[^/]+\.sql$/.test(name) && !seen.has(name.slice(0, -'.sql'.length)))
      notes.push(`${folder.show(name)} is not in the journal, and Drizzle passes over it`)
  return { migrations, order: listedOrder(entries.map(({ tag }) => tag)), notes, problems }
}

function parseJournal(folder: Folder): Journal | DbkitError {
  const bad = (why: string): DbkitError =>
    problem('layout.unreadable', { file: folder.show(JOURNAL), tool: 'Drizzle', why })
  try {
    const value = JSON.parse(folder.text(JOURNAL)) as { readonly entries?: unknown } | null
    const entries: unknown = value?.entries
    const isEntry = (one: unknown): boolean => {
      const { tag, when } = (one ?? {}) as { readonly tag?: unknown; readonly when?: unknown }
      return typeof tag === 'string' && typeof when === 'number'
    }
    return Array.isArray(entries) && entries.every(isEntry)
      ? (value as Journal)
      : bad('it has no list of entries with a tag and a time')
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return bad(error.message)
  }
}

function readFolders(folder: Folder): Reading {
  const migrations = folder.names.flatMap((file): readonly Draft[] => {
    const name = /^([^/]+)\/migration\.sql$/.exec(file)?.[1]
    if (name === undefined) return []
    const key = createHash('sha256').update(folder.text(file)).digest('hex')
    return [{ version: name, name, up: wholeFile(folder, file, 'sent'), irreversible: NO_WAY_BACK, key }]
  })
  return { migrations, order: compareText }
}
