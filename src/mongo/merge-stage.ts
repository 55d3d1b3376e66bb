import { quoteName } from '../database/quote.js'
import { problem } from '../errors.js'
import type { ImportTableReport } from '../report.js'
import type { Shape } from './bind-mapping.js'
import type { TargetTable } from './read-target.js'
import type { Stage, StageCollection, StageTable } from './stage.js'

/**
 * Brings the tables to what is staged: new rows are inserted, changed ones updated, equal ones not touched, so that no trigger of theirs
 * fires. The constraints that can wait are checked before this returns.
 */
export async function mergeStage(stage: Stage): Promise<readonly ImportTableReport[]> {
  const merger = new Merger(stage)
  const ordered = orderByReferences(stage.collections)
  for (const collection of ordered) await merger.fillTimes(collection)
  for (const { main } of ordered) await merger.compare(main)
  const held = await merger.holdTriggers(ordered)
  await stage.run('set constraints all deferred')
  for (const { main } of ordered) await merger.freeUniques(main)
  for (const { main } of ordered) await merger.mergeMain(main)
  for (const { main, lists } of ordered) for (const list of lists) await merger.mergeList(main, list)
  // Whatever is wrong is said here and not by COMMIT; and a table with checks still waiting cannot be altered.
  await stage.run('set constraints all immediate')
  await merger.releaseTriggers(held)
  return stage.tables.flatMap((table) => merger.reports.get(table) ?? [])
}

interface HeldTrigger {
  readonly table: string
  readonly name: string
  readonly always: boolean
}

class Merger {
  readonly reports = new Map<StageTable, ImportTableReport>()
  private readonly stage: Stage
  private readonly changed = new Map<StageTable, { readonly name: string; readonly count: number }>()

  constructor(stage: Stage) {
    this.stage = stage
  }

  /** Times that neither a document nor its _id tells: kept where there is a row already, otherwise now. */
  async fillTimes({ main, lists }: StageCollection): Promise<void> {
    for (const table of [main, ...lists]) {
      const { columns, table: target, keys } = table.shape
      const timed = columns.flatMap(({ created, name }, index) =>
        created && name !== undefined ? [{ name, cell: `c${String(index)}` }] : [],
      )
      if (timed.length === 0) continue
      const [missing] = await this.stage.query(
        `select ${timed.map(({ cell }) => `coalesce(pg_catalog.bool_or(${cell} is null), false)`).join(', ')} from ${table.name}`,
      )
      for (const [index, { name, cell }] of timed.entries()) {
        if (missing?.[index] !== 't') continue
        if (!target.empty)
          await this.stage.query(
            `update ${table.name} s set ${cell} = t.${quoteName(name)} from ${quoteName(target.name)} t
              where s.${cell} is null and ${sameRow(keys, table === main ? MAIN_KEYS : LIST_KEYS)}`,
          )
        await this.stage.query(`update ${table.name} set ${cell} = current_timestamp where ${cell} is null`)
      }
    }
  }

  /** Finds the rows that are there and differ. */
  async compare(main: StageTable): Promise<void> {
    const { table, keys } = main.shape
    if (table.empty) return
    const name = `${main.name}_changed`
    await this.stage.query(
      `create temporary table ${name.slice('pg_temp.'.length)} on commit drop as
         select s.id from ${main.name} s join ${quoteName(table.name)} t on t.${quoteName(keys[0])} = s.id
          where ${differs(mainColumns(main.shape), table)}`,
    )
    const count = Number((await this.stage.query(`select count(*) from ${name}`))[0]?.[0])
    await this.stage.query(`analyze ${name}`)
    if (count > 0) this.changed.set(main, { name, count })
  }

  /**
   * UPDATE triggers of tables with changed rows are switched off: the usual one sets updated_at to now, whatever the statement says, and
   * an import keeps the time that was exported. Within this transaction, so that a crash leaves them on.
   */
  async holdTriggers(collections: readonly StageCollection[]): Promise<readonly HeldTrigger[]> {
    const held: HeldTrigger[] = []
    for (const { main } of collections) {
      const { table } = main.shape
      if (!this.changed.has(main) || table.updateTriggers.length === 0) continue
      if (!table.owned)
        throw problem('import.not-owner', {
          table: table.name,
          triggers: table.updateTriggers.map(({ name }) => name),
        })
      for (const { name, always } of table.updateTriggers) {
        await this.stage.run(`alter table ${quoteName(table.name)} disable trigger ${quoteName(name)}`)
        held.push({ table: table.name, name, always })
      }
    }
    return held
  }

  async releaseTriggers(held: readonly HeldTrigger[]): Promise<void> {
    for (const { table, name, always } of held)
      await this.stage.run(
        `alter table ${quoteName(table)} enable ${always ? 'always ' : ''}trigger ${quoteName(name)}`,
      )
  }

  /**
   * Unique values that move from one row to another: UPDATE looks at them row by row, and would refuse a state that is only passing. The
   * rows that are about to give a value up get a placeholder first.
   */
  async freeUniques(main: StageTable): Promise<void> {
    const changed = this.changed.get(main)
    if (changed === undefined) return
    const { table, keys, columns } = main.shape
    const [target, id] = [quoteName(table.name), quoteName(keys[0])]
    for (const unique of table.uniques) {
      const cells = unique.columns.map((column) => columns.findIndex(({ name }) => name === column))
      if (cells.includes(-1)) continue
      const column = unique.columns.find((name) => placeholderOf(table, name, id) !== undefined)
      if (column === undefined) continue
      const wanted = unique.columns.map((name, index) => `s.c${String(cells[index])} = t.${quoteName(name)}`)
      await this.stage.query(
        `update ${target} t set ${quoteName(column)} = ${placeholderOf(table, column, `t.${id}`) ?? 'null'}
           from ${changed.name} c
          where c.id = t.${id}
            and exists (select from ${main.name} s where s.id <> t.${id} and ${wanted.join(' and ')})`,
      )
    }
  }

