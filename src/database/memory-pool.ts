import { createRequire } from 'node:module'
import type * as PgMem from 'pg-mem'
import type { IMemoryDb, QueryOrAst } from 'pg-mem'
import { problem, type DbkitError } from '../errors.js'
import {
  nameOf,
  nodeOf,
  nodes,
  planTables,
  quoted,
  textOf,
  type DeclaredStatement,
  type LeftOut,
  type MemorySchema,
  type MemoryTable,
  type Node,
  type Parse,
} from './memory-tables.js'
import type { Literal, MemoryType } from './memory-types.js'
import type { PglitePool, PgliteResult } from './pglite-pool.js'

export interface MemoryPool extends PglitePool {
  readonly leftOut: readonly LeftOut[]
}

/**
 * pg-mem as a pool of `pg`, for the part of SQL in which it is known to do what PostgreSQL does. A query is read first, and whatever is
 * not known in it is refused: pg-mem itself would take it, and keep rows of a transaction that was rolled back.
 */
export function openMemoryPool(statements: readonly DeclaredStatement[]): MemoryPool {
  const loaded = loadPgMem()
  const { db, uuidType } = loaded
  const parse: Parse = (sql) => loaded.parse(sql)
  const schema = planTables(statements, parse)
  db.public.registerFunction({
    name: 'gen_random_uuid',
    returns: uuidType,
    impure: true,
    implementation: () => crypto.randomUUID(),
  })
  const leftOut = [...schema.leftOut, ...build(db, schema)]
  const known: MemorySchema = { tables: schema.tables, leftOut }
  let isEnded = false
  return {
    leftOut,
    connect() {
      if (isEnded) return Promise.reject(new Error('Cannot use a pool after calling end on the pool'))
      return Promise.resolve({
        query: (sql, parameters = []) =>
          new Promise((resolve) => {
            resolve(run(db, known, parse, sql, parameters))
          }),
        release: () => undefined,
      })
    },
    end() {
      isEnded = true
      return Promise.resolve()
    },
  }
}

function loadPgMem() {
  const require = createRequire(import.meta.url)
  let path: string
  try {
    path = require.resolve('pg-mem')
  } catch (error) {
    throw problem('client.memory-missing', {}, { cause: error })
  }
  const { newDb, DataType } = require(path) as Pick<typeof PgMem, 'newDb' | 'DataType'>
  // The parser that pg-mem itself uses.
  const { parse } = createRequire(path)('pgsql-ast-parser') as { parse: (sql: string) => Node[] }
  return {
    db: newDb(),
    uuidType: DataType.uuid,
    parse(sql: string): Node {
      const [node, another] = parse(sql)
      if (node === undefined || another !== undefined) throw new Error('expected one statement')
      return node
    },
  }
}

/** Tables first, then what refers to them. */
function build(db: IMemoryDb, schema: MemorySchema): LeftOut[] {
  const failed: LeftOut[] = []
  const tables = schema.tables as Map<string, MemoryTable>
  for (const { name, items } of [...tables.values()])
    try {
      db.public.none(`create table ${quoted(name)} (${items.join(', ')})`)
    } catch (error) {
      tables.delete(name)
      failed.push({ kind: 'table', name, reason: `pg-mem refused it: ${firstLine(error)}` })
    }
  for (const table of tables.values())
    for (const { sql, parent } of table.foreignKeys)
      try {
        db.public.none(sql)
      } catch (error) {
        const reason = `its reference to ${parent} is left out: ${firstLine(error)}`
        table.unwritable.push(reason)
        failed.push({ kind: 'writing to', name: table.name, reason })
      }
  return failed
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''

const refused = (what: string, reason: string): DbkitError =>
  problem('client.memory-refused', { what, reason })

function run(
  db: IMemoryDb,
  schema: MemorySchema,
  parse: Parse,
  sql: string,
  parameters: readonly unknown[],
): PgliteResult {
  const word = /^\s*([a-z]+)/i.exec(sql)?.[1]?.toUpperCase() ?? 'an empty query'
  if (['BEGIN', 'START', 'COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE', 'END', 'ABORT'].includes(word))
    throw refused(word, 'pg-mem has no transactions, and would keep the rows of one that is rolled back')
  let node: Node
  try {
    node = parse(sql)
  } catch (error) {
    throw problem(
      'client.memory-refused',
      { what: word, reason: `pg-mem cannot read it (${firstLine(error)})` },
      { cause: error },
    )
  }
  const query = new Query(schema, parameters)
  const { ast, command } = query.rewrite(node)
  const before = db.backup()
  try {
    const result = db.public.query(ast as unknown as QueryOrAst)
    const rows = result.rows.map((row: unknown) => query.read(nodeOf(row)))
    return { command, rowCount: command === 'SELECT' ? rows.length : result.rowCount, rows }
  } catch (error) {
    // A statement that fails halfway leaves nothing.
    before.restore()
    query.forgetSerials()
    throw failureOf(error, word)
  }
}

/** Violations, with the codes of PostgreSQL; anything else is a limit of pg-mem. */
function failureOf(error: unknown, word: string): Error {
  const line = firstLine(error)
  const given = textOf((error as { code?: unknown }).code)
  const code = given.startsWith('23')
    ? given
    : /check constraint .* is violated/.test(line)
      ? '23514'
      : /null value in column|not-null|violates foreign key/i.test(line)
        ? /foreign key/i.test(line)
          ? '23503'
          : '23502'
        : undefined
  if (code === undefined)
    return problem(
      'client.memory-refused',
      { what: word, reason: `pg-mem failed (${line})` },
      { cause: error },
    )
  return Object.assign(new Error(line, { cause: error }), { code })
}

type Command = PgliteResult['command']
interface Place {
  readonly alias: string
  readonly table: MemoryTable
}

const OPPOSITES: Readonly<Record<string, string>> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
}
const OUTER = ['INNER JOIN', 'LEFT JOIN']

