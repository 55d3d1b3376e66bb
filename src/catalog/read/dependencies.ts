import type { Edge } from '../catalog.js'
import { FIRST_USER_OID, query, text, type RowsOf } from './query.js'
import { address, type Address, type Registry } from './registry.js'

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

/** pg_depend, by object. */
export class Dependencies {
  private readonly of = new Map<
    Address,
    { readonly to: Address; readonly whole: Address; readonly type: string }[]
  >()

  constructor(rows: RowsOf<typeof DEPENDENCIES>, catalogs: RowsOf<typeof CATALOGS>) {
    const names = new Map(catalogs.map((row) => [row.oid, text(row.name)]))
    const name = (oid: string | null): string => names.get(oid) ?? `catalog ${String(oid)}`
    for (const row of rows) {
      const object = address(name(row.catalog), row.oid, row.part)
      const to = name(row.toCatalog)
      const entry = {
        to: address(to, row.toOid, row.toPart),
        whole: address(to, row.toOid),
        type: text(row.type),
      }
      const known = this.of.get(object)
      if (known === undefined) this.of.set(object, [entry])
      else known.push(entry)
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
      const isPart = PARTS.test(at)
      at = this.of
        .get(at)
        ?.find(({ type, to }) => type === 'i' || type === 'P' || (isPart && WHOLES.test(to)))?.to
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
    return (this.of.get(object) ?? []).some(({ type, to, whole }) => {
      if (type === 'n') return false
      const key = this.ownerOf(to, registry) ?? this.ownerOf(whole, registry)
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
        ({ type, to, whole }) => type !== 'n' && (look(to) || (whole !== to && look(whole))),
      )
    }
    return look(object)
  }

  edges(registry: Registry): readonly Edge[] {
    const edges = new Map<string, Edge>()
    const add = (from: string | undefined, to: string | undefined, strength: Edge['strength']): void => {
      if (from === undefined || to === undefined || from === to) return
      const name = `${from}\n${to}`
      const known = edges.get(name)
      if (known === undefined || RANK[strength] > RANK[known.strength])
        edges.set(name, { from, to, strength })
    }
    for (const fact of registry.facts.values()) add(fact.key, fact.parent, 'internal')
    for (const [object, entries] of this.of) {
      const from = this.ownerOf(object, registry)
      if (from === undefined || registry.follows(object)) continue
      for (const { to, whole, type } of entries) {
        const needed = this.ownerOf(to, registry) ?? this.ownerOf(whole, registry)
        // An owned sequence is made before its column, whose default needs it, and dropped with it.
        if (isOwnership(registry, from, needed)) continue
        add(from, needed, type === 'i' ? 'internal' : type === 'n' ? 'normal' : 'auto')
      }
    }
    return [...edges.values()].sort((a, b) => order(a.from, b.from) || order(a.to, b.to))
  }
}

/** Rows that are parts of an operator family or a publication, though they only go with it. */
const PARTS = /^pg_(?:amop|amproc|publication_rel|publication_namespace) /
const WHOLES = /^pg_(?:opclass|opfamily|publication) /

const RANK = { normal: 0, auto: 1, internal: 2 } as const

function isOwnership(registry: Registry, from: string, to: string | undefined): boolean {
  const fact = registry.facts.get(from)
  if (fact?.kind !== 'sequence' || fact.details.identity || to === undefined) return false
  return registry.facts.get(to)?.identity === fact.properties.ownedBy
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