  async mergeMain(main: StageTable): Promise<void> {
    const { table, keys } = main.shape
    const columns = mainColumns(main.shape)
    const [target, id] = [quoteName(table.name), quoteName(keys[0])]
    const fresh = table.empty ? '' : ` where not exists (select from ${target} t where t.${id} = s.id)`
    const inserted = await this.stage.count(
      `insert into ${target} (${[id, ...columns.map(({ name }) => quoteName(name))].join(', ')})
         select ${['s.id', ...columns.map(({ cell }) => `s.${cell}`)].join(', ')} from ${main.name} s${fresh}`,
    )
    const changed = this.changed.get(main)
    if (changed !== undefined)
      await this.stage.query(
        `update ${target} t set ${columns.map(({ name, cell }) => `${quoteName(name)} = s.${cell}`).join(', ')}
           from ${main.name} s join ${changed.name} c on c.id = s.id where t.${id} = s.id`,
      )
    const updated = changed?.count ?? 0
    const unchanged = (await this.rowsOf(main)) - inserted - updated
    this.reports.set(main, { table: table.name, inserted, updated, unchanged, removed: 0 })
  }

  /** The rows of an array: what differs or is no longer there goes, what is not there comes. */
  async mergeList(main: StageTable, list: StageTable): Promise<void> {
    const { table, keys, columns } = list.shape
    const target = quoteName(table.name)
    const [parent, position] = keys.map(quoteName)
    const own = columns.flatMap(({ name }, index) =>
      name === undefined ? [] : [{ name, cell: `c${String(index)}` }],
    )
    let [updated, removed] = [0, 0]
    if (!table.empty) {
      const same = sameRow(keys, LIST_KEYS)
      updated = await this.stage.count(
        `delete from ${target} t using ${list.name} s where ${same} and ${differs(own, table)}`,
      )
      removed = await this.stage.count(
        `delete from ${target} t using ${main.name} m
          where m.id = t.${String(parent)} and not exists (select from ${list.name} s where ${same})`,
      )
    }
    const fresh = table.empty
      ? ''
      : ` where not exists (select from ${target} t where t.${String(parent)} = s.parent and t.${String(position)} = s.position)`
    const written = await this.stage.count(
      `insert into ${target} (${[...keys, ...own.map(({ name }) => name)].map(quoteName).join(', ')})
         select ${['s.parent', 's.position', ...own.map(({ cell }) => `s.${cell}`)].join(', ')} from ${list.name} s${fresh}`,
    )
    const unchanged = (await this.rowsOf(list)) - written
    this.reports.set(list, { table: table.name, inserted: written - updated, updated, unchanged, removed })
  }

  private async rowsOf({ name }: StageTable): Promise<number> {
    return Number((await this.stage.query(`select count(*) from ${name}`))[0]?.[0])
  }
}

interface StagedColumn {
  readonly name: string
  readonly cell: string
}

/** What a row consists of beside its id. */
function mainColumns({ keys, columns }: Shape): readonly StagedColumn[] {
  return [
    { name: keys[1], cell: 'key' },
    ...columns.flatMap(({ name }, index) =>
      name === undefined ? [] : [{ name, cell: `c${String(index)}` }],
    ),
  ]
}

const MAIN_KEYS = ['id'] as const
const LIST_KEYS = ['parent', 'position'] as const

function sameRow(keys: readonly string[], staged: readonly string[]): string {
  return staged.map((column, index) => `t.${quoteName(keys[index] ?? '')} = s.${column}`).join(' and ')
}

function differs(columns: readonly StagedColumn[], { columns: known }: TargetTable): string {
  if (columns.length === 0) return 'false'
  // The type json has no equality; its text is what was written.
  const side = (prefix: string, name: string, target: string): string =>
    `${prefix}.${name}${known.get(target)?.base === 'json' ? '::text' : ''}`
  const there = columns.map(({ name }) => side('t', quoteName(name), name))
  const staged = columns.map(({ name, cell }) => side('s', cell, name))
  return `row(${there.join(', ')}) is distinct from row(${staged.join(', ')})`
}

/** A value that no other row has and nobody means, for a moment; undefined when the type has none. */
function placeholderOf({ columns }: TargetTable, name: string, id: string): string | undefined {
  const column = columns.get(name)
  if (column === undefined) return undefined
  if (!column.notNull) return 'null'
  if (column.base === 'uuid') return 'pg_catalog.gen_random_uuid()'
  const length = column.length ?? MD5_LENGTH
  return ['text', 'varchar', 'citext'].includes(column.base) && length >= MD5_LENGTH
    ? `pg_catalog.md5(${id}::text)`
    : undefined
}

const MD5_LENGTH = 32

/** Collections whose rows others refer to come first, where the constraint does not wait for the end. */
function orderByReferences(collections: readonly StageCollection[]): readonly StageCollection[] {
  const waiting = [...collections]
  const ordered: StageCollection[] = []
  while (waiting.length > 0) {
    const index = waiting.findIndex(({ main }) =>
      main.shape.table.needs.every((need) => !waiting.some((other) => other.main.shape.table.name === need)),
    )
    if (index < 0)
      throw problem('import.circular-references', {
        tables: waiting.map(({ main }) => main.shape.table.name),
      })
    ordered.push(...waiting.splice(index, 1))
  }
  return ordered
}
