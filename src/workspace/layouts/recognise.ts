import { problem } from '../../errors.js'
import { dbmate } from './dbmate.js'
import { diesel } from './diesel.js'
import { drizzle } from './drizzle.js'
import { flyway } from './flyway.js'
import { golangMigrate } from './golang-migrate.js'
import { goose } from './goose.js'
import { graphileMigrate } from './graphile-migrate.js'
import type { Folder, Layout } from './layout.js'
import type { LayoutName } from './names.js'
import { nodePgMigrate } from './node-pg-migrate.js'
import { prisma } from './prisma.js'
import { sqitch } from './sqitch.js'
import { sqlMigrate } from './sql-migrate.js'
import { sqlx } from './sqlx.js'

/** The layouts of other tools. */
const FOREIGN: readonly Layout[] = [
  golangMigrate,
  dbmate,
  diesel,
  sqlx,
  goose,
  sqlMigrate,
  flyway,
  sqitch,
  prisma,
  drizzle,
  graphileMigrate,
  nodePgMigrate,
]

/** The layout of a name; none for dbkit's own, which the workspace reads by itself. */
export function layoutOf(name: LayoutName): Layout | undefined {
  return FOREIGN.find((layout) => layout.name === name)
}

const OWN = /^\d+(?:[_-].*)?\.(?:up|down)\.sql$/

/**
 * Whose folder it is, by what is in it; undefined: dbkit's own, as far as one can tell. `sqlFiles` are those right in the folder: where
 * all of them are named like dbkit's, only what stands around can make them another tool's that names its files the same. Throws
 * `layout.ambiguous` naming those it may be.
 */
export function recogniseLayout(
  folder: Folder,
  sqlFiles: readonly string[],
): { readonly layout: Layout; readonly why: string } | undefined {
  const own = sqlFiles.filter((name) => OWN.test(name))
  const isPlainlyOwn = own.length > 0 && own.length === sqlFiles.length
  // Asked before anything is listed: the folder of most runs is dbkit's own.
  const tools = isPlainlyOwn
    ? FOREIGN.filter(({ toldBy }) => toldBy !== undefined && folder.around(toldBy))
    : FOREIGN
  const candidates = tools.flatMap((layout) => {
    const why = layout.recognise(folder)
    return why === undefined ? [] : [{ layout, why }]
  })
  const [only, ...others] = candidates
  if (only === undefined) return undefined
  if (own.some((name) => /^-- *dbkit:/m.test(folder.text(name)))) {
    if (candidates.every(({ layout }) => layout.toldBy !== undefined)) return undefined
  } else if (others.length === 0 && (only.layout.toldBy !== undefined || own.length === 0)) return only
  const [first = ''] = own
  throw problem('layout.ambiguous', {
    folder: folder.show('').slice(0, -1),
    candidates: [
      ...candidates.map(({ layout, why }) => `${layout.name} (${why})`),
      ...(own.length === 0 || candidates.some(({ layout }) => layout.toldBy !== undefined)
        ? []
        : [`dbkit (it has ${folder.show(first)})`]),
    ],
    first: only.layout.name,
  })
}
