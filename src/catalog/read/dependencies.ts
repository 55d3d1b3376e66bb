import type { Edge } from '../catalog.js'
import { FIRST_USER_OID, query, text, type RowsOf } from './query.js'
import type { TextRow } from '../../database/database.js'
import { address, catalogOf, wholeOf, type Address, type Registry } from './registry.js'

/** The system catalogs whose rows are objects, and that this role may read. */
export const CATALOGS = query(
  { oid: 'c.oid', name: 'c.relname' },
  `from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'oid'
   where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind = 'r' and not c.relisshared
     and has_column_privilege(c.oid, a.attnum, 'select')`,
)

/**
 * pg_depend as far as it is about the user's objects. What depends on a member of an extension depends on the extension, and what
 * belongs to one is not looked at.
 */
export const DEPENDENCIES = query(
  {
    catalog: 'd.classid',
    oid: 'd.objid',
    part: 'd.objsubid',
    toCatalog: `case when m.objid is null then d.refclassid else 'pg_extension'::regclass::oid end`,
    toOid: 'coalesce(m.refobjid, d.refobjid)',
    toPart: 'case when m.objid is null then d.refobjsubid else 0 end',
    type: 'd.deptype',
  },
  `from pg_depend d
   left join pg_depend m on m.classid = d.refclassid and m.objid = d.refobjid and m.deptype = 'e'
   where d.objid >= ${FIRST_USER_OID} and d.deptype in ('n', 'a', 'i', 'P', 'S')
     and not exists (select from pg_depend e where e.classid = d.classid and e.objid = d.objid and e.deptype = 'e')`,
)

interface Dependency {
  readonly to: Address
  readonly type: string | null | undefined
}

/** pg_depend, by object. */
export class Dependencies {
  private readonly of = new Map<Address, Dependency[]>()

  /** Rows of DEPENDENCIES, in the order of its select list. */
  constructor(rows: readonly TextRow[], catalogs: RowsOf<typeof CATALOGS>) {
    const names = new Map(catalogs.map((row) => [row.oid, text(row.name)]))
    const name = (oid: string | null | undefined): string =>
      names.get(oid ?? null) ?? `catalog ${String(oid)}`
    for (const [catalog, oid = null, part, toCatalog, toOid = null, toPart, type] of rows) {
      const object = address(name(catalog), oid, part)
      const dependency = { to: address(name(toCatalog), toOid, toPart), type }
      const known = this.of.get(object)
      if (known === undefined) this.of.set(object, [dependency])
      else known.push(dependency)
    }
  }

  /**
   * The key of the fact that an object is, or is a part of: a row type is its table, an array its element, what PostgreSQL makes for a
   * foreign key is that constraint.
   */
  ownerOf(object: Address, registry: Registry): string | undefined {
    for (let at: Address | undefined = object, steps = 0; at !== undefined && steps < 10; steps++) {
      const key = registry.keyOf(at)
      if (key !== undefined) return key
      const isPart = PARTS.has(catalogOf(at))
      at = this.of
        .get(at)
        ?.find(({ type, to }) => type === 'i' || type === 'P' || (isPart && WHOLES.has(catalogOf(to))))?.to
    }
    return undefined
  }

  /** Whether an object is a fact or a part of one, is left out, or belongs to an extension's table. */
  isAccountedFor(object: Address, registry: Registry): boolean {
    if (this.ownerOf(object, registry) !== undefined || this.isLeftOut(object, registry)) return true
    return this.belongsToExtension(object, registry, new Set())
  }

  /** An index of an extension's table goes with a constraint of that table, which is a member of nothing itself. */
  private belongsToExtension(object: Address, registry: Registry, seen: Set<Address>): boolean {
    if (seen.has(object)) return false
    seen.add(object)
    return (this.of.get(object) ?? []).some(({ type, to }) => {
      if (type === 'n') return false
      const key = this.ownerOf(to, registry) ?? this.ownerOf(wholeOf(to), registry)
      if (key !== undefined) return registry.facts.get(key)?.kind === 'extension'
      return this.belongsToExtension(to, registry, seen)
    })
  }

  /** Whether an object goes with something that is left out. */
  isLeftOut(object: Address, registry: Registry): boolean {
    const seen = new Set<Address>()
    const look = (at: Address): boolean => {
      if (registry.isLeftOut(at)) return true
      if (seen.has(at)) return false
      seen.add(at)
      return (this.of.get(at) ?? []).some(
        ({ type, to }) => type !== 'n' && (look(to) || (wholeOf(to) !== to && look(wholeOf(to)))),
      )
    }
    return look(object)
  }

  /** Between facts, in the order of their keys. */
  edges(registry: Registry): readonly Edge[] {
    const edges = new Map<string, Map<string, Edge['strength']>>()
    for (const { key, parent } of registry.facts.values())
      edges.set(key, new Map(parent === undefined ? [] : [[parent, 'internal']]))
    for (const [object, dependencies] of this.of) {
      const from = this.ownerOf(object, registry)
      const known = from === undefined ? undefined : edges.get(from)
      if (from === undefined || known === undefined || registry.follows(object)) continue
      for (const { to, type } of dependencies) {
        const needed = this.ownerOf(to, registry) ?? this.ownerOf(wholeOf(to), registry)
        if (needed === undefined || needed === from || !edges.has(needed)) continue
        // An owned sequence is made before its column, whose default needs it, and dropped with it.
        if (isOwnership(registry, from, needed)) continue
        const strength = type === 'i' ? 'internal' : type === 'n' ? 'normal' : 'auto'
        const before = known.get(needed)
        if (before === undefined || RANK[strength] > RANK[before]) known.set(needed, strength)
      }
    }
    return [...edges.keys()]
      .sort()
      .flatMap((from) =>
        [...(edges.get(from) ?? [])].sort(byFirst).map(([to, strength]) => ({ from, to, strength })),
      )
  }
}

/** Rows that are parts of an operator family or a publication, though they only go with it. */
const PARTS = new Set(['pg_amop', 'pg_amproc', 'pg_publication_rel', 'pg_publication_namespace'])
const WHOLES = new Set(['pg_opclass', 'pg_opfamily', 'pg_publication'])

const RANK = { normal: 0, auto: 1, internal: 2 } as const

function isOwnership(registry: Registry, from: string, to: string | undefined): boolean {
  const fact = registry.facts.get(from)
  if (fact?.kind !== 'sequence' || fact.details.identity || to === undefined) return false
  return registry.facts.get(to)?.identity === fact.properties.ownedBy
}

function byFirst([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
