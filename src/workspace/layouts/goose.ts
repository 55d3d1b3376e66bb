import { problem, type DbkitError } from '../../errors.js'
import { canonicalVersion, compareVersions } from '../version.js'
import { isOutside, keptWhole, markersIn, nextNumber, type Marker } from './files.js'
import type { Draft, Edit, Folder, Layout, LayoutOptions, Section } from './layout.js'
import { readVariable } from './variables.js'

const MARK = /^\s*--\s*\+goose\s+(\S.*?)\s*$/i

/** 00001_name.sql with -- +goose Up and Down in it. */
export const goose: Layout = {
  name: 'goose',
  recognise(folder) {
    const file = folder.names.find(
      (name) => /^\d+_[^/]*\.sql$/.test(name) && /^\s*--\s*\+goose\s+up\b/im.test(folder.text(name)),
    )
    return file === undefined ? undefined : `-- +goose Up in ${folder.show(file)}`
  },
  read(folder, options) {
    const problems: DbkitError[] = []
    const notes: string[] = []
    const byVersion = new Map<string, Draft>()
    for (const file of folder.names) {
      if (!/^[^/]+\.(?:sql|go)$/.test(file) || file.endsWith('_test.go')) continue
      const digits = /^(\d+)_/.exec(file)?.[1]
      if (digits === undefined || /^0+$/.test(digits)) {
        if (file.endsWith('.sql'))
          notes.push(
            `${folder.show(file)} does not begin with a number from 1 and _, and goose passes over it`,
          )
        continue
      }
      if (file.endsWith('.go')) {
        problems.push(problem('layout.not-sql', { file: folder.show(file), tool: 'goose' }))
        continue
      }
      const version = canonicalVersion(digits)
      const other = byVersion.get(version)
      const sections = sectionsOf(folder, file, options)
      if (other !== undefined) {
        const files = [folder.show(other.up.file), folder.show(file)]
        problems.push(problem('workspace.duplicate-version', { version, files }))
      } else if ('code' in sections) problems.push(sections)
      else byVersion.set(version, { version, name: file.slice(0, -'.sql'.length), ...sections })
    }
    return { migrations: [...byVersion.values()], order: compareVersions, notes, problems }
  },
  create(title, context) {
    const label = `${nextNumber(context, 'timestamp')}_${title}`
    const { texts } = context
    const outside = isOutside(texts)
    const text = (sql: string | undefined): string => (outside ? (sql ?? '\n') : keptWhole(sql, '+goose'))
    return [
      {
        path: `${label}.sql`,
        text: `${outside ? '-- +goose NO TRANSACTION\n' : ''}-- +goose Up\n${text(texts?.up)}\n-- +goose Down\n${text(texts?.down)}`,
      },
    ]
  },
}

function sectionsOf(
  folder: Folder,
  file: string,
  options: LayoutOptions,
): { up: Section; down?: Section } | DbkitError {
  const text = folder.text(file)
  const markers = markersIn(text, MARK)
  const wordsOf = ({ text: line }: Marker): string => (MARK.exec(line)?.[1] ?? '').toLowerCase()
  const at = (words: string): Marker | undefined => markers.find((marker) => wordsOf(marker) === words)
  const unknown = markers.find((marker) => !KNOWN.has(wordsOf(marker)))
  if (unknown !== undefined)
    return problem(
      'layout.unknown-mark',
      {
        file: folder.show(file),
        tool: 'goose',
        mark: unknown.text.trim(),
      },
      { location: { file: folder.show(file), line: unknown.line, column: 1, excerpt: unknown.text } },
    )
  const [up, down] = [at('up'), at('down')]
  if (up === undefined)
    return problem('layout.no-up', { file: folder.show(file), tool: 'goose', marker: '-- +goose Up' })
  if (down !== undefined && down.start < up.start)
    return problem('layout.down-first', { file: folder.show(file), tool: 'goose' })
  const transaction = at('no transaction') === undefined ? 'one' : 'none'
  const section = (from: number, to: number): Section => ({
    file,
    from,
    to,
    transaction,
    ...(at('envsub on') === undefined
      ? {}
      : { edits: () => substitutions(text, { from, to }, markers, wordsOf, folder.show(file), options) }),
  })
  return {
    up: section(up.end, down?.start ?? text.length),
    ...(down === undefined ? {} : { down: section(down.end, text.length) }),
  }
}

const KNOWN = new Set([
  'up',
  'down',
  'statementbegin',
  'statementend',
  'no transaction',
  'envsub on',
  'envsub off',
])

/** $NAME and ${NAME}, with a default after - or :-, wherever ENVSUB is on; \$ is a dollar. */
function substitutions(
  text: string,
  { from, to }: { readonly from: number; readonly to: number },
  markers: readonly Marker[],
  wordsOf: (marker: Marker) => string,
  file: string,
  { environment }: LayoutOptions,
): readonly Edit[] {
  const switches = markers.filter((marker) => wordsOf(marker).startsWith('envsub'))
  const isOn = (index: number): boolean => {
    const last = switches.findLast(({ end }) => end <= index)
    return last !== undefined && wordsOf(last) === 'envsub on'
  }
  const edits: Edit[] = []
  for (const match of text.slice(from, to).matchAll(VARIABLE)) {
    const start = from + match.index
    if (!isOn(start)) continue
    if (match[0] === '$$') continue
    const [whole, escaped, braced, operator, otherwise = '', plain] = match
    const value =
      escaped === undefined
        ? readVariable(
            environment,
            { name: braced ?? plain ?? '', operator, otherwise },
            { file, text, start },
          )
        : '$'
    edits.push({ from: start, to: start + whole.length, text: value })
  }
  return edits
}

// $$ opens and closes bodies of functions.
const VARIABLE = /\$\$|(\\\$)|\$\{([A-Za-z_]\w*)(?:(:?[-?])([^}]*))?\}|\$([A-Za-z_]\w*)/g
