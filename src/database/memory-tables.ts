import { memoryType, type MemoryType } from './memory-types.js'

/** What the parser that comes with pg-mem makes of SQL; only what is looked for is read. */
export interface Node {
  readonly [key: string]: unknown
}
export type Parse = (sql: string) => Node

/** A statement of the declared schema. */
export interface DeclaredStatement {
  readonly file: string
  readonly text: string
}

export interface LeftOut {
  readonly kind: string
  readonly name: string
  readonly reason: string
}

export interface MemoryTable {
  readonly name: string
  readonly columns: Map<string, MemoryType>
  /** Columns that are not there, and why. */
  readonly missing: Map<string, string>
  /** Columns whose default is not there, and columns that have no default and must not be NULL. */
  readonly mustGive: Set<string>
  /** Why no row may be written: PostgreSQL would check something that pg-mem does not. */
  readonly unwritable: string[]
  readonly triggers: { readonly name: string; readonly events: readonly string[] }[]
  readonly items: string[]
  readonly foreignKeys: { readonly parent: string; readonly sql: string; readonly onDelete: string }[]
}

export interface MemorySchema {
  readonly tables: ReadonlyMap<string, MemoryTable>
  readonly leftOut: readonly LeftOut[]
}

const UNKNOWN = 'pg-mem is not known to treat it as PostgreSQL does'

export const nodes = (value: unknown): readonly Node[] => (Array.isArray(value) ? (value as Node[]) : [])
export const nodeOf = (value: unknown): Node =>
  typeof value === 'object' && value !== null ? (value as Node) : {}
export const textOf = (value: unknown, otherwise = ''): string =>
  typeof value === 'string' ? value : otherwise
export const nameOf = (value: unknown): string => textOf(nodeOf(value)['name'])

/** The declared schema as far as pg-mem can hold it, and a name and a reason for everything else. */
export function planTables(statements: readonly DeclaredStatement[], parse: Parse): MemorySchema {
  const tables = new Map<string, MemoryTable>()
  const leftOut: LeftOut[] = []
  const enums = new Map<string, readonly string[]>()
  const later: DeclaredStatement[] = []
  for (const statement of statements) {
    const node = tryParse(parse, statement.text)
    if (node?.['type'] !== 'create enum') continue
    const labels = nodes(node['values']).map(({ value }) => String(value))
    enums.set(nameOf(node['name']), labels)
  }
  for (const statement of statements) {
    const { text } = statement
    const [, schema = 'public', name] =
      /^create (?:unlogged )?table (?:"?([\w$]+)"?\.)?"?([\w$]+)"?/i.exec(text) ?? []
    if (name === undefined) later.push(statement)
    else if (schema !== 'public')
      leftOut.push({ kind: 'table', name, reason: `it is in the schema ${schema}` })
    else if (/^[^(]*\bpartition of\b/i.test(text) || bodyOf(text)?.rest !== '')
      leftOut.push({ kind: 'table', name, reason: 'pg-mem knows no partitions, inheritance or storage' })
    else tables.set(name, planTable(name, bodyOf(text)?.items ?? [], enums, parse))
  }
  for (const statement of later) planOther(statement, tables, leftOut, parse)
  for (const table of tables.values()) {
    for (const [column, reason] of table.missing)
      leftOut.push({ kind: 'column', name: `${table.name}.${column}`, reason })
    for (const reason of table.unwritable) leftOut.push({ kind: 'writing to', name: table.name, reason })
  }
  return { tables, leftOut }
}

function planTable(
  name: string,
  items: readonly string[],
  enums: ReadonlyMap<string, readonly string[]>,
  parse: Parse,
): MemoryTable {
  const table: MemoryTable = {
    name,
    columns: new Map(),
    missing: new Map(),
    mustGive: new Set(),
    unwritable: [],
    triggers: [],
    items: [],
    foreignKeys: [],
  }
  const parsed = items.map((item) => ({ item, node: tryParse(parse, `create table x (${item})`) }))
  for (const { item, node } of parsed) {
    const [column] = nodes(node?.['columns'])
    if (column !== undefined) planColumn(table, column, enums)
    else if (node === undefined && !/^constraint\b/i.test(item)) {
      const missing = /^"?([^"\s]+)"?/.exec(item)?.[1] ?? item
      table.missing.set(missing, 'pg-mem cannot read its definition')
      // Unknown is whether PostgreSQL would insist on a value.
      if (/\bnot null\b/i.test(item) && !/\b(?:default|generated)\b/i.test(item)) refuseColumn(table, missing)
    }
  }
  for (const { item, node } of parsed) {
    const [constraint] = nodes(node?.['constraints'])
    if (constraint !== undefined) planConstraint(table, constraint)
    else if (node === undefined && /^constraint\b/i.test(item))
      table.unwritable.push(`the constraint ${item.split(/\s+/)[1] ?? item} cannot be read by pg-mem`)
  }
  return table
}