const both = (op: 'AND' | 'OR', left: Node, right: Node): Node => ({ type: 'binary', op, left, right })
const isThere = (operand: Node): Node => ({ type: 'unary', op: 'IS NOT NULL', operand })

/** pg-mem loses rows, and finds others, where it answers a part of a condition from an index: of this it has none. */
const rowByRow = (condition: Node): Node => ({
  type: 'binary',
  op: '=',
  left: condition,
  right: { type: 'boolean', value: true },
})

/** A comparison with NULL is never true; pg-mem finds it true of NULLs in an index. */
function compare(op: string, left: Node, right: Node | Literal): Node {
  if (right.type === 'null')
    return both('AND', isThere(left), { type: 'unary', op: 'IS NULL', operand: left })
  const compared: Node = { type: 'binary', op, left, right }
  if (op !== '!=') return compared
  const present = both('AND', compared, isThere(left))
  return right.type === 'ref' ? both('AND', present, isThere(right)) : present
}

/** One query: says what is not known in it, and turns the rest into what pg-mem runs without guessing. */
class Query {
  readonly #schema: MemorySchema
  readonly #parameters: readonly unknown[]
  readonly #places: Place[] = []
  readonly #families = new Map<string, string>()
  readonly #reads = new Map<string, (value: unknown) => unknown>()

  constructor(schema: MemorySchema, parameters: readonly unknown[]) {
    this.#schema = schema
    this.#parameters = parameters
  }

