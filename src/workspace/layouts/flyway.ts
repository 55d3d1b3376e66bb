import { problem, type DbkitError } from '../../errors.js'
import { canonicalVersion, compareDotted } from '../version.js'
import { timestampOf, wholeFile } from './files.js'
import type { Draft, Edit, Folder, Layout, LayoutOptions, Section } from './layout.js'
import { locationOf } from './variables.js'

const NAME = /^(?:.*\/)?([VUB])(\d+(?:[._]\d+)*)__([^/]*)\.sql$/
const REPEATABLE = /^(?:.*\/)?R__([^/]*)\.sql$/
const CALLBACK = /^(?:.*\/)?(?:before|after|create|drop)[A-Z][A-Za-z]*(?:__[^/]*)?\.sql$/
const PROGRAM = /^(?:.*\/)?[VURB][\d._]*__[^/]*\.(?:java|class|kt|py|js|sh|ps1)$/

/** V1_2__name.sql, U1_2__name.sql and R__name.sql, also in folders below; ${name} stands for a value. */
export const flyway: Layout = {
  name: 'flyway',
  recognise(folder) {
    const file = folder.names.find((name) => NAME.test(name) || REPEATABLE.test(name))
    return file === undefined ? undefined : folder.show(file)
  },
  read(folder, options) {
    const problems: DbkitError[] = []
    const notes: string[] = []
    const settings = settingsOf(folder, options)
    const found = new Map<string, { V?: string; U?: string; B?: string }>()
    const callbacks: string[] = []
    for (const file of folder.names) {
      const [, prefix, written = ''] = NAME.exec(file) ?? []
      if (prefix === undefined) {
        if (CALLBACK.test(file)) callbacks.push(folder.show(file))
        else if (PROGRAM.test(file))
          problems.push(problem('layout.not-sql', { file: folder.show(file), tool: 'Flyway' }))
        else if (file.endsWith('.sql') && !REPEATABLE.test(file))
          notes.push(
            `${folder.show(file)} is not named V1__name.sql, U1__name.sql or R__name.sql, and Flyway passes over it`,
          )
        continue
      }
      const version = canonicalDotted(written)
      const entry = found.get(version) ?? {}
      const kind = prefix as 'V' | 'U' | 'B'
      const taken = entry[kind]
      if (taken === undefined) entry[kind] = file
      else {
        const files = [folder.show(taken), folder.show(file)]
        problems.push(problem('workspace.duplicate-version', { version, files }))
      }
      found.set(version, entry)
    }
    if (callbacks.length > 0) notes.push(`callbacks of Flyway are not run: ${callbacks.join(', ')}`)
    const section = (file: string): Section => sectionOf(folder, file, settings, problems)
    const migrations = migrationsOf(found, folder, notes, problems, section)
    const repeatable = folder.names
      .filter((file) => REPEATABLE.test(file))
      .map((file) => ({
        name: `R__${REPEATABLE.exec(file)?.[1] ?? ''}`,
        up: section(file),
      }))
    const byDescription = repeatable.sort((a, b) => (a.name < b.name ? -1 : 1))
    return { migrations, order: compareDotted, repeatable: byDescription, notes, problems }
  },
  create(title, { folder, known, now, timestamp, texts }) {
    const last = known.at(-1)?.version ?? '0'
    const isClock = timestamp === true || (timestamp === undefined && (last.split('.')[0]?.length ?? 0) >= 8)
    const parts = last.split('.')
    const next = isClock
      ? timestampOf(now)
      : [...parts.slice(0, -1), String(BigInt(parts.at(-1) ?? '0') + 1n)].join('.')
    const written = next.replaceAll('.', '_')
    const undo = folder.names.some((name) => NAME.exec(name)?.[1] === 'U')
    const at = folderOf(folder, known.at(-1)?.name)
    return [
      { path: `${at}V${written}__${title}.sql`, text: texts?.up ?? '' },
      ...(undo ? [{ path: `${at}U${written}__${title}.sql`, text: texts?.down ?? '' }] : []),
    ]
  },
}

/** "1_02" is 1.2, and so is "1.2.0". */
function canonicalDotted(written: string): string {
  const parts = written.split(/[._]/).map(canonicalVersion)
  while (parts.length > 1 && parts.at(-1) === '0') parts.pop()
  return parts.join('.')
}

/** Where the file of a migration is. */
function folderOf(folder: Folder, name: string | undefined): string {
  const file = folder.names.find((one) => one.slice(one.lastIndexOf('/') + 1) === `${name ?? ''}.sql`) ?? ''
  return file.slice(0, file.lastIndexOf('/') + 1)
}

