import { quoteName } from '../database/quote.js'
import type { ImportFinding, ImportFindingCode } from '../report.js'
import type { BoundCollection, BoundReference } from './bind-mapping.js'
import { FINDINGS_KEPT, type Findings, type Place } from './findings.js'
import type { TargetUnique } from './read-target.js'
import { BAD, REJECTED, type Stage, type StageCollection, type StageTable } from './stage.js'
import { shown } from './values.js'

export interface CheckOptions {
  /** References that may be missing become NULL when they lead nowhere. */
  readonly allowDangling: boolean
  /** What is wrong is taken off the stage, and what referred to it is looked at again. */
  readonly skipBad: boolean
}

/** Where a document is, for messages: by the number of its collection, that of its file, and its place there. */
export type PlaceOf = (collection: number, file: number, place: number) => Place

/**
 * Looks at all staged documents together: the same _id twice, values that have to be unique, references that lead nowhere. What is
 * wrong goes into the findings.
 */
export async function checkStage(
  stage: Stage,
  known: ReadonlyMap<string, BoundCollection>,
  findings: Findings,
  placeOf: PlaceOf,
  options: CheckOptions,
): Promise<void> {
  const checker = new Checker(stage, known, options)
  for (const collection of stage.collections) await checker.adoptRows(collection)
  for (const collection of stage.collections) await checker.findSameIds(collection)
  for (const collection of stage.collections) await checker.findSameValues(collection)
  do {
    for (const collection of stage.collections) {
      await checker.findTakenValues(collection)
      await checker.findDangling(collection)
    }
  } while (await checker.takeOffBad())
  await checker.report(findings, placeOf)
}

/** One thing that is looked for; its number stands in the rows of what was found. */
interface Check {
  readonly code: ImportFindingCode
  readonly severity: ImportFinding['severity']
  path(at: string | null): string
  message(value: string | null, other: string): string
}

/** A unique index of a table, over columns of the stage. */
interface StagedUnique {
  readonly path: string
  readonly columns: readonly string[]
  readonly targets: readonly string[]
  readonly nullsEqual: boolean
  /** The value in SQL, of a row called s; NULL when it is a secret. */
  readonly value: string
}

const ADOPTED = 'pg_temp.dbkit_import_adopted'

class Checker {
  private readonly stage: Stage
  private readonly known: ReadonlyMap<string, BoundCollection>
  private readonly options: CheckOptions
  private readonly checks: Check[] = []

  constructor(stage: Stage, known: ReadonlyMap<string, BoundCollection>, options: CheckOptions) {
    this.stage = stage
    this.known = known
    this.options = options
  }

  /**
   * A row that has a document's _id is that document, whatever its own id: it may have been brought over by other means. What was
   * staged for the document, and what refers to it, then follows that row.
   */
  async adoptRows({ main, lists, name }: StageCollection): Promise<void> {
    const { table, keys } = main.shape
    if (table.empty) return
    const [id, key] = keys.map(quoteName)
    await this.stage.query(
      `create temporary table dbkit_import_adopted on commit drop as
         select distinct s.id as staged, t.${String(id)} as kept
           from ${main.name} s join ${quoteName(table.name)} t on t.${String(key)} = s.key and t.${String(id)} <> s.id`,
    )
    const any = await this.stage.query(`select from ${ADOPTED} limit 1`)
    if (any.length > 0) {
      const follow = (target: string, column: string): Promise<unknown> =>
        this.stage.query(
          `update ${target} x set ${column} = a.kept from ${ADOPTED} a where x.${column} = a.staged`,
        )
      for (const list of lists) await follow(list.name, 'parent')
      for (const other of this.stage.tables)
        for (const { index, to } of other.shape.references)
          if (to === name) await follow(other.name, `c${String(index)}`)
      await follow(main.name, 'id')
    }
    await this.stage.query(`drop table ${ADOPTED}`)
  }

  async findSameIds(collection: StageCollection): Promise<void> {
    await this.find(collection, {
      check: {
        code: 'duplicate-id',
        severity: 'error',
        path: () => '_id',
        message: (_, other) => `another document has the same: ${other}`,
      },
      from: `(${groupsOf(collection.main, ['id'], false)}) s`,
      other: OTHER_PLACE,
    })
  }

  async findSameValues(collection: StageCollection): Promise<void> {
    for (const { path, columns, nullsEqual, value } of uniquesOf(collection.main))
      await this.find(collection, {
        check: {
          code: 'duplicate-value',
          severity: 'error',
          path: () => path,
          message: (seen, other) =>
            `${valueText(seen)} has to be unique, and another document has it as well: ${other}`,
        },
        from: `(${groupsOf(collection.main, columns, nullsEqual)}) s`,
        // The same document twice was told already.
        where: 's.other_id <> s.id',
        value,
        other: OTHER_PLACE,
      })
  }

