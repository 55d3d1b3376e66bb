import { problem, type DbkitError } from '../../errors.js'
import { compareText } from '../version.js'
import { timestampOf } from './files.js'
import type { Draft, Folder, Layout, Section } from './layout.js'

const UP = /^\s*--[\s-]*up\s+migration/im
const DOWN = /^\s*--[\s-]*down\s+migration/im

/** 1700000000000_name.sql with -- Up Migration and -- Down Migration in it; whole names are what tells migrations apart. */
export const nodePgMigrate: Layout = {
  name: 'node-pg-migrate',
  recognise(folder) {
    const file = folder.names.find((name) => /^\d+[^/]*\.sql$/.test(name) && UP.test(folder.text(name)))
    return file === undefined ? undefined : `-- Up Migration in ${folder.show(file)}`
  },
  read(folder) {
    const problems: DbkitError[] = []
    const migrations = folder.names.flatMap((file): readonly Draft[] => {
      if (!/^[^/]+\.(?:sql|[cm]?[jt]s)$/.test(file)) return []
      if (!file.endsWith('.sql')) {
        problems.push(problem('layout.not-sql', { file: folder.show(file), tool: 'node-pg-migrate' }))
        return []
      }
      const name = file.replace(/(?:\.up)?\.sql$/, '')
      if (!/^\d/.test(name)) {
        const why = 'it does not begin with a number, which node-pg-migrate refuses'
        problems.push(problem('workspace.bad-name', { file: folder.show(file), why }))
        return []
      }
      if (file.endsWith('.down.sql')) return []
      return [{ version: name, name, ...sectionsOf(folder, file, name) }]
    })
    return { migrations, order: compareNames, problems }
  },
  create(title, { known, now, timestamp, texts }) {
    const last = /^\d+/.exec(known.at(-1)?.name ?? '')?.[0] ?? ''
    const prefix =
      last.length === 17
        ? now.toISOString().replaceAll(/\D/g, '')
        : timestamp !== true && last !== '' && last.length < 12
          ? String(Number(last) + 1).padStart(last.length, '0')
          : last.length === 14
            ? timestampOf(now)
            : String(now.getTime())
    return [
      {
        path: `${prefix}_${title}.sql`,
        text: `-- Up Migration\n${texts?.up ?? ''}\n-- Down Migration\n${texts?.down ?? ''}`,
      },
    ]
  },
}

function sectionsOf(folder: Folder, file: string, name: string): { up: Section; down?: Section } {
  const text = folder.text(file)
  const part = (from: number, to: number): Section => ({ file, from, to, transaction: 'one' })
  if (file.endsWith('.up.sql')) {
    const down = `${name}.down.sql`
    const up = part(0, text.length)
    return folder.names.includes(down)
      ? { up, down: { file: down, from: 0, to: folder.text(down).length, transaction: 'one' } }
      : { up }
  }
  const [up, down] = [text.search(UP), text.search(DOWN)]
  const end = (from: number, other: number): number => (other > from ? other : text.length)
  return {
    up: up < 0 ? part(0, text.length) : part(up, end(up, down)),
    ...(down < 0 ? {} : { down: part(down, end(down, up)) }),
  }
}

/** By the time that the number means (17 digits are a date, 13 are milliseconds), and the rest as people sort. */
function compareNames(a: string, b: string): number {
  return timeOf(a) - timeOf(b) || collator.compare(a, b) || compareText(a, b)
}

const collator = new Intl.Collator(undefined, {
  usage: 'sort',
  numeric: true,
  sensitivity: 'variant',
  ignorePunctuation: true,
})

function timeOf(name: string): number {
  const digits = /^\d+/.exec(name)?.[0] ?? '0'
  if (digits.length !== 17) return Number(digits)
  const [, year, month, day, hours, minutes, seconds, rest] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/.exec(digits) ?? []
  return Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hours ?? ''}:${minutes ?? ''}:${seconds ?? ''}.${rest ?? ''}Z`,
  )
}
