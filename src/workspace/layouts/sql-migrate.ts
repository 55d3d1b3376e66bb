import { problem, type DbkitError } from '../../errors.js'
import { canonicalVersion, compareText, compareVersions } from '../version.js'
import { keptWhole, markersIn, nextNumber, type Marker } from './files.js'
import type { Draft, Folder, Layout, Section } from './layout.js'

const MARK = /^--\s*\+migrate\s+(\S.*?)\s*$/

/** 1_name.sql with -- +migrate Up and Down in it, each as often as one likes. */
export const sqlMigrate: Layout = {
  name: 'sql-migrate',
  recognise(folder) {
    const file = folder.names.find(
      (name) => /^[^/]+\.sql$/.test(name) && /^--\s*\+migrate\s+Up\b/m.test(folder.text(name)),
    )
    return file === undefined ? undefined : `-- +migrate Up in ${folder.show(file)}`
  },
  read(folder) {
    const problems: DbkitError[] = []
    const migrations: Draft[] = []
    for (const file of folder.names) {
      if (!/^[^/]+\.sql$/.test(file)) continue
      const sections = sectionsOf(folder, file)
      if ('code' in sections) problems.push(sections)
      else migrations.push({ version: file, name: file.slice(0, -'.sql'.length), ...sections })
    }
    return { migrations, order: compareIds, problems }
  },
  create(title, context) {
    const label = `${nextNumber(context, 'timestamp')}-${title}`
    const { texts } = context
    const section = (way: 'up' | 'down'): string => {
      const outside = texts?.transaction[way] === false
      const head = `-- +migrate ${way === 'up' ? 'Up' : 'Down'}${outside ? ' notransaction' : ''}\n`
      return head + (outside ? (texts[way] ?? '') : keptWhole(texts?.[way], '+migrate'))
    }
    return [{ path: `${label}.sql`, text: `${section('up')}\n${section('down')}` }]
  },
}

/** By the number that both begin with, else as text. */
function compareIds(a: string, b: string): number {
  const [left, right] = [/^\d+/.exec(a)?.[0], /^\d+/.exec(b)?.[0]]
  const byNumber =
    left === undefined || right === undefined
      ? 0
      : compareVersions(canonicalVersion(left), canonicalVersion(right))
  return byNumber || compareText(a, b)
}

function sectionsOf(folder: Folder, file: string): { up: Section; down?: Section } | DbkitError {
  const text = folder.text(file)
  const markers = markersIn(text, MARK)
  const wordsOf = ({ text: line }: Marker): readonly string[] => (MARK.exec(line)?.[1] ?? '').split(/\s+/)
  const heads = markers.filter((marker) => wordsOf(marker)[0] === 'Up' || wordsOf(marker)[0] === 'Down')
  const section = (direction: 'Up' | 'Down'): Section | undefined => {
    const own = heads.filter((marker) => wordsOf(marker)[0] === direction)
    const [first] = own
    const last = own.at(-1)
    if (first === undefined || last === undefined) return undefined
    const endOf = (head: Marker): number => heads[heads.indexOf(head) + 1]?.start ?? text.length
    const to = endOf(last)
    const between = heads.filter((head) => head.start > first.start && head.start < to && !own.includes(head))
    return {
      file,
      from: first.end,
      to,
      // Said of one of its parts it holds for all.
      transaction: own.some((head) => wordsOf(head).includes('notransaction')) ? 'none' : 'one',
      edits: () => between.map((head) => ({ from: head.start, to: endOf(head), text: '' })),
    }
  }
  const [up, down] = [section('Up'), section('Down')]
  if (up === undefined)
    return problem('layout.no-up', { file: folder.show(file), tool: 'sql-migrate', marker: '-- +migrate Up' })
  return down === undefined ? { up } : { up, down }
}