function refuseColumn(table: MemoryTable, column: string): void {
  table.unwritable.push(`the column ${column} is left out, and must have a value`)
}

function planColumn(table: MemoryTable, column: Node, enums: ReadonlyMap<string, readonly string[]>): void {
  const name = nameOf(column['name'])
  const type = nodeOf(column['dataType'])
  const isArray = type['kind'] === 'array'
  const element = isArray ? nodeOf(type['arrayOf']) : type
  const constraints = nodes(column['constraints'])
  const isNotNull = constraints.some((one) => one['type'] === 'not null' || one['type'] === 'primary key')
  const preset = constraints.find((one) => one['type'] === 'default')
  const isGenerated = constraints.some((one) => one['type'] === 'add generated')
  const sizes = Array.isArray(type['config']) ? type['config'].map(Number) : []
  const held = memoryType({ name: nameOf(element), sizes, array: isArray }, enums)
  if (held === undefined || isGenerated || column['collate'] !== undefined) {
    const why = isGenerated ? 'it is generated' : `its type is ${nameOf(type) || 'an array'}`
    table.missing.set(name, `${why}, and ${UNKNOWN}`)
    if (isNotNull && !isGenerated && preset === undefined) refuseColumn(table, name)
    return
  }
  table.columns.set(name, held)
  let item = `${quoted(name)} ${held.sql}${isNotNull ? ' not null' : ''}`
  const value = preset === undefined ? undefined : defaultOf(nodeOf(preset['default']), held)
  if (value !== undefined) item += ` default ${value}`
  const isSerial = nameOf(type) === 'serial'
  if (value === undefined && !isSerial && (preset !== undefined || isNotNull)) table.mustGive.add(name)
  for (const one of constraints) {
    const kind = String(one['type'])
    if (kind === 'unique' || kind === 'primary key') item += ` ${kind}`
    else if (kind === 'check') planConstraint(table, one)
    else if (!['not null', 'null', 'default'].includes(kind))
      table.unwritable.push(`the column ${name} has a constraint (${kind}) that is left out`)
  }
  table.items.push(item)
}

function defaultOf(node: Node, type: MemoryType): string | undefined {
  const bare = uncast(node)
  if (bare['type'] === 'keyword' && bare['keyword'] === 'current_timestamp' && type.sql === 'timestamptz')
    return 'now()'
  if (bare['type'] === 'call' && nodes(bare['args']).length === 0) {
    const called = nameOf(bare['function'])
    if (called === 'now' && type.sql === 'timestamptz') return 'now()'
    return ['gen_random_uuid', 'uuid_generate_v4'].includes(called) && type.sql === 'uuid'
      ? 'gen_random_uuid()'
      : undefined
  }
  const value = valueOf(bare)
  if (value === undefined) return undefined
  const written = type.write(value)
  if (written === undefined || written.type === 'null') return undefined
  return written.type === 'string' ? literal(String(written.value)) : String(written.value)
}

/** Of a literal; null is none that a default or a constraint needs. */
function valueOf(node: Node): unknown {
  return ['string', 'integer', 'numeric', 'boolean'].includes(String(node['type']))
    ? node['value']
    : undefined
}

function uncast(node: Node): Node {
  return node['type'] === 'cast' ? uncast(nodeOf(node['operand'])) : node
}

