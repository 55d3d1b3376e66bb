import { Readable } from 'node:stream'
import type { Session, TextRow } from '../database/database.js'
import type { BoundCollection, Shape } from './bind-mapping.js'

/**
 * Where documents wait between their files and their tables: temporary tables of one transaction, so that references and unique
 * values can be looked at in SQL, over all documents at once, before a single row of the database is touched.
 */
export interface StageTable {
  /** As it is written in SQL. Columns: file, place, id, key, or parent, position; then c0, c1, ... */
  readonly name: string
  readonly shape: Shape
}

export interface StageCollection {
  readonly name: string
  /** Its number in `rejected` and `bad`. */
  readonly number: number
  readonly main: StageTable
  readonly lists: readonly StageTable[]
}

/** Makes one call to the database, unless the run is to stop. */
export type Guard = <T>(call: () => Promise<T>) => Promise<T>

/** Bytes of rows that are sent in one COPY. */
const CHUNK = 512 * 1024

/** COPYs that may be on their way while the next rows are made; each holds its chunk in memory. */
const IN_FLIGHT = 2

export class Stage {
  readonly collections: readonly StageCollection[]
  /** Some documents were refused before they could be staged. */
  anyRejected = false
  private readonly session: Session
  private readonly guard: Guard
  private readonly tails = new Map<string, Tail>()
  /** Buffers whose rows have arrived: to make new ones for each COPY is to have many of them wait for the garbage collector. */
  private readonly free: Buffer[] = []
  /** COPYs on their way, the oldest first; each waits for the one before it. */
  private sending: Promise<void>[] = []
  private failure: { readonly error: unknown } | undefined

  constructor(session: Session, bound: readonly BoundCollection[], guard: Guard) {
    this.session = session
    this.guard = guard
    let count = 0
    const table = (shape: Shape): StageTable => ({ name: `pg_temp.dbkit_import_${String(count++)}`, shape })
    this.collections = bound.map(({ name, shape, lists }, number) => ({
      name,
      number,
      main: table(shape),
      lists: lists.map(table),
    }))
  }

  get tables(): readonly StageTable[] {
    return this.collections.flatMap(({ main, lists }) => [main, ...lists])
  }

  /** A statement in the transaction of the import. */
  query(sql: string): Promise<readonly TextRow[]> {
    return this.guard(() => this.session.query(sql))
  }

  /** Statements without rows, in one message. */
  async run(sql: string): Promise<void> {
    await this.guard(() => this.session.script(sql))
  }

  /** How many rows a statement wrote; it must not have a RETURNING of its own. */
  async count(sql: string): Promise<number> {
    const rows = await this.query(`with written as (${sql} returning 1) select count(*) from written`)
    return Number(rows[0]?.[0])
  }

  async create(): Promise<void> {
    const tables = this.collections.flatMap(({ main, lists }) => [
      createSql(main, ['file integer', 'place bigint', 'id uuid', `key ${keyType(main)}`]),
      ...lists.map((list) => createSql(list, ['parent uuid', `position ${keyType(list)}`])),
    ])
    await this.run(
      [
        ...tables,
        `create temporary table ${bare(REJECTED)} (collection integer, id uuid) on commit drop`,
        `create temporary table ${bare(BAD)} (kind integer, error boolean, collection integer, id uuid, file integer,
           place bigint, key text, at integer, value text, other text) on commit drop`,
      ].join(';'),
    )
  }

  add({ name }: StageTable, line: string): void {
    this.append(name, `copy ${name} from stdin`, line)
  }

  reject(collection: StageCollection, id: string): void {
    this.anyRejected = true
    this.append(REJECTED, `copy ${REJECTED} from stdin`, `${String(collection.number)}\t${id}\n`)
  }

  /** Resolves when few enough rows are on their way; rejects with what went wrong with earlier ones. */
  async drain(): Promise<void> {
    while (this.sending.length >= IN_FLIGHT) await this.sending.shift()
    if (this.failure !== undefined) throw this.failure.error
  }

  /** All rows are in the database, which has looked at them. */
  async finish(): Promise<void> {
    for (const tail of this.tails.values()) this.send(tail)
    await this.sending.at(-1)
    this.sending = []
    if (this.failure !== undefined) throw this.failure.error
    // The planner needs the sizes and what is joined by; to look at all columns would take longer than the joins.
    await this.run(
      [
        ...this.collections.flatMap(({ main, lists }) => [
          analyzeSql(main, ['id']),
          ...lists.map((list) => analyzeSql(list, ['parent', 'position'])),
        ]),
        `analyze ${REJECTED}`,
      ].join(';'),
    )
  }

  /** Sends nothing more, and waits for what is on its way: whatever ends the import, the session is free afterwards. */
  async abandon(): Promise<void> {
    this.failure ??= { error: new Error('the import has ended') }
    await this.sending.at(-1)
  }

  private append(name: string, copy: string, line: string): void {
    let tail = this.tails.get(name)
    if (tail === undefined) this.tails.set(name, (tail = { copy, bytes: undefined, length: 0 }))
    // A character of a JavaScript string takes three bytes at most.
    const most = line.length * 3
    if (tail.length + most > CHUNK) this.send(tail)
    if (most > CHUNK) {
      this.sendBytes(copy, Buffer.from(line))
      return
    }
    tail.bytes ??= this.free.pop() ?? Buffer.allocUnsafeSlow(CHUNK)
    tail.length += tail.bytes.write(line, tail.length)
  }

  private send(tail: Tail): void {
    const { copy, bytes, length } = tail
    if (bytes === undefined) return
    tail.bytes = undefined
    tail.length = 0
    this.sendBytes(copy, bytes.subarray(0, length), bytes)
  }

  private sendBytes(copy: string, rows: Buffer, reusable?: Buffer): void {
    const before = this.sending.at(-1)
    this.sending.push(
      this.copy(copy, rows, before).then(() => {
        if (reusable !== undefined) this.free.push(reusable)
      }),
    )
  }

  /** Never rejects: whoever waits for a later chunk, or for none any more, would not hear it. */
  private async copy(copy: string, bytes: Buffer, before: Promise<void> | undefined): Promise<void> {
    await before
    if (this.failure !== undefined) return
    try {
      await this.guard(() => this.session.copyIn(copy, Readable.from([bytes])))
    } catch (error) {
      this.failure = { error }
    }
  }
}

/** The rows of a table that have not been sent yet. */
interface Tail {
  readonly copy: string
  bytes: Buffer | undefined
  length: number
}

/** Ids of documents that are left out, so that what refers to them is not taken for dangling. */
export const REJECTED = 'pg_temp.dbkit_import_rejected'

/** What SQL found to be wrong with documents. */
export const BAD = 'pg_temp.dbkit_import_bad'

function bare(name: string): string {
  return name.slice('pg_temp.'.length)
}

function createSql({ name, shape }: StageTable, keys: readonly string[]): string {
  const columns = shape.columns.map(({ type }, index) => `c${String(index)} ${type}`)
  return `create temporary table ${bare(name)} (${[...keys, ...columns].join(', ')}) on commit drop`
}

function analyzeSql({ name, shape }: StageTable, keys: readonly string[]): string {
  const references = shape.references.map(({ index }) => `c${String(index)}`)
  return `analyze ${name} (${[...keys, ...references].join(', ')})`
}

/** The type of the second key column: what holds the _id, or the place in the array. */
function keyType({ shape }: StageTable): string {
  return shape.table.columns.get(shape.keys[1])?.type ?? 'text'
}
