import { problem, type DbkitError } from '../../errors.js'
import { canonicalVersion, compareVersions } from '../version.js'
import { nextNumber, wholeFile, withoutDialects } from './files.js'
import type { Draft, Layout } from './layout.js'

const NAME = /^(\d+)_(.*)\.(up|down)\.(.*)$/

/** 000001_name.up.sql and .down.sql; a file is one message, so it may hold transactions of its own. */
export const golangMigrate: Layout = {
  name: 'golang-migrate',
  toldBy: 'go.mod',
  recognise(folder) {
    return folder.around('go.mod') && folder.names.some((name) => /^\d+_.*\.up\.(?:sql|go)$/.test(name))
      ? '.up.sql files in a Go module'
      : undefined
  },
  read(folder) {
    const problems: DbkitError[] = []
    const notes: string[] = []
    const found = new Map<string, { title: string; up?: string; down?: string }>()
    const chosen = withoutDialects(
      folder,
      folder.names.filter((name) => !name.includes('/')),
    )
    notes.push(...chosen.notes)
    for (const file of chosen.names) {
      const [, digits = '', title = '', direction, extension = ''] = NAME.exec(file) ?? []
      if (direction === undefined) {
        if (file.endsWith('.sql'))
          notes.push(`${folder.show(file)} is not named like a migration, and golang-migrate passes over it`)
        continue
      }
      if (extension !== 'sql') {
        problems.push(problem('layout.not-sql', { file: folder.show(file), tool: 'golang-migrate' }))
        continue
      }
      const version = canonicalVersion(digits)
      const entry = found.get(version) ?? { title: `${digits}_${title}` }
      const side = direction === 'up' ? 'up' : 'down'
      const taken = entry[side]
      if (taken !== undefined)
        problems.push(
          problem('workspace.duplicate-version', { version, files: [folder.show(taken), folder.show(file)] }),
        )
      else {
        entry[side] = file
        // An up and its down may bear different titles, and even lengths of their number.
        if (side === 'up') entry.title = `${digits}_${title}`
        found.set(version, entry)
      }
    }
    const migrations = [...found].flatMap(([version, { title, up, down }]): readonly Draft[] => {
      if (up === undefined) {
        problems.push(
          problem('workspace.unpaired', { file: folder.show(down ?? ''), missing: `${title}.up.sql` }),
        )
        return []
      }
      return [
        {
          version,
          name: title,
          up: wholeFile(folder, up, 'sent'),
          down: down === undefined ? undefined : wholeFile(folder, down, 'sent'),
        },
      ]
    })
    return { migrations, order: compareVersions, notes, problems }
  },
  create(title, context) {
    const label = `${nextNumber(context, 6)}_${title}`
    const { texts } = context
    return [
      { path: `${label}.up.sql`, text: texts?.up ?? '' },
      { path: `${label}.down.sql`, text: texts?.down ?? '' },
    ]
  },
}
