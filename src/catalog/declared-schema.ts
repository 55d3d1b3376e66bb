import { hash } from 'node:crypto'
import type { Catalog, Fact } from './catalog.js'
import { orderedStatements } from './ddl-order.js'
import type { Statement } from './ddl-statement.js'

/** A file of the declared schema: its path under the folder, with / between its parts. */
export type DeclaredFiles = ReadonlyMap<string, string>

/** The folder a kind of object is written to; a part goes into the file of what it is a part of. */
const FOLDERS: Partial<Readonly<Record<Fact['kind'], string>>> = {
  schema: 'schemas',
  extension: 'extensions',
  language: 'languages',
  'access method': 'access_methods',
  cast: 'casts',
  transform: 'transforms',
  collation: 'collations',
  conversion: 'conversions',
  'event trigger': 'event_triggers',
  publication: 'publications',
  table: 'tables',
  'foreign table': 'tables',
  view: 'views',
  'materialized view': 'materialized_views',
  sequence: 'sequences',
  trigger: 'triggers',
  rule: 'rules',
  type: 'types',
  domain: 'types',
  function: 'functions',
  procedure: 'functions',
  aggregate: 'functions',
  operator: 'operators',
  'operator family': 'operators',
  'operator class': 'operators',
  'text search configuration': 'text_search',
  'text search dictionary': 'text_search',
  'text search parser': 'text_search',
  'text search template': 'text_search',
  'foreign data wrapper': 'foreign_data',
  server: 'foreign_data',
  'user mapping': 'foreign_data',
  'default privileges': 'default_privileges',
}

/** The declared schema as a folder: an object a file, each file in the order in which its statements can be run. */
export function declaredFiles(catalog: Catalog): DeclaredFiles {
  const files = new Map<string, Statement[]>()
  for (const statement of orderedStatements(catalog)) {
    const path = pathOf(statement.of, catalog)
    const statements = files.get(path)
    if (statements === undefined) files.set(path, [statement])
    else statements.push(statement)
  }
  const apart = distinctPaths([...files.keys()])
  return new Map(
    [...files]
      .map(([path, statements]) => [apart.get(path) ?? path, textOf(statements)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The declared schema as one file, for psql or any other client, and an empty database. */
export function singleFile(catalog: Catalog): string {
  const head = [
    // Bodies may name what comes later, and every other name is written in full.
    'set check_function_bodies = off;',
    `select pg_catalog.set_config('search_path', '', false);`,
    '',
    '',
  ]
  const missing = notWritten(catalog).map((line) => `-- ${line}\n`)
  return [...missing, head.join('\n'), textOf(orderedStatements(catalog))].join('')
}

/** What a declared schema cannot hold, in lines for people. */
export function notWritten(catalog: Catalog): readonly string[] {
  const unknown = catalog.unmodelled.map(
    ({ kind, identity }) => `not written, because dbkit does not know this kind: ${kind} ${identity}`,
  )
  return [...unknown, ...[...catalog.facts.values()].flatMap((fact) => shortcomings(fact))]
}

function shortcomings(fact: Fact): readonly string[] {
  switch (fact.kind) {
    case 'subscription':
      return [`not written, because its connection string may hold a password: ${fact.key}`]
    case 'server':
    case 'foreign data wrapper':
    case 'user mapping':
      return fact.properties.options.some((option) => option.endsWith('=***'))
        ? [`written without its password: ${fact.key}`]
        : []
    case 'index':
      return fact.properties.valid || fact.properties.definition.includes(' ON ONLY ')
        ? []
        : [`written as if it were valid: ${fact.key}`]
    default:
      return []
  }
}

/** Blank lines between different things, none between a list of the same. */
function textOf(statements: readonly Statement[]): string {
  let text = ''
  let last: string | undefined
  for (const { sql } of statements) {
    const about = /^(?:comment|grant|alter|create (?:unique )?index)\b/.exec(sql)?.[0].replace('unique ', '')
    if (text !== '' && (about === undefined || about !== last)) text += '\n'
    text += `${sql};\n`
    last = about
  }
  return text
}

function pathOf(key: string, catalog: Catalog): string {
  const fact = catalog.facts.get(key)
  if (fact === undefined) throw new Error(`a statement is about ${key}, which the catalog does not have`)
  const whole = wholeOf(fact, catalog)
  if (whole !== undefined) return pathOf(whole, catalog)
  return `${FOLDERS[fact.kind] ?? `${fact.kind.replaceAll(' ', '_')}s`}/${fileName(fact, catalog)}.sql`
}

/** Whose file a part stands in. */
function wholeOf(fact: Fact, catalog: Catalog): string | undefined {
  if (fact.kind === 'sequence' && fact.properties.ownedBy !== undefined)
    return catalog.facts.get(`column ${fact.properties.ownedBy}`)?.parent
  return FOLDERS[fact.kind] === undefined ? fact.parent : undefined
}

/** Objects of the schema public by their name alone; overloaded functions in one file. */
function fileName(fact: Fact, catalog: Catalog): string {
  switch (fact.kind) {
    case 'trigger':
    case 'rule': {
      const table = fact.parent === undefined ? undefined : catalog.facts.get(fact.parent)
      return `${table === undefined ? '' : `${fileName(table, catalog)}.`}${encoded(fact.name)}`
    }
    case 'cast':
    case 'transform':
    case 'user mapping':
    case 'grant':
    case 'default privileges':
      return encoded(fact.identity.replaceAll(/[(),]/g, '').replaceAll(/\s+/g, '_'))
    default:
      return fact.schema === undefined || fact.schema === 'public'
        ? encoded(fact.name)
        : `${encoded(fact.schema)}.${encoded(fact.name)}`
  }
}

/** What every file system takes. */
function encoded(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}_.-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  )
}

/** Names that differ only in capitals are one file to some file systems: all but the small one get a suffix. */
function distinctPaths(paths: readonly string[]): ReadonlyMap<string, string> {
  const sameSmall = new Map<string, number>()
  for (const path of paths) sameSmall.set(path.toLowerCase(), (sameSmall.get(path.toLowerCase()) ?? 0) + 1)
  return new Map(
    paths.flatMap((path) =>
      path === path.toLowerCase() || sameSmall.get(path.toLowerCase()) === 1
        ? []
        : [[path, path.replace(/\.sql$/, `~${hash('sha256', path, 'hex').slice(0, 6)}.sql`)] as const],
    ),
  )
}