function planConstraint(table: MemoryTable, constraint: Node): void {
  const name = nameOf(constraint['constraintName'])
  const drop = (reason: string): void => {
    table.unwritable.push(`the constraint ${name || String(constraint['type'])} is left out: ${reason}`)
  }
  switch (constraint['type']) {
    case 'primary key':
    case 'unique': {
      const columns = nodes(constraint['columns']).map(nameOf)
      if (!columns.every((column) => table.columns.get(column)?.comparable)) {
        drop('it needs a column that is not there')
        return
      }
      table.items.push(`constraint ${quoted(name)} ${constraint['type']} (${columns.map(quoted).join(', ')})`)
      if (constraint['type'] === 'primary key')
        for (const column of columns)
          if (
            !table.items.some(
              (item) => item.startsWith(`${quoted(column)} `) && / default | serial/.test(item),
            )
          )
            table.mustGive.add(column)
      return
    }
    case 'check': {
      const used = new Set<string>()
      const sql = checkSql(table, nodeOf(constraint['expr']), used)
      const [column, another] = used
      if (sql === undefined || column === undefined || another !== undefined) drop(UNKNOWN)
      // pg-mem takes a comparison with NULL for false here; in PostgreSQL it is neither, and passes.
      else
        table.items.push(
          `${name === '' ? '' : `constraint ${quoted(name)} `}check (${quoted(column)} is null or ${sql})`,
        )
      return
    }
    case 'foreign key':
      planForeignKey(table, constraint, drop)
      return
    default:
      drop(UNKNOWN)
  }
}

/** Comparisons of columns with literals, and what AND and OR make of them: NULL whenever the column is. */
function checkSql(table: MemoryTable, node: Node, used: Set<string>): string | undefined {
  if (node['type'] !== 'binary') return undefined
  const op = String(node['op'])
  const left = nodeOf(node['left'])
  const right = nodeOf(node['right'])
  if (op === 'AND' || op === 'OR') {
    const sides = [checkSql(table, left, used), checkSql(table, right, used)]
    return sides.includes(undefined) ? undefined : `(${sides.join(` ${op} `)})`
  }
  const column = uncast(left)
  const type = table.columns.get(nameOf(column))
  if (column['type'] !== 'ref' || type?.comparable !== true) return undefined
  used.add(nameOf(column))
  const called = nodeOf(right)
  const isAny = op === '=' && called['type'] === 'call' && nameOf(called['function']) === 'any'
  const list = isAny ? uncast(nodeOf(nodes(called['args'])[0])) : called
  const literals = (isAny ? nodes(list['expressions']) : [right]).map((one) => literalSql(uncast(one), type))
  if (literals.length === 0 || literals.includes(undefined)) return undefined
  const name = quoted(nameOf(column))
  if (isAny) return `(${literals.map((one) => `${name} = ${String(one)}`).join(' or ')})`
  const isKnown =
    op === '=' || op === '<>' || op === '!=' || (type.ordered && ['<', '<=', '>', '>='].includes(op))
  return isKnown ? `(${name} ${op} ${String(literals[0])})` : undefined
}

function literalSql(node: Node, type: MemoryType): string | undefined {
  const value = valueOf(node)
  const written = value === undefined ? undefined : type.write(value)
  if (written === undefined || written.type === 'null') return undefined
  return written.type === 'string' ? literal(String(written.value)) : String(written.value)
}

function planForeignKey(table: MemoryTable, constraint: Node, drop: (reason: string) => void): void {
  const local = nodes(constraint['localColumns']).map(nameOf)
  const foreign = nodes(constraint['foreignColumns']).map(nameOf)
  const onDelete = textOf(constraint['onDelete'], 'no action')
  const isKnown = ['no action', 'restrict', 'cascade', 'set null'].includes(onDelete)
  const onUpdate = textOf(constraint['onUpdate'], 'no action')
  if (
    !isKnown ||
    onUpdate !== 'no action' ||
    local.length !== 1 ||
    !local.every((one) => table.columns.has(one))
  ) {
    drop(UNKNOWN)
    return
  }
  const parent = nameOf(constraint['foreignTable'])
  if (parent === table.name) {
    drop('pg-mem refuses a row that refers to itself')
    return
  }
  const names = [table.name, nameOf(constraint['constraintName']), parent].map(quoted)
  const sql =
    `alter table ${String(names[0])} add constraint ${String(names[1])} foreign key (${local.map(quoted).join()}) ` +
    `references ${String(names[2])} (${foreign.map(quoted).join()}) on delete ${onDelete}`
  table.foreignKeys.push({ parent, sql, onDelete })
}