function migrationsOf(
  found: ReadonlyMap<string, { V?: string; U?: string; B?: string }>,
  folder: Folder,
  notes: string[],
  problems: DbkitError[],
  section: (file: string) => Section,
): readonly Draft[] {
  const bases = [...found].filter(([, { B }]) => B !== undefined)
  const [base] = bases.sort(([a], [b]) => compareDotted(b, a))
  const covered = [...found].filter(
    ([version, { V }]) => base !== undefined && V !== undefined && compareDotted(version, base[0]) <= 0,
  )
  if (base?.[1].B !== undefined && covered.length > 0)
    notes.push(
      `${folder.show(base[1].B)} stands for migrations that are all here: those are run, and it is not`,
    )
  return [...found].flatMap(([version, { V, U, B }]): readonly Draft[] => {
    const up = V ?? (version === base?.[0] && covered.length === 0 ? B : undefined)
    if (up === undefined) {
      if (U !== undefined)
        problems.push(
          problem('workspace.unpaired', { file: folder.show(U), missing: U.replace(/U(?=[^/]*$)/, 'V') }),
        )
      return []
    }
    const name = up.slice(up.lastIndexOf('/') + 1, -'.sql'.length)
    const down = U === undefined ? {} : { down: section(U) }
    return [{ version, name, up: section(up), ...down, irreversible: 'there is no undo migration (U) of it' }]
  })
}

// ---- what is put into a file, and how it is run

interface Settings {
  readonly replace: boolean
  readonly prefix: string
  readonly suffix: string
  readonly values: ReadonlyMap<string, string>
}

/** From flyway.conf or flyway.toml, the environment and dbkit's configuration; the last wins. Names count in any case. */
function settingsOf(folder: Folder, { environment, placeholders }: LayoutOptions): Settings {
  const values = new Map<string, string>([
    ['flyway:defaultschema', 'public'],
    ['flyway:table', 'flyway_schema_history'],
  ])
  let replace = true
  let [prefix, suffix] = ['${', '}']
  const take = (key: string, value: string): void => {
    const name = /^flyway\.placeholders\.(.+)$/i.exec(key)?.[1]
    if (name !== undefined) values.set(name.toLowerCase(), value)
    else if (/^flyway\.placeholderReplacement$/i.test(key)) replace = value !== 'false'
    else if (/^flyway\.placeholderPrefix$/i.test(key)) prefix = value
    else if (/^flyway\.placeholderSuffix$/i.test(key)) suffix = value
    else if (/^flyway\.defaultSchema$/i.test(key)) values.set('flyway:defaultschema', value)
  }
  for (const name of ['flyway.conf', 'conf/flyway.conf'])
    for (const [key, value] of propertiesIn(folder.textAround(name) ?? '')) take(key, value)
  for (const [key, value] of tomlIn(folder.textAround('flyway.toml') ?? '')) take(key, value)
  for (const [key, value = ''] of Object.entries(environment)) {
    const name = /^FLYWAY_PLACEHOLDERS_(.+)$/.exec(key)?.[1]
    if (name !== undefined) values.set(name.toLowerCase(), value)
  }
  for (const [key, value] of Object.entries(placeholders)) values.set(key.toLowerCase(), value)
  return { replace, prefix, suffix, values }
}

function propertiesIn(text: string): readonly (readonly [string, string])[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, key, value = ''] = /^\s*([^#!=\s][^=\s]*)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    return key === undefined ? [] : [[key, value] as const]
  })
}

/** The keys of a TOML file that are one line each, with the names of their tables before them. */
function tomlIn(text: string): readonly (readonly [string, string])[] {
  let table = ''
  return text.split(/\r?\n/).flatMap((line) => {
    const head = /^\s*\[([^\]]+)\]\s*$/.exec(line)?.[1]
    if (head !== undefined) {
      table = `${head}.`
      return []
    }
    const [, key, double, single, bare] =
      /^\s*([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s#]+))/.exec(line) ?? []
    return key === undefined ? [] : [[table + key, double ?? single ?? bare ?? ''] as const]
  })
}

function sectionOf(folder: Folder, file: string, settings: Settings, problems: DbkitError[]): Section {
  // V1__name.sql.conf says how this one script is run.
  const own = new Map(folder.names.includes(`${file}.conf`) ? propertiesIn(folder.text(`${file}.conf`)) : [])
  const condition = own.get('shouldExecute')
  if (condition !== undefined && condition !== 'true')
    problems.push(
      problem('layout.unknown-setting', { file: folder.show(`${file}.conf`), setting: 'shouldExecute' }),
    )
  const section = wholeFile(folder, file, own.get('executeInTransaction') === 'false' ? 'none' : 'sent')
  if (!settings.replace || own.get('placeholderReplacement') === 'false') return section
  return { ...section, edits: () => replacements(folder, file, settings) }
}

function replacements(folder: Folder, file: string, { prefix, suffix, values }: Settings): readonly Edit[] {
  const text = folder.text(file)
  const edits: Edit[] = []
  for (let start = text.indexOf(prefix); start >= 0; start = text.indexOf(prefix, start + prefix.length)) {
    const end = text.indexOf(suffix, start)
    if (end < 0) break
    const name = text.slice(start + prefix.length, end)
    const value =
      name === 'flyway:filename' ? file.slice(file.lastIndexOf('/') + 1) : values.get(name.toLowerCase())
    if (value === undefined)
      throw problem(
        'layout.unset-variable',
        { name, what: 'placeholder' },
        { location: locationOf({ file: folder.show(file), text, start }) },
      )
    edits.push({ from: start, to: end + suffix.length, text: value })
  }
  return edits
}
