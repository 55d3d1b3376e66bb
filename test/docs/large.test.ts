import { expect, test } from '@jest/globals'
import type { ColumnDoc, Docs, ReferenceDoc, TableDoc } from '../../src/docs/docs.js'
import { renderSite } from '../../src/docs/site/site.js'
import { figure, rounds } from '../support/prove.js'

/** Tables of modules of fifty, each referring to one of its module, and every tenth to one of another. */
function largeSchema(count: number): Docs {
  const label = (number: number): string => `m${String(Math.floor(number / 50))}_table_${String(number)}`
  const column = (name: string): ColumnDoc => ({
    name,
    type: 'bigint',
    notNull: name === 'id',
    default: undefined,
    generated: undefined,
    identity: undefined,
    comment: `What ${name} is.`,
    values: undefined,
    shape: undefined,
    keys: name === 'id' ? ['PK'] : name === 'parent' ? ['FK'] : [],
    references: [],
    typeSlug: undefined,
    made: undefined,
    shownBy: [],
  })
  const table = (number: number): TableDoc => ({
    key: `table public.${label(number)}`,
    label: label(number),
    slug: label(number),
    comment: `Rows of ${label(number)}.`,
    kind: 'table',
    columns: ['id', 'parent', ...Array.from({ length: 8 }, (_, field) => `field_${String(field)}`)].map(
      column,
    ),
    constraints: [],
    indexes: [],
    triggers: [],
    policies: [],
    notes: [],
    partitionBy: undefined,
    partitions: [],
    referencedBy: [],
    usedBy: [],
    events: [],
    size: undefined,
  })
  const reference = (number: number): ReferenceDoc => {
    const first = Math.floor(number / 50) * 50
    const to = number % 10 === 0 ? (number * 7) % number : first + ((number * 3) % (number - first || 1))
    return {
      name: `fk_${String(number)}`,
      from: `table public.${label(number)}`,
      fromLabel: label(number),
      fromSlug: label(number),
      to: `table public.${label(to)}`,
      toLabel: label(to),
      toSlug: label(to),
      columns: ['parent'],
      toColumns: ['id'],
      unique: false,
      optional: true,
      onDelete: undefined,
      onUpdate: undefined,
      comment: undefined,
    }
  }
  return {
    database: 'large',
    defaultSchema: 'public',
    tables: Array.from({ length: count }, (_, number) => table(number)),
    views: [],
    routines: [],
    types: [],
    codes: [],
    references: Array.from({ length: count - 1 }, (_, number) => reference(number + 1)),
    extensions: [],
    migrations: [],
  }
}

test('a large schema starts with groups of a size to look at, and every table is in one of them', async () => {
  const count = rounds(120, 1000)
  const docs = largeSchema(count)
  const before = process.cpuUsage()
  const files = await renderSite([docs], { blame: new Map(), assets: new Map() })
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  figure(`site of ${String(count)} tables, seconds of CPU`, seconds.toFixed(1))
  expect(seconds).toBeLessThan(20)

  const groups = [...files].filter(([path]) => path.startsWith('large/groups/'))
  const placed = groups.map(([, text]) => text.match(/class="er-table/g)?.length ?? 0)
  expect(placed.reduce((sum, one) => sum + one, 0)).toBe(count)
  expect(Math.max(...placed)).toBeLessThanOrEqual(24)
  const overview = files.get('large/index.html') ?? ''
  expect(overview.match(/class="er-table/g)).toHaveLength(groups.length)
  // No page names a thousand tables but the one that lists them.
  expect((files.get('large/tables/m1_table_70.html') ?? '').length).toBeLessThan(40_000)
  expect(await renderSite([docs], { blame: new Map(), assets: new Map() })).toEqual(files)
}, 120_000)