/** Whatever stands in the declared schema beside tables. */
function planOther(
  { file, text }: DeclaredStatement,
  tables: Map<string, MemoryTable>,
  leftOut: LeftOut[],
  parse: Parse,
): void {
  const words = text.replaceAll(/\s+/g, ' ')
  if (/^(?:comment|grant|revoke|set) /i.test(words)) return
  const trigger = /^create (?:constraint )?trigger "?([^" ]+)"? (.*?) on (?:public\.)?"?([\w$]+)"?/i.exec(
    words,
  )
  if (trigger !== null) {
    const [, name = '', when = '', on = ''] = trigger
    const events = ['insert', 'update', 'delete', 'truncate'].filter((event) =>
      new RegExp(`\\b${event}\\b`, 'i').test(when),
    )
    tables.get(on)?.triggers.push({ name, events })
    leftOut.push({ kind: 'trigger', name: `${name} on ${on}`, reason: 'pg-mem has no triggers' })
    return
  }
  const altered = /^alter table (?:only )?(?:public\.)?"?([\w$]+)"? /i.exec(words)
  if (altered !== null) {
    const table = tables.get(altered[1] ?? '')
    // Every statement is a transaction of its own here, so a constraint is never deferred for longer than that.
    const node = tryParse(parse, words.replace(/ deferrable(?: initially (?:deferred|immediate))?$/i, ''))
    const constraints = nodes(node?.['changes']).map((change) => nodeOf(change['constraint']))
    if (table === undefined) return
    if (constraints.length > 0 && constraints.every((one) => one['type'] !== undefined))
      for (const one of constraints) planConstraint(table, one)
    else table.unwritable.push(`${file} alters it in a way that pg-mem does not know`)
    return
  }
  const index = /^create (unique )?index "?([^" ]+)"? on (?:public\.)?"?([\w$]+)"?/i.exec(words)
  if (index !== null) {
    // Others change no result.
    if (index[1] === undefined) return
    const table = tables.get(index[3] ?? '')
    if (table === undefined) return
    const node = tryParse(parse, words)
    const keys = nodes(node?.['expressions']).map(({ expression }) => nodeOf(expression))
    const isPlain = keys.length > 0 && node?.['where'] === undefined && !/ nulls not distinct/i.test(words)
    if (
      isPlain &&
      keys.every((key) => key['type'] === 'ref' && table.columns.get(nameOf(key))?.comparable === true)
    )
      table.items.push(
        `constraint ${quoted(index[2] ?? '')} unique (${keys.map((key) => quoted(nameOf(key))).join(', ')})`,
      )
    else table.unwritable.push(`the unique index ${String(index[2])} is left out`)
    return
  }
  const other =
    /^create (?:or replace )?(materialized view|view|function|procedure|extension|type|sequence|domain|schema|aggregate)\s+(?:if not exists )?(?:"?[\w$]+"?\.)?"?([\w$-]+)"?/i.exec(
      words,
    )
  if (other !== null) {
    const kind = (other[1] ?? '').toLowerCase()
    if (kind === 'type' && / as enum /i.test(words)) return
    leftOut.push({ kind, name: other[2] ?? '', reason: `pg-mem is not given any ${kind}` })
  } else
    leftOut.push({ kind: 'statement', name: words.slice(0, 60), reason: `${file} holds it, and ${UNKNOWN}` })
}

/** What stands between the outermost parentheses, split at its commas, and what comes after them. */
function bodyOf(text: string): { readonly items: readonly string[]; readonly rest: string } | undefined {
  const items: string[] = []
  let depth = 0
  let start = 0
  for (const { 0: token, index } of text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|[(),]/g)) {
    if (token === '(' && ++depth === 1) start = index + 1
    else if ((token === ',' && depth === 1) || (token === ')' && --depth === 0)) {
      items.push(text.slice(start, index).trim())
      start = index + 1
      if (token === ')') return { items, rest: text.slice(start).trim() }
    }
  }
  return undefined
}

function tryParse(parse: Parse, sql: string): Node | undefined {
  try {
    return parse(sql)
  } catch {
    // What it cannot read is left out by name.
    return undefined
  }
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`
