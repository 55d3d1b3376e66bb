import { nearestName, problem, type DbkitError, type SourceLocation } from '../errors.js'
import {
  columnOf,
  foreignKeysOf,
  type SeedColumn,
  type SeedForeignKey,
  type SeedTable,
  type TablesByOid,
} from './seed-tables.js'

/** A column as a seed file names it. */
export interface FileColumn {
  /** ["weight"]; ["carrier_id", "mc_number"] for the row of carriers with that mc_number. */
  readonly path: readonly string[]
  readonly location: SourceLocation
  /** False: some rows name the column (the first of the path) in no way at all, and get its default. */
  readonly always: boolean
}

/** A column of the temporary table that a file is loaded into before it is compared with the real one. */
export interface StageColumn extends FileColumn {
  /** c0, c1, ... */
  readonly name: string
  /** The column of the table (or of the table referred to) that its values are for. */
  readonly holds: SeedColumn
}

/** The row of another table, found by a unique key. */
export interface Lookup {
  /** r0, r1, ...: the alias of the table it joins. */
  readonly alias: string
  readonly table: SeedTable
  readonly foreignKey: SeedForeignKey
  /** The column whose value is wanted. */
  readonly result: string
  readonly parts: readonly { readonly column: SeedColumn; readonly from: StageColumn | Lookup }[]
}

/** A column of the table, and where its value comes from; a JSON file may give some rows the one way and some the other. */
export interface Target {
  readonly column: SeedColumn
  readonly location: SourceLocation
  readonly plain: StageColumn | undefined
  readonly lookup: Lookup | undefined
  /** Some rows leave it out and get the column's default. */
  readonly sometimesMissing: boolean
}

/** How the columns of one file become columns of its table. */
export interface ColumnMap {
  readonly table: SeedTable
  readonly stage: readonly StageColumn[]
  readonly targets: readonly Target[]
  /** In the order in which they can be joined. */
  readonly lookups: readonly Lookup[]
}

/** Maps a file's columns; every column that does not fit is a problem of its own. */
export function mapColumns(
  table: SeedTable,
  columns: readonly FileColumn[],
  tables: TablesByOid,
): { readonly map: ColumnMap; readonly problems: readonly DbkitError[] } {
  const problems: DbkitError[] = []
  const stage: StageColumn[] = []
  const targets: Target[] = []
  const lookups: Lookup[] = []

  const stageColumn = (column: FileColumn, holds: SeedColumn): StageColumn => {
    const staged = { ...column, name: `c${String(stage.length)}`, holds }
    stage.push(staged)
    return staged
  }

  const lookUp = (
    owner: SeedTable,
    column: SeedColumn,
    below: readonly FileColumn[],
    depth: number,
  ): Lookup | undefined => {
    const [first] = below
    if (first === undefined) return undefined
    const written = first.path.join('.')
    const names = [...new Set(below.map(({ path }) => path[depth] ?? ''))]
    const reached = foreignKeysOf(owner, column.name).flatMap((foreignKey) => {
      const referenced = tables.get(foreignKey.references)
      return referenced === undefined ? [] : [{ foreignKey, referenced }]
    })
    const [nearest] = reached
    if (nearest === undefined) {
      problems.push(
        problem(
          'seed.bad-reference',
          { written, why: `${owner.shown}.${column.name} has no foreign key` },
          { location: first.location },
        ),
      )
      return undefined
    }
    const found =
      reached.find(({ referenced }) => names.every((name) => columnOf(referenced, name) !== undefined)) ??
      nearest
    const { foreignKey, referenced } = found
    const parts: { column: SeedColumn; from: StageColumn | Lookup }[] = []
    for (const name of names) {
      const inner = below.filter(({ path }) => path[depth] === name)
      const part = columnOf(referenced, name)
      const [here] = inner
      if (here === undefined) continue
      if (part === undefined) {
        problems.push(unknownColumn(referenced, name, here.location))
        continue
      }
      const direct = inner.find(({ path }) => path.length === depth + 1)
      const from =
        direct === undefined ? lookUp(referenced, part, inner, depth + 1) : stageColumn(direct, part)
      if (from !== undefined) parts.push({ column: part, from })
    }
    if (parts.length < names.length) return undefined
    if (!referenced.keys.some((key) => key.columns.every((name) => names.includes(name)))) {
      const known = referenced.keys.map((key) => key.columns.join(' + '))
      const why = `${names.join(' + ')} does not tell the rows of ${referenced.shown} apart${known.length === 0 ? '' : ` (${known.join(', ')} would)`}`
      problems.push(problem('seed.bad-reference', { written, why }, { location: first.location }))
      return undefined
    }
    const lookup: Lookup = {
      alias: `r${String(lookups.length)}`,
      table: referenced,
      foreignKey,
      result: foreignKey.referencedColumns[foreignKey.columns.indexOf(column.name)] ?? '',
      parts,
    }
    lookups.push(lookup)
    return lookup
  }

  for (const name of new Set(columns.map(({ path }) => path[0] ?? ''))) {
    const own = columns.filter(({ path }) => path[0] === name)
    const [first] = own
    const column = columnOf(table, name)
    if (first === undefined) continue
    if (column === undefined) {
      problems.push(unknownColumn(table, name, first.location))
      continue
    }
    if (column.generated !== undefined) {
      problems.push(
        problem(
          'seed.generated-column',
          { column: name, table: table.shown, kind: column.generated },
          { location: first.location },
        ),
      )
      continue
    }
    const plain = own.find(({ path }) => path.length === 1)
    const below = own.filter(({ path }) => path.length > 1)
    const target: Target = {
      column,
      location: first.location,
      plain: plain === undefined ? undefined : stageColumn(plain, column),
      lookup: lookUp(table, column, below, 1),
      sometimesMissing: !own.some(({ always }) => always),
    }
    targets.push(target)
  }
  return { map: { table, stage, targets, lookups }, problems }
}

/** The columns of the temporary table that a lookup's value comes from. */
export function stageColumnsOf(lookup: Lookup): readonly StageColumn[] {
  return lookup.parts.flatMap(({ from }) => ('alias' in from ? stageColumnsOf(from) : [from]))
}

function unknownColumn(table: SeedTable, name: string, location: SourceLocation): DbkitError {
  return problem(
    'seed.unknown-column',
    {
      column: name,
      table: table.shown,
      nearest: nearestName(
        name,
        table.columns.map((column) => column.name),
      ),
    },
    { location },
  )
}
