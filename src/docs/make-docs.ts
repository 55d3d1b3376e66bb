import {
  factsOf,
  findFact,
  partsOf,
  partsOfKind,
  type Catalog,
  type FactOf,
  type TypeRef,
} from '../catalog/catalog.js'
import { allowedBy, allowedByAll } from '../codegen/check-values.js'
import { splitComment, typeOfSchema, type JsonShape } from '../codegen/json-types.js'
import { checkExpression, domainValues } from './facts.js'
import type {
  CodeDoc,
  ColumnDoc,
  ColumnKey,
  ConstraintDoc,
  Docs,
  IndexDoc,
  MigrationDoc,
  ReferenceDoc,
  TableDoc,
  Target,
  TriggerDoc,
  Use,
} from './docs.js'
import { indexCost } from './index-cost.js'
import { makeRoutines, mentionsOf, usesOf } from './make-routines.js'
import { makeTypes } from './make-types.js'
import { makeViews } from './make-views.js'
import { Names } from './names.js'
import type { MigrationSource, Provenance } from './provenance.js'
import type { Lineage } from './read-lineage.js'
import { slugOf } from './slug.js'
import type { Statistics } from './statistics.js'

export interface DocsSource {
  readonly database: string
  readonly catalog: Catalog
  readonly defaultSchema: string
  /** By "table.column" or "schema.table.column". */
  readonly jsonTypes: Readonly<Record<string, JsonShape>>
  readonly lineage: Lineage
  readonly provenance: Provenance
  readonly migrations: readonly (MigrationSource & { readonly version: string })[]
  /** Of a live database. */
  readonly statistics?: Statistics | undefined
}

type TableFact = FactOf<'table'> | FactOf<'foreign table'>

/** Everything that is said of a database, from its catalog and the migrations that made it. */
export function makeDocs(source: DocsSource): Docs {
  const names = new Names(source.catalog, source.defaultSchema, source.provenance)
  const maker = new Maker(source, names)
  const facts = maker.tableFacts()
  const references = maker.references(facts)
  const tables = facts.map((fact) => maker.table(fact, references))
  return {
    database: source.database,
    defaultSchema: source.defaultSchema,
    tables,
    views: makeViews(source, names),
    routines: makeRoutines(source.catalog, names),
    types: makeTypes(source.catalog, names),
    codes: codesOf(tables),
    references,
    extensions: factsOf(source.catalog, 'extension').map(({ name }) => name),
    migrations: source.migrations.map((migration) => migrationDoc(migration, source.provenance)),
  }
}

class Maker {
  private readonly source: DocsSource
  private readonly names: Names
  private readonly catalog: Catalog
  /** By the key of the table's column. */
  private readonly shown = new Map<string, Target[]>()
  private readonly mentioned: ReadonlyMap<string, readonly Use[]>
  private readonly partitions = new Map<string, { label: string; bound: string }[]>()

  constructor(source: DocsSource, names: Names) {
    this.source = source
    this.names = names
    this.catalog = source.catalog
    this.mentioned = mentionsOf(source.catalog, names)
    for (const [view, columns] of source.lineage) {
      const dot = view.indexOf('.')
      const identity = names.identityOf(view.slice(0, dot), view.slice(dot + 1))
      for (const { column, sources } of columns) {
        const target = names.target(identity, column)
        if (target !== undefined)
          for (const { schema, relation, column: from } of sources)
            push(this.shown, `${schema}.${relation}.${from}`, target)
      }
    }
    for (const kind of ['table', 'foreign table'] as const)
      for (const fact of factsOf(this.catalog, kind)) {
        const { partitionOf, partitionBound } = fact.properties
        if (partitionOf !== undefined)
          push(this.partitions, partitionOf, {
            label: names.label(fact.identity),
            bound: partitionBound ?? '',
          })
      }
  }

  /** A partition is told of by its table. */
  tableFacts(): readonly TableFact[] {
    return [...factsOf(this.catalog, 'table'), ...factsOf(this.catalog, 'foreign table')]
      .filter(({ properties }) => properties.partitionOf === undefined)
      .sort((a, b) => compare(this.names.label(a.identity), this.names.label(b.identity)))
  }

