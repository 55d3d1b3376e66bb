/**
 * What a PostgreSQL database contains, as one value that never changes: a fact an object and sub-object, found by its key, and the
 * edges between them. Whoever compares, orders, documents or generates starts here; none of them asks the server again.
 */
export interface Catalog {
  /** The PostgreSQL it was read from, e.g. 15. Facts of the same DDL are the same on every major. */
  readonly major: number
  /**
   * The role whose objects show no owner: that of the ledger, or else the one that read. A schema is the same schema whether the
   * role that migrates is called postgres or freight_owner.
   */
  readonly owner: string
  /** In the order of their keys. */
  readonly facts: ReadonlyMap<string, Fact>
  /** Who needs whom, as the server knows it: what a function's body names in text is not among them. */
  readonly edges: readonly Edge[]
  /** What is there and has no fact: nothing of it is hashed but its name, nor compared. */
  readonly unmodelled: readonly Unmodelled[]
}

/** `from` needs `to`: it is created after it and dropped before it. Both are keys of facts. */
export interface Edge {
  readonly from: string
  readonly to: string
  /** auto: goes when `to` goes. internal: is a part of `to`. */
  readonly strength: 'normal' | 'auto' | 'internal'
}

export interface Unmodelled {
  /** In PostgreSQL's words, e.g. "large object". */
  readonly kind: string
  readonly identity: string
}

export type Fact = { readonly [K in FactKind]: FactOf<K> }[FactKind]

/** The kinds are the words that DROP and COMMENT ON use, so that a message and a statement say the same. */
export type FactKind = keyof FactProperties

export interface FactOf<K extends FactKind> {
  /** kind and identity, e.g. "column public.loads.weight": the same in every database that has the object. */
  readonly key: string
  readonly kind: K
  /** Schema-qualified, quoted only where it must be. Of a part, what it is a part of comes first. */
  readonly identity: string
  /** Undefined for what lives in no schema. */
  readonly schema: string | undefined
  /** Its own name, unquoted. */
  readonly name: string
  /** Key of the fact that it is a part of, and is dropped with. */
  readonly parent: string | undefined
  /** Undefined: none. */
  readonly comment: string | undefined
  /** Hashed and compared, each by itself. */
  readonly properties: FactProperties[K]
  /** What follows from the properties, or differs between servers without any difference of the schema: neither hashed nor compared. */
  readonly details: K extends keyof FactDetails ? FactDetails[K] : undefined
}

/** Undefined: the default, or nothing. A list is sorted unless its order means something. */
export type PropertyValue = string | number | boolean | undefined | readonly string[]

/** Expressions, types and definitions are PostgreSQL's own text with every name outside pg_catalog qualified. */
export interface FactProperties {
  // ---- the database
  readonly schema: Owned
  readonly extension: { readonly schema: string }
  readonly language: Owned & {
    readonly trusted: boolean
    readonly handler: string | undefined
    readonly inline: string | undefined
    readonly validator: string | undefined
  }
  readonly 'access method': { readonly type: 'table' | 'index'; readonly handler: string }
  readonly cast: {
    readonly context: 'explicit' | 'assignment' | 'implicit'
    /** A function's identity, or "inout", or "without function". */
    readonly method: string
  }
  readonly transform: { readonly fromSql: string | undefined; readonly toSql: string | undefined }
  readonly collation: Owned & {
    readonly provider: 'libc' | 'icu' | 'builtin' | 'default'
    readonly deterministic: boolean
    readonly locale: string | undefined
    readonly lcCollate: string | undefined
    readonly lcCtype: string | undefined
    readonly rules: string | undefined
  }
  readonly conversion: Owned & {
    readonly from: string
    readonly to: string
    readonly function: string
    readonly default: boolean
  }
  readonly 'event trigger': Owned & {
    readonly event: string
    readonly tags: readonly string[]
    readonly function: string
    readonly enabled: EnabledState
  }
  readonly publication: Owned & {
    readonly allTables: boolean
    readonly publishes: readonly string[]
    readonly viaPartitionRoot: boolean
    readonly generatedColumns: 'stored' | undefined
    /** "public.loads", "public.loads (id, status)", "public.loads WHERE (...)" */
    readonly tables: readonly string[]
    readonly schemas: readonly string[]
  }
  /** Its connection string is left out: it may hold a password. */
  readonly subscription: Owned & {
    readonly enabled: boolean
    readonly publications: readonly string[]
    readonly slotName: string | undefined
  }

