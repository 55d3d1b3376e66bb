import { findFact, partsOfKind, type Catalog, type FactOf } from '../catalog/catalog.js'
import { quoteIfNeeded } from '../database/quote.js'
import { without, withValue, type MadeRow } from './made-row.js'

/** A text that is longer than this is made shorter as far as the failure lasts. */
const SHORT = 8

/** Gives each column its plainest value with which the failure is still the same. */
export async function simplify(
  rows: readonly MadeRow[],
  catalog: Catalog,
  isSame: (rows: readonly MadeRow[]) => Promise<boolean>,
): Promise<readonly MadeRow[]> {
  let kept = rows
  const change = async (other: readonly MadeRow[]): Promise<boolean> => {
    if (!(await isSame(other))) return false
    kept = other
    return true
  }
  for (const [index, { table }] of rows.entries())
    for (const column of partsOfKind(catalog, `table ${table}`, 'column')) {
      const { name } = column
      const value = kept[index]?.values.get(name)
      if (value === undefined) continue
      const here = (other: (row: MadeRow) => MadeRow): readonly MadeRow[] =>
        kept.map((row, at) => (at === index ? other(row) : row))
      if (await change(here((row) => without(row, name)))) continue
      if (value === null) continue
      const to = async (plain: string): Promise<boolean> =>
        plain !== value &&
        ((await change(here((row) => withValue(row, name, plain)))) ||
          // A key and what refers to it, or two that are the same, are one thing.
          (await change(everywhere(kept, value, plain))))
      let plainer = false
      for (const plain of plainValues(catalog, column, index)) plainer ||= await to(plain)
      if (!plainer && value.length > SHORT && isText(column)) {
        await to('x'.repeat(value.length))
        const now = kept[index]?.values.get(name) ?? value
        await shorten(now, (text) => change(here((row) => withValue(row, name, text))))
      }
    }
  return kept
}

/** Every value that is the same, whichever column it stands in. */
function everywhere(rows: readonly MadeRow[], value: string, plain: string): readonly MadeRow[] {
  return rows.map((row) => ({
    ...row,
    values: new Map([...row.values].map(([name, other]) => [name, other === value ? plain : other])),
  }))
}

function isText({ details: { typeRef } }: FactOf<'column'>): boolean {
  return !typeRef.array && /^(?:text|varchar|bpchar|citext|name)$/.test(typeRef.name)
}

async function shorten(value: string, isSame: (text: string) => Promise<boolean>): Promise<void> {
  let kept = [...value]
  for (let cut = Math.floor(kept.length / 2); kept.length > SHORT && cut >= 1; cut = Math.floor(cut / 2))
    while (kept.length - cut >= 1) {
      const shorter = kept.slice(0, kept.length - cut)
      if (!(await isSame(shorter.join('')))) break
      kept = shorter
    }
}

function plainValues(
  catalog: Catalog,
  { details: { typeRef } }: FactOf<'column'>,
  index: number,
): readonly string[] {
  const number = String(index + 1)
  if (typeRef.array) return ['{}']
  const identity = `${quoteIfNeeded(typeRef.schema)}.${quoteIfNeeded(typeRef.name)}`
  const own = findFact(catalog, 'type', identity)
  if (own !== undefined) return own.properties.labels.slice(0, 1)
  const name = findFact(catalog, 'domain', identity)?.details.typeRef.name ?? typeRef.name
  switch (name) {
    case 'int2':
    case 'int4':
    case 'int8':
    case 'numeric':
    case 'float4':
    case 'float8':
      return [number]
    case 'text':
    case 'varchar':
    case 'bpchar':
    case 'citext':
      return ['a', 'b']
    case 'bool':
      return ['true']
    case 'date':
      return ['2000-01-01']
    case 'timestamp':
      return ['2000-01-01 00:00:00']
    case 'timestamptz':
      return ['2000-01-01 00:00:00+00']
    case 'json':
    case 'jsonb':
      return ['{}']
    case 'uuid':
      return [`00000000-0000-4000-8000-${number.padStart(12, '0')}`]
    default:
      return []
  }
}