  async findTakenValues(collection: StageCollection): Promise<void> {
    const { main } = collection
    const { table, keys } = main.shape
    if (table.empty) return
    const id = quoteName(keys[0])
    for (const { path, columns, targets, nullsEqual, value } of uniquesOf(main)) {
      const same = columns.map(
        (column, index) =>
          `t.${quoteName(targets[index] ?? '')} ${nullsEqual ? 'is not distinct from' : '='} s.${column}`,
      )
      await this.find(collection, {
        check: {
          code: 'duplicate-value',
          severity: 'error',
          path: () => path,
          message: (seen, other) =>
            `${valueText(seen)} has to be unique, and the row ${other} of ${table.name}, which is not imported, has it`,
        },
        from: `${main.name} s join ${quoteName(table.name)} t on ${same.join(' and ')} and t.${id} <> s.id`,
        where: `not exists (select from ${main.name} r where r.id = t.${id})`,
        value,
        other: `t.${id}::text`,
      })
    }
  }

  async findDangling(collection: StageCollection): Promise<void> {
    const { main, lists } = collection
    for (const reference of main.shape.references)
      await this.findDanglingOf(collection, reference, main, `${main.name} s`, 's')
    for (const list of lists)
      for (const reference of list.shape.references)
        await this.findDanglingOf(
          collection,
          reference,
          list,
          `${list.name} x join ${main.name} s on s.id = x.parent`,
          'x',
        )
  }

  private async findDanglingOf(
    collection: StageCollection,
    { index, to, path, required }: BoundReference,
    { name, shape }: StageTable,
    from: string,
    alias: string,
  ): Promise<void> {
    const target = this.known.get(to)?.shape
    if (target === undefined) return
    const [id, key] = [`c${String(index)}`, `c${String(index + 1)}`]
    const [targetId, targetKey] = target.keys.map(quoteName)
    const row = quoteName(target.table.name)
    const dangles = this.danglingSql(to, row, String(targetId), target.table.empty)
    // Rows that were brought over by other means have ids of their own: their _id finds them.
    if (!target.table.empty)
      await this.stage.query(
        `update ${name} x set ${id} = t.${String(targetId)} from ${row} t
          where t.${String(targetKey)} = x.${key} and ${dangles(`x.${id}`)}`,
      )
    const forgiven = this.options.allowDangling && !required
    const advice = forgiven ? '; set to NULL' : required ? '' : ' (--allow-dangling sets it to NULL)'
    const found = await this.find(collection, {
      check: {
        code: 'dangling-reference',
        severity: forgiven ? 'warning' : 'error',
        path: (at) => (at === null ? path : `${shape.path}.${at}.${path}`),
        message: (value) =>
          `${valueText(value)} is neither among the imported documents nor in ${target.table.name}${advice}`,
      },
      from,
      where: dangles(`${alias}.${id}`),
      at: alias === 'x' ? 'x.position' : undefined,
      value: `${alias}.${key}`,
    })
    if (forgiven && found > 0)
      await this.stage.query(`update ${name} x set ${id} = null, ${key} = null where ${dangles(`x.${id}`)}`)
  }

  /** The condition under which an id leads nowhere. */
  private danglingSql(to: string, row: string, targetId: string, empty: boolean): (id: string) => string {
    const staged = this.stage.collections.find(({ name }) => name === to)
    // A document that is wrong itself was told already; that others refer to it is no fault of theirs.
    const excused = staged !== undefined && !this.options.skipBad && this.stage.anyRejected
    return (id) =>
      [
        `${id} is not null`,
        ...(staged === undefined
          ? []
          : [`not exists (select from ${staged.main.name} q where q.id = ${id})`]),
        ...(empty ? [] : [`not exists (select from ${row} q where q.${targetId} = ${id})`]),
        ...(excused
          ? [
              `not exists (select from ${REJECTED} q where q.collection = ${String(staged.number)} and q.id = ${id})`,
            ]
          : []),
      ].join(' and ')
  }

  /** Writes down the documents that a query finds; returns how many there are. */
  private async find(
    collection: StageCollection,
    query: {
      readonly check: Check
      readonly from: string
      readonly where?: string
      readonly at?: string | undefined
      readonly value?: string
      readonly other?: string
    },
  ): Promise<number> {
    const kind = this.checks.push(query.check) - 1
    const { from, where = 'true', at = 'null', value = 'null', other = 'null' } = query
    return this.stage.count(
      `insert into ${BAD}
         select ${String(kind)}, ${String(query.check.severity === 'error')}, ${String(collection.number)},
                s.id, s.file, s.place, s.key, ${at}::integer, ${value}::text, ${other}::text
           from ${from} where ${where}`,
    )
  }