  references(tables: readonly TableFact[]): readonly ReferenceDoc[] {
    const known = new Map(tables.map((fact) => [fact.identity, fact]))
    return tables.flatMap((fact) =>
      partsOfKind(this.catalog, fact.key, 'constraint').flatMap((constraint): ReferenceDoc[] => {
        const { references, columns } = constraint.details
        const to = references === undefined ? undefined : known.get(references.table)
        return references === undefined || to === undefined
          ? []
          : [this.reference(fact, to, constraint, columns, references.columns)]
      }),
    )
  }

  private reference(
    from: TableFact,
    to: TableFact,
    constraint: FactOf<'constraint'>,
    columns: readonly string[],
    toColumns: readonly string[],
  ): ReferenceDoc {
    const { definition } = constraint.properties
    const own = partsOfKind(this.catalog, from.key, 'column')
    const action = (event: string): string | undefined =>
      new RegExp(`ON ${event} (CASCADE|RESTRICT|SET NULL|SET DEFAULT)`).exec(definition)?.[1]?.toLowerCase()
    return {
      name: constraint.name,
      from: from.key,
      fromLabel: this.names.label(from.identity),
      fromSlug: this.names.slug(from),
      to: to.key,
      toLabel: this.names.label(to.identity),
      toSlug: this.names.slug(to),
      columns,
      toColumns,
      unique: uniqueSets(this.catalog, from).some((set) => set.every((name) => columns.includes(name))),
      optional: columns.some(
        (name) => own.find((column) => column.name === name)?.properties.notNull !== true,
      ),
      onDelete: action('DELETE'),
      onUpdate: action('UPDATE'),
      comment: constraint.comment,
    }
  }

  table(fact: TableFact, references: readonly ReferenceDoc[]): TableDoc {
    const { names, catalog } = this
    const plain = `${fact.schema ?? ''}.${fact.name}`
    const constraints = partsOfKind(catalog, fact.key, 'constraint')
    return {
      ...names.named(fact),
      kind: fact.kind,
      columns: partsOfKind(catalog, fact.key, 'column').map((column) =>
        this.column(column, plain, constraints, references),
      ),
      constraints: constraints.map((constraint) => this.constraint(constraint, plain)),
      indexes: this.indexes(fact, constraints),
      triggers: partsOfKind(catalog, fact.key, 'trigger').map((trigger) => this.trigger(trigger, plain)),
      policies: partsOfKind(catalog, fact.key, 'policy').map((policy) => ({
        name: policy.name,
        text: policyText(policy, names),
        comment: policy.comment,
      })),
      notes: notesOf(fact),
      partitionBy: fact.kind === 'table' ? fact.properties.partitionBy : undefined,
      partitions: this.partitions.get(fact.identity) ?? [],
      referencedBy: references.filter(({ to }) => to === fact.key),
      usedBy: [...usesOf(catalog, names, fact), ...(this.mentioned.get(fact.key) ?? [])],
      events: names.eventsOf(plain) ?? [],
      size: this.source.statistics?.tables.get(plain),
    }
  }

  private column(
    fact: FactOf<'column'>,
    plain: string,
    constraints: readonly FactOf<'constraint'>[],
    references: readonly ReferenceDoc[],
  ): ColumnDoc {
    const { names } = this
    const { type, notNull, generated, expression, identity } = fact.properties
    const { text, type: declared } = splitComment(fact.comment)
    const own = constraints.filter(({ details }) => details.columns.includes(fact.name))
    const keys: ColumnKey[] = []
    if (own.some(({ properties }) => properties.type === 'primary key')) keys.push('PK')
    if (own.some(({ properties }) => properties.type === 'foreign key')) keys.push('FK')
    if (own.some(({ properties, details }) => properties.type === 'unique' && details.columns.length === 1))
      keys.push('UK')
    return {
      name: fact.name,
      type: names.text(type),
      notNull,
      default: fact.properties.default === undefined ? undefined : names.text(fact.properties.default),
      generated: generated === undefined ? undefined : names.text(expression ?? ''),
      identity,
      comment: text,
      values: valuesOf(fact, own) ?? this.valuesOfType(fact.details.typeRef),
      shape: this.shape(fact, plain) ?? declared,
      keys,
      references: references
        .filter(({ from, columns }) => from === fact.parent && columns.includes(fact.name))
        .flatMap(({ to, toLabel, toSlug, columns, toColumns }): Target[] => [
          {
            key: to,
            label: toLabel,
            slug: toSlug,
            kind: 'table',
            column: toColumns[columns.indexOf(fact.name)],
          },
        ]),
      typeSlug:
        this.typeFact(fact.details.typeRef) === undefined
          ? undefined
          : slugOf(...typeNames(fact.details.typeRef, names.schema)),
      made: names.made(`${plain}.${fact.name}`) ?? names.made(plain),
      shownBy: this.shown.get(`${plain}.${fact.name}`) ?? [],
    }
  }