  // ---- relations
  readonly table: Owned & {
    readonly persistence: Persistence
    readonly accessMethod: string | undefined
    readonly tablespace: string | undefined
    /** "fillfactor=70" */
    readonly options: readonly string[]
    readonly toastOptions: readonly string[]
    /** index: the one marked with replicaIdentity. */
    readonly replicaIdentity: 'default' | 'nothing' | 'full' | 'index'
    readonly rowSecurity: boolean
    readonly forceRowSecurity: boolean
    /** Parents of INHERITS, in their order. */
    readonly inherits: readonly string[]
    /** Of a partitioned table: "RANGE (created_at)". */
    readonly partitionBy: string | undefined
    readonly partitionOf: string | undefined
    /** "FOR VALUES FROM (...) TO (...)" or "DEFAULT" */
    readonly partitionBound: string | undefined
    /** CREATE TABLE ... OF */
    readonly ofType: string | undefined
  }
  readonly 'foreign table': Owned & {
    readonly server: string
    readonly options: readonly string[]
    readonly inherits: readonly string[]
    readonly partitionOf: string | undefined
    readonly partitionBound: string | undefined
  }
  readonly view: Owned & { readonly definition: string; readonly options: readonly string[] }
  readonly 'materialized view': Owned &
    TiedToExtensions & {
      readonly definition: string
      readonly options: readonly string[]
      readonly toastOptions: readonly string[]
      readonly accessMethod: string | undefined
      readonly tablespace: string | undefined
    }
  /** Of a table, foreign table, view, materialized view or composite type: the parent says which. */
  readonly column: {
    readonly type: string
    readonly collation: string | undefined
    readonly notNull: boolean
    /** Only a name that PostgreSQL did not make itself; known from 18 on. */
    readonly notNullName: string | undefined
    /** no inherit · not valid */
    readonly notNullOptions: readonly string[]
    readonly default: string | undefined
    readonly generated: 'stored' | 'virtual' | undefined
    readonly expression: string | undefined
    readonly identity: 'always' | 'by default' | undefined
    /** Undefined: that of the type. */
    readonly storage: 'plain' | 'external' | 'extended' | 'main' | undefined
    readonly compression: 'pglz' | 'lz4' | undefined
    readonly statistics: number | undefined
    readonly options: readonly string[]
    readonly foreignOptions: readonly string[]
    /** It comes from a parent table (INHERITS or PARTITION OF). */
    readonly inherited: boolean
    /** It is also (or only) declared here. */
    readonly local: boolean
  }
  /** Of a table, a foreign table or a domain. What a partition has from its parent is no fact of its own, save for keys. */
  readonly constraint: {
    readonly type: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude'
    /** Without the properties that follow. */
    readonly definition: string
    readonly deferrable: boolean
    readonly deferred: boolean
    readonly validated: boolean
    readonly enforced: boolean
    readonly noInherit: boolean
    /** The key of the partitioned table that this one is attached to. */
    readonly partitionOf: string | undefined
  }
  /** Also of primary keys, unique and exclusion constraints: then the constraint is its parent. */
  readonly index: TiedToExtensions & {
    /** CREATE INDEX ..., ON ONLY for a partitioned table. */
    readonly definition: string
    /** False: left behind by a CREATE INDEX CONCURRENTLY that failed, or not attached on every partition yet. */
    readonly valid: boolean
    readonly clustered: boolean
    readonly replicaIdentity: boolean
    /** "2=500": the target of its second column. */
    readonly statistics: readonly string[]
    readonly tablespace: string | undefined
    /** The index that it is attached to. */
    readonly partitionOf: string | undefined
  }
  /** Also of identity columns: then the column is its parent. */
  readonly sequence: Owned & {
    readonly type: string
    readonly start: string
    readonly increment: string
    readonly min: string
    readonly max: string
    readonly cache: string
    readonly cycle: boolean
    readonly persistence: Persistence
    /** The column that it goes with (OWNED BY), by its identity. */
    readonly ownedBy: string | undefined
  }
  readonly trigger: TiedToExtensions & {
    readonly definition: string
    readonly enabled: EnabledState
    /** It comes from the partitioned table, and is a fact only because its enabled state is another. */
    readonly inherited: boolean
  }
  readonly rule: { readonly definition: string; readonly enabled: EnabledState }
  readonly policy: {
    readonly command: 'all' | 'select' | 'insert' | 'update' | 'delete'
    readonly permissive: boolean
    readonly roles: readonly string[]
    readonly using: string | undefined
    readonly check: string | undefined
  }
  readonly statistics: Owned & { readonly definition: string; readonly target: number | undefined }

  // ---- types
  readonly type: Owned & {
    /** shell: CREATE TYPE without a body. base: only named here, its functions are C. */
    readonly form: 'enum' | 'composite' | 'range' | 'base' | 'shell'
    /** Of an enum, in their order. */
    readonly labels: readonly string[]
    /** Of a range and of a base type: "subtype=numeric", in their order. */
    readonly options: readonly string[]
  }
  readonly domain: Owned & {
    readonly type: string
    readonly collation: string | undefined
    readonly notNull: boolean
    readonly default: string | undefined
  }