  rewrite(node: Node): { readonly ast: Node; readonly command: Command } {
    switch (node['type']) {
      case 'select':
        return { ast: this.#select(node), command: 'SELECT' }
      case 'insert':
        return { ast: this.#insert(node), command: 'INSERT' }
      case 'update':
        return { ast: this.#update(node), command: 'UPDATE' }
      case 'delete':
        return { ast: this.#delete(node), command: 'DELETE' }
      default:
        throw refused(String(node['type']).toUpperCase(), 'it takes SELECT, INSERT, UPDATE and DELETE only')
    }
  }

  read(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(
      [...this.#reads].map(([name, read]) => [
        name,
        row[name] === null || row[name] === undefined ? null : read(row[name]),
      ]),
    )
  }

  /** PostgreSQL does not give numbers back that a failed statement took from a sequence; what was restored has them again. */
  forgetSerials(): void {
    for (const { table } of this.#places)
      for (const [column, { sql }] of table.columns) if (sql === 'serial') table.mustGive.add(column)
  }

  #select(node: Node): Node {
    only(node, ['type', 'columns', 'from', 'where', 'orderBy', 'limit'], 'SELECT')
    const from = nodes(node['from'])
    for (const one of from) {
      only(one, ['type', 'name', 'join'], 'FROM')
      if (one['type'] !== 'table') throw refused('a query or function in FROM', 'only tables can stand there')
      this.#enter(nodeOf(one['name']))
    }
    if (from.length === 0)
      throw refused('SELECT without FROM', 'values of expressions are not known to be right')
    const joined = from.map((one, index) => {
      if (index === 0) return one
      const join = nodeOf(one['join'])
      only(join, ['type', 'on'], 'JOIN')
      if (!OUTER.includes(String(join['type'])) || join['on'] === undefined)
        throw refused(
          textOf(join['type'], 'several tables in FROM'),
          'it takes INNER JOIN and LEFT JOIN with ON',
        )
      return { ...one, join: { ...join, on: this.#condition(nodeOf(join['on'])) } }
    })
    const columns = this.#selected(node['columns'], true)
    if (columns.some(isCount) && !columns.every(isCount))
      throw refused('count() beside columns', 'grouping is not known to be right')
    const orderBy = nodes(node['orderBy']).map((one) => this.#order(one))
    return {
      ...node,
      columns,
      from: joined,
      ...(node['where'] === undefined ? {} : { where: rowByRow(this.#condition(nodeOf(node['where']))) }),
      ...(orderBy.length === 0 ? {} : { orderBy }),
      ...(node['limit'] === undefined ? {} : { limit: this.#limit(nodeOf(node['limit'])) }),
    }
  }

  #insert(node: Node): Node {
    only(node, ['type', 'into', 'columns', 'insert', 'onConflict', 'returning'], 'INSERT')
    const table = this.#enter(nodeOf(node['into']))
    this.#mayWrite(table, 'insert')
    const values = nodeOf(node['insert'])
    if (values['type'] !== 'values')
      throw refused('INSERT from a query', 'its values cannot be checked beforehand')
    const columns = nodes(node['columns']).map(nameOf)
    if (columns.length === 0) throw refused('INSERT without a list of columns', 'their order is not known')
    const types = columns.map((column) => this.#columnOf(table, column))
    const rows = (values['values'] as readonly (readonly Node[])[]).map((row) =>
      row.map((value, index) => {
        const column = columns[index] ?? ''
        if (value['type'] !== 'default') return this.#literal(value, types[index], `${table.name}.${column}`)
        if (table.mustGive.has(column))
          throw refused(`${table.name}.${column} without a value`, 'its default is left out')
        return value
      }),
    )
    for (const column of table.mustGive)
      if (!columns.includes(column))
        throw refused(
          `${table.name}.${column} without a value`,
          'it has no default, or none that is known to be right',
        )
    if (node['onConflict'] !== undefined)
      throw refused('ON CONFLICT', 'pg-mem returns and counts rows that it did not insert')
    return { ...node, insert: { ...values, values: rows }, ...this.#returning(node) }
  }

  #update(node: Node): Node {
    only(node, ['type', 'table', 'sets', 'where', 'returning'], 'UPDATE')
    const table = this.#enter(nodeOf(node['table']))
    this.#mayWrite(table, 'update')
    const sets = nodes(node['sets']).map((set) => {
      const column = nameOf(set['column'])
      const type = this.#columnOf(table, column)
      return { ...set, value: this.#literal(nodeOf(set['value']), type, `${table.name}.${column}`) }
    })
    return { ...node, sets, ...this.#where(node), ...this.#returning(node) }
  }

  #delete(node: Node): Node {
    only(node, ['type', 'from', 'where', 'returning'], 'DELETE')
    this.#mayWrite(this.#enter(nodeOf(node['from'])), 'delete')
    return { ...node, ...this.#where(node), ...this.#returning(node) }
  }

  #where(node: Node): Node {
    return node['where'] === undefined ? {} : { where: rowByRow(this.#condition(nodeOf(node['where']))) }
  }

  #returning(node: Node): Node {
    return node['returning'] === undefined ? {} : { returning: this.#selected(node['returning'], false) }
  }

  #enter(name: Node): MemoryTable {
    const table = name['schema'] === undefined || name['schema'] === 'public' ? nameOf(name) : ''
    const found = this.#schema.tables.get(table)
    if (found === undefined) {
      const out = this.#schema.leftOut.find((one) => one.name === nameOf(name) && one.kind !== 'writing to')
      throw out === undefined
        ? refused(nameOf(name), 'it is not among the tables of the declared schema')
        : refused(`the ${out.kind} ${out.name}`, `it is left out: ${out.reason}`)
    }
    this.#places.push({ alias: textOf(name['alias'], table), table: found })
    return found
  }

  #mayWrite(table: MemoryTable, event: string, seen: readonly MemoryTable[] = []): void {
    const what = `${event.toUpperCase()} on ${table.name}`
    const [unheld] = table.unwritable
    if (unheld !== undefined) throw refused(what, unheld)
    const firing = table.triggers.filter(({ events }) => events.includes(event)).map(({ name }) => name)
    if (firing.length > 0)
      throw refused(what, `it would fire ${firing.join(', ')}, and pg-mem has no triggers`)
    if (event !== 'delete' || seen.includes(table)) return
    // A row that refers to this one changes with it.
    for (const child of this.#schema.tables.values())
      for (const { parent, onDelete } of child.foreignKeys) {
        if (parent !== table.name) continue
        if (onDelete === 'cascade') this.#mayWrite(child, 'delete', [...seen, table])
        if (onDelete === 'set null') this.#mayWrite(child, 'update')
      }
  }

  #columnOf(table: MemoryTable, column: string): MemoryType {
    const type = table.columns.get(column)
    if (type !== undefined) return type
    const reason = table.missing.get(column)
    throw refused(
      `the column ${table.name}.${column}`,
      reason === undefined ? 'the declared schema does not have it' : `it is left out: ${reason}`,
    )
  }

  #typeOf(ref: Node): MemoryType {
    const name = nameOf(ref)
    const on = nodeOf(ref['table'])
    const places = this.#places.filter(({ alias, table }) =>
      ref['table'] === undefined ? table.columns.has(name) || table.missing.has(name) : alias === nameOf(on),
    )
    const [place] = places
    if (place === undefined || places.length > 1)
      throw refused(`the column ${name}`, 'it is not clear whose it is')
    return this.#columnOf(place.table, name)
  }

  #selected(list: unknown, mayCount: boolean): readonly Node[] {
    return nodes(list).flatMap((column) => {
      only(column, ['expr', 'alias'], 'a selected column')
      const expr = nodeOf(column['expr'])
      if (expr['type'] === 'ref' && expr['name'] === '*') return this.#star(expr)
      const alias = column['alias'] === undefined ? undefined : nameOf(column['alias'])
      if (mayCount && isCount(column)) {
        const [argument] = nodes(expr['args'])
        if (argument?.['name'] !== '*') this.#typeOf(argument ?? {})
        this.#give(alias ?? 'count', String)
        return [column]
      }
      if (expr['type'] !== 'ref')
        throw refused(what(expr), 'what it gives is not known to be what PostgreSQL gives')
      this.#give(alias ?? nameOf(expr), this.#typeOf(expr).read)
      return [column]
    })
  }

  /** Written out, so that a column that is not there is missed. */
  #star(expr: Node): readonly Node[] {
    const of = expr['table'] === undefined ? undefined : nameOf(expr['table'])
    const places = this.#places.filter(({ alias }) => of === undefined || alias === of)
    return places.flatMap(({ alias, table }) => {
      const [missing] = table.missing.keys()
      if (missing !== undefined) this.#columnOf(table, missing)
      return [...table.columns].map(([name, { read }]) => {
        this.#give(name, read)
        return { expr: { type: 'ref', table: { name: alias }, name } }
      })
    })
  }

  #give(name: string, read: (value: unknown) => unknown): void {
    if (this.#reads.has(name))
      throw refused(`two columns named ${name}`, 'pg-mem mixes them up; give one an alias')
    this.#reads.set(name, read)
  }

  /** Without NOT, which pg-mem gets wrong for NULL OR FALSE: it is carried inwards, to where a comparison has an opposite. */
  #condition(node: Node, isNegated = false): Node {
    const op = String(node['op'])
    if (node['type'] === 'unary') {
      const operand = nodeOf(node['operand'])
      if (op === 'NOT') return this.#condition(operand, !isNegated)
      if ((op === 'IS NULL' || op === 'IS NOT NULL') && operand['type'] === 'ref') {
        this.#typeOf(operand)
        return { ...node, op: (op === 'IS NULL') === isNegated ? 'IS NOT NULL' : 'IS NULL' }
      }
    }
    if (node['type'] !== 'binary') throw refused(what(node), 'as a condition it is not known to be right')
    const left = nodeOf(node['left'])
    const right = nodeOf(node['right'])
    if (op === 'AND' || op === 'OR') {
      const sides = { left: this.#condition(left, isNegated), right: this.#condition(right, isNegated) }
      return { type: 'binary', op: (op === 'AND') === isNegated ? 'OR' : 'AND', ...sides }
    }
    if (left['type'] !== 'ref') throw refused(what(left), 'only a column can stand left of a comparison')
    const type = this.#typeOf(left)
    const named = `the comparison with ${nameOf(left)}`
    if (!type.comparable) throw refused(named, 'pg-mem compares values of its type differently')
    if (op === 'IN' || op === 'NOT IN') {
      const isOut = (op === 'NOT IN') !== isNegated
      const list = right['type'] === 'list' ? nodes(right['expressions']) : [right]
      // One by one: pg-mem loses its way in a list of one.
      const [first = {}, ...others] = list.map((one) =>
        compare(isOut ? '!=' : '=', left, this.#literal(one, type, nameOf(left))),
      )
      return others.reduce<Node>((all, one) => both(isOut ? 'AND' : 'OR', all, one), first)
    }
    const opposite = OPPOSITES[op]
    if (opposite === undefined) throw refused(op, 'it is not known to be right')
    if (!type.ordered && !['=', '!='].includes(op))
      throw refused(
        `${op} on ${nameOf(left)}`,
        'the order of its values is that of a collation or of an enum',
      )
    const wanted = isNegated ? opposite : op
    if (right['type'] === 'ref') {
      if (this.#typeOf(right).family !== type.family)
        throw refused(named, 'the two columns are of different types')
      return compare(wanted, left, right)
    }
    return compare(wanted, left, this.#literal(right, type, nameOf(left)))
  }

  #order(one: Node): Node {
    const by = nodeOf(one['by'])
    if (by['type'] !== 'ref') throw refused(`ORDER BY ${what(by)}`, 'only columns can be ordered by')
    if (!this.#typeOf(by).ordered)
      throw refused(`ORDER BY ${nameOf(by)}`, 'the order of its values is that of a collation or of an enum')
    // pg-mem has an opinion of its own where NULLs belong.
    return { ...one, nulls: one['nulls'] ?? (one['order'] === 'DESC' ? 'FIRST' : 'LAST') }
  }

  #limit(limit: Node): Node {
    const whole = (value: unknown): unknown => {
      const node = nodeOf(value)
      const given = node['type'] === 'parameter' ? this.#parameter(node) : node['value']
      if (!/^\d+$/.test(String(given))) throw refused('LIMIT or OFFSET', 'it has to be a whole number')
      return { type: 'integer', value: Number(given) }
    }
    return Object.fromEntries(
      Object.entries(limit)
        .filter(([key]) => !key.startsWith('_'))
        .map(([key, value]) => [key, whole(value)]),
    )
  }

  #parameter(node: Node): unknown {
    return this.#parameters[Number(nameOf(node).slice(1)) - 1] ?? null
  }

  /** Checked against the declared type here, because pg-mem neither rounds nor overflows, nor counts the length of a text. */
  #literal(node: Node, type: MemoryType | undefined, column: string): Literal {
    const isNegative = node['type'] === 'unary' && node['op'] === '-'
    const bare = isNegative ? nodeOf(node['operand']) : node
    if (!['parameter', 'string', 'integer', 'numeric', 'boolean', 'null'].includes(String(bare['type'])))
      throw refused(what(bare), 'only a value or a parameter can stand there')
    const found = bare['type'] === 'parameter' ? this.#parameter(bare) : (bare['value'] ?? null)
    if (bare['type'] === 'parameter') {
      const family = type?.family ?? ''
      const earlier = this.#families.get(nameOf(bare)) ?? family
      if (earlier !== family)
        throw refused(`${nameOf(bare)} for ${earlier} and ${family}`, 'PostgreSQL gives a parameter one type')
      this.#families.set(nameOf(bare), family)
    }
    if (found === null) return { type: 'null' }
    const written = type?.write(isNegative ? -Number(found) : found)
    if (written === undefined)
      throw refused(
        `this value for ${column}`,
        'PostgreSQL would round it, refuse it or read it in its own way',
      )
    return written
  }
}

function isCount(column: Node): boolean {
  const expr = nodeOf(column['expr'])
  const plain = Object.keys(expr)
    .filter((key) => !key.startsWith('_'))
    .every((key) => ['type', 'function', 'args'].includes(key))
  const args = nodes(expr['args'])
  return (
    plain &&
    expr['type'] === 'call' &&
    nameOf(expr['function']) === 'count' &&
    args.length === 1 &&
    args[0]?.['type'] === 'ref'
  )
}

function what(node: Node): string {
  if (node['type'] === 'call') return `the function ${nameOf(node['function'])}()`
  return textOf(node['op'], textOf(node['type'], 'an expression'))
}

/** Whatever a query says besides is not ignored. */
function only(node: Node, known: readonly string[], where: string): void {
  const other = Object.keys(node).find(
    (key) => !key.startsWith('_') && !known.includes(key) && node[key] !== undefined && node[key] !== null,
  )
  if (other !== undefined) throw refused(`${other.toUpperCase()} in ${where}`, 'it is not known to be right')
}