  private shape(fact: FactOf<'column'>, plain: string): string | undefined {
    const { jsonTypes } = this.source
    const short = plain.startsWith(`${this.names.schema}.`)
      ? plain.slice(this.names.schema.length + 1)
      : plain
    const shape = jsonTypes[`${short}.${fact.name}`] ?? jsonTypes[`${plain}.${fact.name}`]
    return shape === undefined || typeof shape === 'string' ? shape : typeOfSchema(shape, '')
  }

  private typeFact({ schema, name }: TypeRef): FactOf<'type'> | FactOf<'domain'> | undefined {
    const identity = this.names.identityOf(schema, name)
    return findFact(this.catalog, 'type', identity) ?? findFact(this.catalog, 'domain', identity)
  }

  private valuesOfType(ref: TypeRef): readonly string[] | undefined {
    const fact = this.typeFact(ref)
    if (fact === undefined) return undefined
    if (fact.kind === 'type') return fact.properties.form === 'enum' ? fact.properties.labels : undefined
    return domainValues(this.catalog, fact)
  }

  private constraint(fact: FactOf<'constraint'>, plain: string): ConstraintDoc {
    const { type, definition, validated, enforced, deferrable, deferred, noInherit } = fact.properties
    const { references, columns } = fact.details
    return {
      name: fact.name,
      type,
      definition: this.names.text(definition),
      columns,
      references: references === undefined ? undefined : this.names.target(references.table, undefined),
      comment: fact.comment,
      remarks: [
        ...(enforced ? (validated ? [] : ['not validated: older rows may break it']) : ['not enforced']),
        ...(deferred ? ['checked at the commit'] : deferrable ? ['deferrable'] : []),
        ...(noInherit && type === 'check' ? ['not for children'] : []),
      ],
      made: this.names.made(`constraint ${plain}.${fact.name}`) ?? this.names.made(plain),
    }
  }

  private indexes(fact: TableFact, constraints: readonly FactOf<'constraint'>[]): readonly IndexDoc[] {
    const behind = constraints.flatMap((constraint) => {
      const { index } = constraint.details
      const found = index === undefined ? undefined : this.catalog.facts.get(index)
      return found?.kind === 'index' && found.parent === constraint.key ? [[found, constraint] as const] : []
    })
    return [
      ...behind.map(([index, constraint]) => this.index(index, constraint.name)),
      ...partsOfKind(this.catalog, fact.key, 'index').map((index) => this.index(index, undefined)),
    ]
  }

  private index(fact: FactOf<'index'>, constraint: string | undefined): IndexDoc {
    const plain = `${fact.schema ?? ''}.${fact.name}`
    const live = this.source.statistics?.indexes.get(plain)
    return {
      name: fact.name,
      definition: this.names.text(fact.properties.definition),
      unique: fact.details.unique,
      comment: fact.comment,
      constraint,
      cost: indexCost(fact, live),
      bytes: live?.bytes,
      scans: live?.scans,
      made: this.names.made(`index ${plain}`),
    }
  }

  private trigger(fact: FactOf<'trigger'>, plain: string): TriggerDoc {
    const called = findFact(this.catalog, 'function', fact.details.function)
    return {
      name: fact.name,
      definition: this.names.text(fact.properties.definition),
      comment: fact.comment,
      enabled: fact.properties.enabled !== 'disabled',
      function:
        called === undefined
          ? { key: '', label: fact.details.function, slug: '', comment: undefined, source: '' }
          : { ...this.names.named(called), source: called.details.definition },
      hasPage: called !== undefined,
      made: this.names.made(`trigger ${plain}.${fact.name}`),
    }
  }
}