  // ---- routines
  readonly function: RoutineProperties & {
    readonly returns: string
    readonly window: boolean
    readonly strict: boolean
    readonly volatility: 'immutable' | 'stable' | 'volatile'
    readonly leakproof: boolean
    readonly parallel: 'safe' | 'restricted' | 'unsafe'
    readonly cost: number
    readonly rows: number
    readonly support: string | undefined
  }
  readonly procedure: RoutineProperties
  readonly aggregate: Owned & {
    readonly arguments: string
    readonly returns: string
    readonly parallel: 'safe' | 'restricted' | 'unsafe'
    /** The body of CREATE AGGREGATE: "sfunc=public.add", "stype=numeric", in that statement's order. */
    readonly options: readonly string[]
  }
  readonly operator: Owned & {
    readonly function: string
    readonly commutator: string | undefined
    readonly negator: string | undefined
    readonly restrict: string | undefined
    readonly join: string | undefined
    readonly hashes: boolean
    readonly merges: boolean
  }
  readonly 'operator family': Owned & OperatorMembers
  readonly 'operator class': Owned &
    OperatorMembers & {
      readonly type: string
      readonly family: string
      readonly default: boolean
      readonly storage: string | undefined
    }

  // ---- text search
  readonly 'text search configuration': Owned & {
    readonly parser: string
    /** "asciiword: english_stem, simple" */
    readonly mappings: readonly string[]
  }
  readonly 'text search dictionary': Owned & {
    readonly template: string
    readonly options: string | undefined
  }
  readonly 'text search parser': {
    readonly start: string
    readonly token: string
    readonly end: string
    readonly headline: string | undefined
    readonly lexTypes: string
  }
  readonly 'text search template': { readonly init: string | undefined; readonly lexize: string }

  // ---- foreign data
  readonly 'foreign data wrapper': Owned & {
    readonly handler: string | undefined
    readonly validator: string | undefined
    readonly options: readonly string[]
  }
  readonly server: Owned & {
    readonly wrapper: string
    readonly type: string | undefined
    readonly version: string | undefined
    readonly options: readonly string[]
  }
  /** A password among the options is there as ***. */
  readonly 'user mapping': { readonly options: readonly string[] }

  // ---- rights
  /**
   * What a role may do with an object (the parent), where that is not what PostgreSQL gives by itself. Empty privileges: even what it
   * gives was taken away.
   */
  readonly grant: {
    readonly privileges: readonly string[]
    readonly grantable: readonly string[]
  }
  /** ALTER DEFAULT PRIVILEGES, a role and kind of object at a time. */
  readonly 'default privileges': {
    readonly privileges: readonly string[]
    readonly grantable: readonly string[]
  }
}

interface Owned {
  /** Undefined: the catalog's owner. Of the schema public: whom the server gave it. */
  readonly owner: string | undefined
}

/** Named by ALTER ... DEPENDS ON EXTENSION: goes when one of them goes. */
interface TiedToExtensions {
  readonly extensions: readonly string[]
}

export type Persistence = 'permanent' | 'unlogged'

/** When it fires: origin is the default, disabled never, replica and always as session_replication_role says. */
export type EnabledState = 'origin' | 'disabled' | 'replica' | 'always'

interface RoutineProperties extends Owned, TiedToExtensions {
  /** As declared: modes, names, types, defaults. */
  readonly arguments: string
  readonly language: string
  /** The text between the quotes, or the BEGIN ATOMIC ... END or RETURN of an SQL body. */
  readonly body: string
  /** Of a C function: the library. */
  readonly library: string | undefined
  readonly securityDefiner: boolean
  /** "search_path=pg_catalog, public" */
  readonly config: readonly string[]
  /** Types of TRANSFORM FOR TYPE. */
  readonly transforms: readonly string[]
}

interface OperatorMembers {
  /** "1 public.<(integer, integer)" */
  readonly operators: readonly string[]
  /** "1 (integer, integer) public.compare(integer, integer)" */
  readonly functions: readonly string[]
}

