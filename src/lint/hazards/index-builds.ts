import { quoteIfNeeded } from '../../database/quote.js'
import * as safe from '../safe-rewrites.js'
import type { Index, Snapshot } from '../snapshot.js'
import type { StatementLook } from './statement-look.js'
import type { Found } from './found.js'

function files(look: StatementLook, snapshot: Snapshot): ReadonlySet<string> {
  return new Set([...snapshot.relations.values()].map(({ file }) => file))
}

/** Indexes that were built on tables that have rows, for themselves or for a constraint. */
export function indexBuilds(look: StatementLook): readonly Found[] {
  const known = files(look, look.before)
  const rewritten = new Set(
    [...look.after.relations.values()]
      .filter((relation) => look.isRewritten(relation))
      .flatMap(({ oid }) => [oid, look.root(oid)]),
  )
  return [...look.after.indexes.values()].flatMap((index) => {
    const { relation } = index
    const now = look.after.relations.get(index.oid)
    const table = look.after.relations.get(relation)
    if (now === undefined || table === undefined || !look.isOld(relation)) return []
    // A table that was written anew has new indexes: that is told with it.
    if (rewritten.has(table.oid) || look.seen.locksFrom === 'documented') return []
    const was = look.before.relations.get(index.oid)
    if (was !== undefined) return was.file !== now.file && look.isOld(index.oid) ? [rebuilt(look, index)] : []
    if (now.file !== '0' && known.has(now.file)) return []
    return newIndex(look, index)
  })
}

function rebuilt(look: StatementLook, index: Index): Found {
  const name = look.name(index.oid)
  return look.find(
    'index-rebuild',
    name,
    `Builds ${name} again while nobody writes to ${look.name(index.relation)}.`,
    {
      table: index.relation,
      rewrite: safe.reindex(name),
    },
  )
}

function newIndex(look: StatementLook, index: Index): readonly Found[] {
  const { oid, relation } = index
  const now = look.relation(oid)
  if (now === undefined) return []
  // The index of a partition follows from that of its parent, which is told.
  if (now.parent !== null && !look.before.indexes.has(now.parent)) return []
  const name = look.name(oid)
  const table = look.name(relation)
  const again = [...look.before.indexes.values()].find((other) => {
    const old = look.before.relations.get(other.oid)
    return other.relation === relation && old?.name === now.name && !look.after.indexes.has(other.oid)
  })
  if (again !== undefined && now.kind === 'I') return []
  if (again !== undefined)
    return [
      look.find('index-rebuild', name, `Builds ${name} again while nobody reads or writes ${table}.`, {
        table: relation,
      }),
    ]
  const constraint = [...look.after.constraints.values()].find(
    (one) => one.index === oid && 'pux'.includes(one.type),
  )
  if (constraint !== undefined)
    return [
      look.find(
        'constraint-builds-index',
        `${table}.${quoteIfNeeded(constraint.name)}`,
        `Builds the index of ${quoteIfNeeded(constraint.name)} while nobody reads or writes ${table}.`,
        { table: relation, ...safe.constraintFromIndex(table, constraint, index.definition) },
      ),
    ]
  // An empty husk that partitions are attached to later.
  if (look.relation(relation)?.kind === 'p' && /\bon\s+only\b/i.test(look.statement.text)) return []
  return [
    look.find('index-not-concurrent', name, `Builds ${name} while nobody writes to ${table}.`, {
      table: relation,
      rewrite:
        look.relation(relation)?.kind === 'p'
          ? safe.partitionedIndex(index.definition)
          : safe.indexConcurrently(look.statement, index.definition),
    }),
  ]
}