// ---- what columns may hold

function valuesOf(
  { name }: FactOf<'column'>,
  constraints: readonly FactOf<'constraint'>[],
): readonly string[] | undefined {
  return allowedByAll(
    constraints
      .filter(({ properties }) => properties.type === 'check' && properties.validated && properties.enforced)
      .map(({ properties }) => allowedBy(checkExpression(properties.definition), name)),
  ).values
}

/** Columns that, together, no two rows have the same. */
function uniqueSets(catalog: Catalog, table: TableFact): readonly (readonly string[])[] {
  return partsOf(catalog, table.key).flatMap((fact): (readonly string[])[] => {
    if (fact.kind === 'constraint')
      return fact.properties.type === 'primary key' || fact.properties.type === 'unique'
        ? [fact.details.columns]
        : []
    if (fact.kind !== 'index' || !fact.details.unique || fact.details.partial) return []
    const columns = fact.details.columns.slice(0, fact.details.keyColumns)
    return columns.every((column) => column !== undefined) ? [columns] : []
  })
}

function codesOf(tables: readonly TableDoc[]): readonly CodeDoc[] {
  const lists = new Map<string, { values: readonly string[]; columns: Target[] }>()
  for (const { key, label, slug, columns } of tables)
    for (const { name, values, typeSlug } of columns) {
      // Those of a type stand with the type.
      if (values === undefined || typeSlug !== undefined) continue
      const list = JSON.stringify([...values].sort())
      const known = lists.get(list) ?? { values, columns: [] }
      lists.set(list, known)
      known.columns.push({ key, label, slug, kind: 'table', column: name })
    }
  return [...lists.values()].map(({ values, columns }) => {
    const [first] = columns
    return { slug: slugOf(first?.label ?? '', first?.column ?? ''), values, columns }
  })
}

// ---- words

function notesOf(fact: TableFact): readonly string[] {
  if (fact.kind === 'foreign table')
    return [`A foreign table: its rows are on the server ${fact.properties.server}.`]
  const { persistence, rowSecurity, forceRowSecurity, inherits, partitionBy } = fact.properties
  return [
    ...(persistence === 'unlogged' ? ['Unlogged: a crash of the server empties it.'] : []),
    ...(partitionBy === undefined ? [] : [`Partitioned by ${partitionBy}.`]),
    ...(inherits.length === 0 ? [] : [`Inherits from ${inherits.join(', ')}.`]),
    ...(rowSecurity
      ? [
          `Row security is on${forceRowSecurity ? ', also for its owner' : ''}: a role sees what the policies let it see.`,
        ]
      : []),
  ]
}

function policyText({ properties }: FactOf<'policy'>, names: Names): string {
  const { command, permissive, roles, using, check } = properties
  return [
    `${permissive ? '' : 'restrictive, '}for ${command}${roles.length === 0 ? '' : ` to ${roles.join(', ')}`}`,
    ...(using === undefined ? [] : [`using ${names.text(using)}`]),
    ...(check === undefined ? [] : [`with check ${names.text(check)}`]),
  ].join(' ')
}

function migrationDoc(
  { version, name, file, text }: DocsSource['migrations'][number],
  provenance: Provenance,
): MigrationDoc {
  return {
    version,
    name,
    slug: slugOf(name),
    file,
    about: headComment(text),
    text,
    events: provenance.byMigration.get(name) ?? [],
  }
}

function headComment(text: string): string | undefined {
  const lines: string[] = []
  for (const line of text.split(/\r?\n/)) {
    if (!line.startsWith('--')) break
    if (!/^--\s*dbkit:/.test(line)) lines.push(line.replace(/^--+\s?/, '').trim())
  }
  const about = lines.join(' ').trim()
  return about === '' ? undefined : about
}

export function typeNames(
  ref: { readonly schema: string; readonly name: string },
  schema: string,
): readonly string[] {
  return ref.schema === schema ? [ref.name] : [ref.schema, ref.name]
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