  /** Takes what is wrong off the stage; true when that may have left others dangling. */
  async takeOffBad(): Promise<boolean> {
    if (!this.options.skipBad) return false
    const taken = await this.stage.count(
      `insert into ${REJECTED}
         select distinct b.collection, b.id from ${BAD} b
          where b.error and not exists (select from ${REJECTED} r where r.collection = b.collection and r.id = b.id)`,
    )
    if (taken === 0) return false
    for (const { number, main, lists } of this.stage.collections)
      for (const [table, column] of [
        [main, 'id'] as const,
        ...lists.map((list) => [list, 'parent'] as const),
      ])
        await this.stage.query(
          `delete from ${table.name} s using ${REJECTED} r where r.collection = ${String(number)} and r.id = s.${column}`,
        )
    return true
  }

  async report(findings: Findings, placeOf: PlaceOf): Promise<void> {
    const bad = await this.stage.query(
      `select collection, file, count(distinct place) from ${BAD} where error group by collection, file`,
    )
    for (const [collection, file, count] of bad)
      findings.reject(placeOf(Number(collection), Number(file), 1).file, Number(count))
    const room = FINDINGS_KEPT - findings.kept.length
    const rows = await this.stage.query(
      `select kind, collection, file, place, key, at, value, other, count(*) over ()
         from ${BAD} order by file, place, kind, at limit ${String(Math.max(room, 1))}`,
    )
    for (const [kind, collection, file, place, key, at, value, other] of rows) {
      const check = this.checks[Number(kind)]
      if (check === undefined) continue
      const [otherFile = '', otherPlace] = (other ?? '').split(':')
      const where =
        otherPlace === undefined
          ? otherFile
          : placeText(placeOf(Number(collection), Number(otherFile), Number(otherPlace)))
      findings.add(
        placeOf(Number(collection), Number(file), Number(place)),
        check.code,
        { id: key ?? undefined, path: check.path(at ?? null), message: check.message(value ?? null, where) },
        check.severity,
      )
    }
    const total = Number(rows[0]?.[8] ?? 0)
    findings.leftOut += total - rows.length
  }
}

const OTHER_PLACE = "s.other_file || ':' || s.other_place"

/** Rows that share their values with others, each with the place of another one: the first, or of the first the second. */
function groupsOf({ name }: StageTable, columns: readonly string[], nullsEqual: boolean): string {
  const own = columns.map((column) => `s.${column}`).join(', ')
  const present = columns.map((column) => `s.${column} is not null`).join(' and ')
  const same = columns.map((column) => `g.${column} ${nullsEqual ? 'is not distinct from' : '='} s.${column}`)
  const another = (column: string): string =>
    `case when pg_catalog.row_number() over w = 1 then pg_catalog.lead(s.${column}) over w
          else pg_catalog.first_value(s.${column}) over w end as other_${column}`
  return `select s.*, ${['id', 'file', 'place'].map(another).join(', ')}
    from ${name} s
    join (select ${own} from ${name} s ${nullsEqual ? '' : `where ${present}`} group by ${own} having count(*) > 1) g
      on ${same.join(' and ')}
  window w as (partition by ${own} order by s.file, s.place)`
}

function uniquesOf({ shape }: StageTable): readonly StagedUnique[] {
  const { keys, columns } = shape
  const staged = (target: string): string | undefined => {
    const key = keys.indexOf(target)
    if (key >= 0) return key === 0 ? 'id' : 'key'
    const index = columns.findIndex(({ name }) => name === target)
    return index < 0 ? undefined : `c${String(index)}`
  }
  return shape.table.uniques.flatMap((unique: TargetUnique) => {
    const own = unique.columns.flatMap((column) => staged(column) ?? [])
    // Over columns that no document fills, the database alone can tell; the keys have checks of their own.
    if (own.length < unique.columns.length || own.every((column) => column === 'id' || column === 'key'))
      return []
    const filled = columns.flatMap((column, index) =>
      own.includes(`c${String(index)}`) ? [{ ...column, index }] : [],
    )
    // Of a reference, the _id beside it is what the document says.
    const texts = filled.map(({ index }) =>
      shape.references.some((reference) => reference.index === index)
        ? `s.c${String(index + 1)}`
        : `s.c${String(index)}`,
    )
    return [
      {
        path: filled.map(({ path }) => path).join(', '),
        columns: own,
        targets: unique.columns,
        nullsEqual: unique.nullsEqual,
        value: filled.some(({ secret }) => secret)
          ? 'null'
          : `pg_catalog.concat_ws(', ', ${texts.join(', ')})`,
      },
    ]
  })
}

function valueText(value: string | null): string {
  return value === null ? 'the value' : shown(value)
}

/** agents.json:12, or agents.bson, document 12 */
export function placeText({ file, line, document }: Place): string {
  return line === undefined ? `${file}, document ${String(document)}` : `${file}:${String(line)}`
}
