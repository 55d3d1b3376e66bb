import { problem, type DbkitError } from '../../errors.js'
import { compareText } from '../version.js'
import { markersIn, nextNumber, type Marker } from './files.js'
import type { Draft, Folder, Layout, Section } from './layout.js'

const UP = /^--\s*migrate:up(?:\s|$)/
const DOWN = /^--\s*migrate:down(?:\s|$)/

/** 20260101120000_name.sql with -- migrate:up and -- migrate:down in it; file names in the order of text. */
export const dbmate: Layout = {
  name: 'dbmate',
  recognise(folder) {
    const file = folder.names.find(
      (name) => /^\d+.*\.sql$/.test(name) && /^--\s*migrate:up/m.test(folder.text(name)),
    )
    return file === undefined ? undefined : `-- migrate:up in ${folder.show(file)}`
  },
  read(folder) {
    const problems: DbkitError[] = []
    const notes: string[] = []
    const byVersion = new Map<string, Draft>()
    for (const file of folder.names) {
      if (file.includes('/') || !file.endsWith('.sql')) continue
      const version = /^(\d+).*\.sql$/.exec(file)?.[1]
      if (version === undefined) {
        notes.push(`${folder.show(file)} begins with no number, and dbmate passes over it`)
        continue
      }
      const other = byVersion.get(version)
      if (other !== undefined) {
        const files = [folder.show(other.up.file), folder.show(file)]
        problems.push(problem('workspace.duplicate-version', { version, files }))
        continue
      }
      const sections = sectionsOf(folder, file)
      if ('code' in sections) problems.push(sections)
      else byVersion.set(version, { version, name: file.slice(0, -'.sql'.length), ...sections })
    }
    return { migrations: [...byVersion.values()], order: compareText, notes, problems }
  },
  create(title, context) {
    const label = `${nextNumber(context, 'timestamp')}_${title}`
    const { up = '\n', down = '', transaction } = context.texts ?? {}
    const mark = (way: 'up' | 'down'): string =>
      `-- migrate:${way}${transaction?.[way] === false ? ' transaction:false' : ''}\n`
    return [{ path: `${label}.sql`, text: `${mark('up')}${up}\n${mark('down')}${down}\n` }]
  },
}

function sectionsOf(folder: Folder, file: string): { up: Section; down?: Section } | DbkitError {
  const text = folder.text(file)
  const [up] = markersIn(text, UP)
  const [down] = markersIn(text, DOWN)
  if (up === undefined)
    return problem('layout.no-up', { file: folder.show(file), tool: 'dbmate', marker: '-- migrate:up' })
  if (down !== undefined && down.start < up.start)
    return problem('layout.down-first', { file: folder.show(file), tool: 'dbmate' })
  return {
    up: { file, from: up.end, to: down?.start ?? text.length, transaction: ruleOf(up) },
    ...(down === undefined
      ? {}
      : { down: { file, from: down.end, to: text.length, transaction: ruleOf(down) } }),
  }
}

function ruleOf({ text }: Marker): Section['transaction'] {
  return /\btransaction:\s*["']?false/.test(text) ? 'none' : 'one'
}
