import { createHash } from 'node:crypto'
import { problem, type DbkitError } from '../../errors.js'
import { canonicalVersion, compareVersions } from '../version.js'
import type { Draft, Edit, Folder, Layout, LayoutOptions, Section } from './layout.js'
import { locationOf } from './variables.js'

const COMMITTED = /^committed\/((\d+)(?:-[-_a-zA-Z0-9]*)?)\.sql$/
const HEADER = /^--! ([A-Z][A-Za-z0-9_]*)(?::(.*))?$/

/** committed/000001-name.sql, each with the hash of itself and of the one before it; current.sql is not a migration yet. */
export const graphileMigrate: Layout = {
  name: 'graphile-migrate',
  recognise(folder) {
    const file = folder.names.find(
      (name) => COMMITTED.test(name) && folder.text(name).startsWith('--! Previous:'),
    )
    return file === undefined ? undefined : `--! Previous: in ${folder.show(file)}`
  },
  read(folder, options) {
    const problems: DbkitError[] = []
    const notes: string[] = []
    const settings = settingsOf(folder)
    let before: { readonly file: string; readonly hash: string } | undefined
    const migrations = folder.names.flatMap((file): readonly Draft[] => {
      const [, name, digits = ''] = COMMITTED.exec(file) ?? []
      if (name === undefined) return []
      const text = folder.text(file)
      const { headers, end } = headersOf(text)
      const bad = (why: string): void => {
        problems.push(problem('layout.broken-chain', { file: folder.show(file), why }))
      }
      const [previous, hash] = [headers.get('Previous'), headers.get('Hash')]
      if (previous === undefined || hash === undefined) bad('its head lacks Previous or Hash')
      else if ((before?.hash ?? '-') !== previous)
        bad(
          `it follows ${previous}, and before it is ${before === undefined ? 'nothing' : `${before.file} with ${before.hash}`}`,
        )
      else if (hashOf(text.slice(end), before?.hash, hash) !== hash && !headers.has('AllowInvalidHash'))
        bad(`its text does not have the hash ${hash}`)
      before = { file: folder.show(file), hash: hash ?? '' }
      return [
        {
          version: canonicalVersion(digits),
          name,
          up: sectionOf(folder, file, end, settings, options),
          irreversible: 'migrations of graphile-migrate have no way back',
        },
      ]
    })
    for (const file of folder.names)
      if (
        /^current(?:\.sql$|\/)/.test(file) &&
        folder
          .text(file)
          .replaceAll(/--[^\n]*/g, '')
          .trim() !== ''
      )
        notes.push(`${folder.show(file)} is not committed, and left out`)
    return { migrations, order: compareVersions, notes, problems }
  },
  create(title, { folder, texts }) {
    const head = `--! Message: ${title.replaceAll('_', ' ')}\n\n${texts?.transaction.up === false ? '--! no-transaction\n' : ''}`
    const body = texts?.up ?? '-- graphile-migrate commit makes a migration of this file\n'
    return [{ path: 'current.sql', text: head + body, replaces: isBlank(folder) }]
  },
}

function isBlank(folder: Folder): boolean {
  return (
    folder.names.includes('current.sql') &&
    folder
      .text('current.sql')
      .replaceAll(/--[^\n]*/g, '')
      .trim() === ''
  )
}

function headersOf(text: string): { readonly headers: ReadonlyMap<string, string>; readonly end: number } {
  const headers = new Map<string, string>()
  let end = 0
  for (const line of text.split('\n')) {
    const [, key, value = ''] = HEADER.exec(line.replace(/\r$/, '')) ?? []
    if (key === undefined) break
    headers.set(key, value.trim())
    end += line.length + 1
  }
  return { headers, end: Math.min(end, text.length) }
}

function hashOf(body: string, previous: string | undefined, like: string): string {
  const algorithm = like.split(':')[0] ?? ''
  if (algorithm !== 'sha1' && algorithm !== 'sha256') return ''
  const text = `${`${previous ?? ''}\n${body.replaceAll('\r\n', '\n').trim()}`.trim()}\n`
  return `${algorithm}:${createHash(algorithm).update(text).digest('hex')}`
}

/** The placeholders that .gmrc names, with their values. */
function settingsOf(folder: Folder): ReadonlyMap<string, string> {
  const text = folder.textAround('.gmrc') ?? ''
  const placeholders =
    /"?placeholders"?\s*:\s*\{([^}]*)\}/.exec(text.replaceAll(/^\s*\/\/.*$/gm, ''))?.[1] ?? ''
  return new Map(
    [...placeholders.matchAll(/"?(:[A-Z][A-Z0-9_]*)"?\s*:\s*"([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  )
}

function sectionOf(
  folder: Folder,
  file: string,
  from: number,
  settings: ReadonlyMap<string, string>,
  options: LayoutOptions,
): Section {
  const text = folder.text(file)
  const transaction = /^\s*--!\s*no-transaction\b/.test(text.slice(from)) ? 'none' : 'one'
  return {
    file,
    from,
    to: text.length,
    transaction,
    edits: () => replacements(text, from, folder.show(file), settings, options),
  }
}

/** :DATABASE_NAME, :DATABASE_OWNER and what .gmrc adds to them. */
function replacements(
  text: string,
  from: number,
  file: string,
  settings: ReadonlyMap<string, string>,
  { environment, placeholders }: LayoutOptions,
): readonly Edit[] {
  const names = new Set([':DATABASE_NAME', ':DATABASE_OWNER', ...settings.keys()])
  const edits: Edit[] = []
  for (const match of text.slice(from).matchAll(/:([A-Z][A-Z0-9_]*)\b/g)) {
    const [whole, bare = ''] = match
    if (!names.has(whole)) continue
    const start = from + match.index
    const written = settings.get(whole)
    const value =
      placeholders[bare] ??
      placeholders[whole] ??
      (written === undefined || written === '!ENV' ? environment[bare] : written)
    if (value === undefined || value === '')
      throw problem(
        'layout.unset-variable',
        { name: bare, what: 'placeholder' },
        { location: locationOf({ file, text, start }) },
      )
    edits.push({ from: start, to: start + whole.length, text: value })
  }
  return edits
}