export interface FactDetails {
  readonly extension: { readonly version: string }
  readonly 'materialized view': { readonly populated: boolean }
  readonly column: {
    /** From 1, without gaps: two databases may have the same columns in another order. */
    readonly position: number
    readonly typeRef: TypeRef
  }
  readonly constraint: {
    /** In the constraint's order; empty for a CHECK of a domain. */
    readonly columns: readonly string[]
    readonly references: { readonly table: string; readonly columns: readonly string[] } | undefined
    /** Key of the index behind it. */
    readonly index: string | undefined
  }
  readonly index: {
    readonly unique: boolean
    readonly primary: boolean
    readonly method: string
    /** Undefined: an expression. INCLUDEd columns come last. */
    readonly columns: readonly (string | undefined)[]
    /** How many of them are the key. */
    readonly keyColumns: number
    readonly partial: boolean
    /** "fillfactor=70": a part of the definition, which that of a constraint lacks. */
    readonly options: readonly string[]
  }
  readonly domain: { readonly typeRef: TypeRef }
  readonly function: RoutineDetails & { readonly returnsRef: TypeRef; readonly returnsSet: boolean }
  readonly procedure: RoutineDetails
  readonly sequence: { readonly identity: boolean }
  readonly trigger: { readonly function: string }
  readonly grant: {
    /** TABLE, FUNCTION, ...: what GRANT ... ON calls it, and the identity behind that word. */
    readonly on: string
    readonly onIdentity: string
    /** The column, when the right is on one. */
    readonly column: string | undefined
    readonly grantee: string
    /** Undefined: the owner of the object. */
    readonly grantor: string | undefined
  }
  readonly 'default privileges': {
    /** Undefined: the catalog's owner. */
    readonly role: string | undefined
    readonly inSchema: string | undefined
    readonly on: string
    readonly grantee: string
  }
}

interface RoutineDetails {
  /** CREATE OR REPLACE ..., complete. */
  readonly definition: string
  readonly parameters: readonly Parameter[]
}

export interface Parameter {
  readonly name: string | undefined
  readonly mode: 'in' | 'out' | 'inout' | 'variadic' | 'table'
  readonly typeRef: TypeRef
  readonly hasDefault: boolean
}

/**
 * A type without its modifiers. `schema` and `name` are the element's when it is an array. A type that the database defines is the
 * fact "type <schema>.<name>" or "domain ...", or a relation's row; one of an extension or of PostgreSQL has no fact.
 */
export interface TypeRef {
  readonly schema: string
  readonly name: string
  readonly array: boolean
}

/** Every fact of a kind, in the order of their keys. */
export function factsOf<K extends FactKind>(catalog: Catalog, kind: K): readonly FactOf<K>[] {
  return (indexOf(catalog).byKind.get(kind) ?? []) as readonly unknown[] as readonly FactOf<K>[]
}

/** What is a part of a fact: columns in their order, then the rest by key. */
export function partsOf(catalog: Catalog, key: string): readonly Fact[] {
  return indexOf(catalog).byParent.get(key) ?? []
}

/** The parts of one kind. */
export function partsOfKind<K extends FactKind>(
  catalog: Catalog,
  key: string,
  kind: K,
): readonly FactOf<K>[] {
  return partsOf(catalog, key).filter(
    (fact) => fact.kind === kind,
  ) as readonly unknown[] as readonly FactOf<K>[]
}

/** The fact of a key, if it is of that kind. */
export function findFact<K extends FactKind>(
  catalog: Catalog,
  kind: K,
  identity: string,
): FactOf<K> | undefined {
  return catalog.facts.get(`${kind} ${identity}`) as FactOf<K> | undefined
}

/** What a fact needs. */
export function needsOf(catalog: Catalog, key: string): readonly Edge[] {
  return indexOf(catalog).edgesFrom.get(key) ?? []
}

/** Who needs a fact. */
export function dependentsOf(catalog: Catalog, key: string): readonly Edge[] {
  return indexOf(catalog).edgesTo.get(key) ?? []
}

interface CatalogIndex {
  readonly byKind: ReadonlyMap<FactKind, readonly Fact[]>
  readonly byParent: ReadonlyMap<string, readonly Fact[]>
  readonly edgesFrom: ReadonlyMap<string, readonly Edge[]>
  readonly edgesTo: ReadonlyMap<string, readonly Edge[]>
}

const indexes = new WeakMap<Catalog, CatalogIndex>()

/** Made when first asked for: a hash needs none of it. */
function indexOf(catalog: Catalog): CatalogIndex {
  const known = indexes.get(catalog)
  if (known !== undefined) return known
  const byKind = new Map<FactKind, Fact[]>()
  const byParent = new Map<string, Fact[]>()
  for (const fact of catalog.facts.values()) {
    push(byKind, fact.kind, fact)
    if (fact.parent !== undefined) push(byParent, fact.parent, fact)
  }
  for (const parts of byParent.values()) parts.sort((a, b) => rankOf(a) - rankOf(b))
  const edgesFrom = new Map<string, Edge[]>()
  const edgesTo = new Map<string, Edge[]>()
  for (const edge of catalog.edges) {
    push(edgesFrom, edge.from, edge)
    push(edgesTo, edge.to, edge)
  }
  const made = { byKind, byParent, edgesFrom, edgesTo }
  indexes.set(catalog, made)
  return made
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}

function rankOf(fact: Fact): number {
  return fact.kind === 'column' ? fact.details.position : Number.MAX_SAFE_INTEGER
}
