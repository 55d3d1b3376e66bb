import { quoteIfNeeded } from '../database/quote.js'
import { withoutPasswords } from '../workspace/migration-file.js'
import type { Statement } from '../workspace/statements.js'
import type { HazardCode } from './hazards.js'
import { stopsWhat } from './lock-modes.js'
import * as safe from './safe-rewrites.js'
import {
  nameOf,
  type Column,
  type Constraint,
  type Index,
  type Relation,
  type Routine,
  type Snapshot,
} from './snapshot.js'
import type { MigrationTrace, StatementTrace } from './trace.js'

/** A hazard that was seen, before anybody knows whether it is allowed. */
export interface Found {
  readonly code: HazardCode
  readonly statement: Statement | undefined
  /** What it is about, as people write it: "public.loads.rating". */
  readonly object: string
  readonly message: string
  readonly rewrite?: string
  /** The table whose size says how long it takes. */
  readonly table?: string
  /** It is none after all when this holds at the end of all that is looked at. */
  readonly unless?: (end: Snapshot) => boolean
}

/**
 * What each statement did, as hazards. Only what was there before the migration counts: nobody waits for a table that nobody knows yet.
 */
export function findHazards(trace: MigrationTrace): readonly Found[] {
  const found: Found[] = [
    ...trace.misplaced.map((statement) => misplaced(trace, statement)),
    ...trace.statements.flatMap((statement) => new Look(trace, statement).all()),
  ]
  const seen = new Set<string>()
  return found.filter(({ code, object, statement }) => {
    const key = `${code} ${object} ${String(statement?.start)}`
    return !seen.has(key) && seen.add(key)
  })
}

function misplaced({ script }: MigrationTrace, statement: Statement): Found {
  return {
    code: 'not-in-transaction',
    statement,
    object: statement.words.slice(0, 4).join(' '),
    message: 'PostgreSQL refuses this statement in a transaction, and this file is run as one.',
    rewrite: safe.outside(withoutPasswords({ ...script, text: statement.text })),
  }
}

class Look {
  private readonly trace: MigrationTrace
  private readonly statement: Statement
  private readonly before: Snapshot
  private readonly after: Snapshot
  private readonly seen: StatementTrace

  constructor(trace: MigrationTrace, seen: StatementTrace) {
    this.trace = trace
    this.seen = seen
    this.statement = seen.statement
    this.before = seen.before
    this.after = seen.after
  }

  all(): readonly Found[] {
    const written = this.written()
    const built = this.built()
    const unfillable = this.unfillable()
    const told = new Set([...written, ...built, ...unfillable].map(({ table }) => table))
    const scanned = this.scanned(told)
    return [
      ...written,
      ...built,
      ...scanned,
      ...this.unbatched(new Set(scanned.map(({ table }) => table))),
      ...this.lockedByHand(),
      ...unfillable,
      ...this.references(),
      ...this.gone(),
      ...this.undefaulted(),
      ...this.revoked(),
      ...this.hidden(),
      ...this.cut(),
    ]
  }

  // ---- what there is to look at

  /** A table, view or the like that nobody could have used before. */
  private isOld(oid: string): boolean {
    return this.trace.before.relations.has(oid)
  }

  private find(code: HazardCode, object: string, message: string, more: Partial<Found> = {}): Found {
    return { code, statement: this.statement, object, message, ...more }
  }

  private shown(): string {
    return withoutPasswords({ ...this.trace.script, text: this.statement.text }).replaceAll('\r\n', '\n')
  }

  private relation(oid: string): Relation | undefined {
    return this.after.relations.get(oid) ?? this.before.relations.get(oid)
  }

  private name(oid: string): string {
    const relation = this.relation(oid)
    return relation === undefined ? oid : nameOf(relation)
  }

  /** A partition stands for the table that people speak of. */
  private root(oid: string): string {
    let at = oid
    for (;;) {
      const parent = this.before.relations.get(at)?.parent ?? null
      if (parent === null) return at
      at = parent
    }
  }

  private columnsOf(snapshot: Snapshot, relation: string): readonly Column[] {
    return [...snapshot.columns.values()].filter((column) => column.relation === relation)
  }

  private isLocked(relation: string): boolean {
    return this.seen.held.some((lock) => lock.relation === relation && lock.mode === 'AccessExclusiveLock')
  }

  private scans(relation: string): boolean {
    return (this.seen.activity.get(relation)?.scans ?? 0) > 0
  }

  private typeChanges(relation: string): readonly [was: Column, is: Column][] {
    return this.columnsOf(this.after, relation).flatMap((is) => {
      const was = this.before.columns.get(`${relation}.${is.number}`)
      return was === undefined || was.type === is.type ? [] : [[was, is] as [Column, Column]]
    })
  }

  private newColumns(relation: string): readonly Column[] {
    return this.columnsOf(this.after, relation).filter(
      ({ number }) => !this.before.columns.has(`${relation}.${number}`),
    )
  }

  private newConstraints(): readonly Constraint[] {
    return [...this.after.constraints.values()].filter(
      ({ oid, inherited, relation }) =>
        !this.before.constraints.has(oid) && !inherited && this.isOld(relation),
    )
  }

  // ---- tables and views that were written anew

  private isRewritten({ oid, file, kind }: Relation): boolean {
    const was = this.before.relations.get(oid)
    return was !== undefined && was.file !== file && file !== '0' && 'rm'.includes(kind) && this.isOld(oid)
  }

  private written(): readonly Found[] {
    return [...this.after.relations.values()]
      .filter((relation) => this.isRewritten(relation))
      .map((relation) => this.rewritten(relation))
  }

  private rewritten({ oid, kind }: Relation): Found {
    const table = this.root(oid)
    const name = this.name(table)
    const about = { table: oid }
    if (/\btruncate\b/i.test(this.statement.text) && this.statement.words[0] !== 'alter')
      return this.emptied(name, oid)
    if (kind === 'm')
      return this.find(
        'refresh-not-concurrent',
        name,
        `Runs the query of ${name} while nobody can read it.`,
        {
          ...about,
          rewrite: safe.refresh(name),
        },
      )
    const [change] = this.typeChanges(table)
    if (change !== undefined) {
      const [was, is] = change
      return this.find(
        'type-change-rewrite',
        `${name}.${quoteIfNeeded(is.name)}`,
        `${was.type} to ${is.type} writes every row of ${name} anew, and builds its indexes again.`,
        { ...about, rewrite: safe.typeChange(name, was, is) },
      )
    }
    const added = this.newColumns(table)
    const stored = added.find(({ generated }) => generated === 's')
    if (stored !== undefined)
      return this.find(
        'generated-column-rewrite',
        `${name}.${quoteIfNeeded(stored.name)}`,
        `Computing the new column writes every row of ${name} anew.`,
        { ...about, rewrite: safe.generatedColumn(name, stored) },
      )
    const given = added.find((column) => column.default !== null || column.identity !== '')
    if (given !== undefined)
      return this.find(
        'volatile-default-rewrite',
        `${name}.${quoteIfNeeded(given.name)}`,
        `${given.default ?? 'The identity'} is another value in each row, so every row of ${name} is written anew.`,
        { ...about, ...(given.default === null ? {} : { rewrite: safe.volatileDefault(name, given) }) },
      )
    return this.find('table-rewrite', name, `Writes every row of ${name} to a new file.`, about)
  }

  private emptied(name: string, table: string): Found {
    const rewrite = safe.allow('truncate-table')
    return this.find('truncate-table', name, `Removes every row of ${name}.`, { table, rewrite })
  }

  // ---- indexes that were built

  private files(snapshot: Snapshot): ReadonlySet<string> {
    return new Set([...snapshot.relations.values()].map(({ file }) => file))
  }

  private built(): readonly Found[] {
    const known = this.files(this.before)
    const rewritten = new Set(
      [...this.after.relations.values()]
        .filter((relation) => this.isRewritten(relation))
        .flatMap(({ oid }) => [oid, this.root(oid)]),
    )
    return [...this.after.indexes.values()].flatMap((index) => {
      const { relation } = index
      const now = this.after.relations.get(index.oid)
      const table = this.after.relations.get(relation)
      if (now === undefined || table === undefined || !this.isOld(relation)) return []
      // A table that was written anew has new indexes: that is told with it.
      if (rewritten.has(table.oid) || this.seen.locksFrom === 'documented') return []
      const was = this.before.relations.get(index.oid)
      if (was !== undefined)
        return was.file !== now.file && this.isOld(index.oid) ? [this.rebuilt(index)] : []
      if (now.file !== '0' && known.has(now.file)) return []
      return this.newIndex(index)
    })
  }

  private rebuilt(index: Index): Found {
    const name = this.name(index.oid)
    return this.find(
      'index-rebuild',
      name,
      `Builds ${name} again while nobody writes to ${this.name(index.relation)}.`,
      {
        table: index.relation,
        rewrite: safe.reindex(name),
      },
    )
  }

  private newIndex(index: Index): readonly Found[] {
    const { oid, relation } = index
    const now = this.relation(oid)
    if (now === undefined) return []
    // The index of a partition follows from that of its parent, which is told.
    if (now.parent !== null && !this.before.indexes.has(now.parent)) return []
    const name = this.name(oid)
    const table = this.name(relation)
    const again = [...this.before.indexes.values()].find((other) => {
      const old = this.before.relations.get(other.oid)
      return other.relation === relation && old?.name === now.name && !this.after.indexes.has(other.oid)
    })
    if (again !== undefined && now.kind === 'I') return []
    if (again !== undefined)
      return [
        this.find('index-rebuild', name, `Builds ${name} again while nobody reads or writes ${table}.`, {
          table: relation,
        }),
      ]
    const constraint = [...this.after.constraints.values()].find(
      (one) => one.index === oid && 'pux'.includes(one.type),
    )
    if (constraint !== undefined)
      return [
        this.find(
          'constraint-builds-index',
          `${table}.${quoteIfNeeded(constraint.name)}`,
          `Builds the index of ${quoteIfNeeded(constraint.name)} while nobody reads or writes ${table}.`,
          { table: relation, ...safe.constraintFromIndex(table, constraint, index.definition) },
        ),
      ]
    // An empty husk that partitions are attached to later.
    if (this.relation(relation)?.kind === 'p' && /\bon\s+only\b/i.test(this.statement.text)) return []
    return [
      this.find('index-not-concurrent', name, `Builds ${name} while nobody writes to ${table}.`, {
        table: relation,
        rewrite:
          this.relation(relation)?.kind === 'p'
            ? safe.partitionedIndex(index.definition)
            : safe.indexConcurrently(this.statement, index.definition),
      }),
    ]
  }

  // ---- rows that were read under a lock

  private scanned(told: ReadonlySet<string | undefined>): readonly Found[] {
    const found: Found[] = []
    const explained = new Set<string>()
    const constraints = this.newConstraints()
    for (const constraint of constraints) {
      const { relation, type, validated, references } = constraint
      const table = this.name(relation)
      if (this.typeChanges(relation).length > 0 || !validated) continue
      const object = `${table}.${quoteIfNeeded(constraint.name)}`
      if (type === 'f') {
        // A new column without a default holds nothing to be looked up.
        if (!this.isRead(relation)) continue
        explained.add(relation).add(references)
        found.push(
          this.find(
            'foreign-key-scan',
            object,
            `Looks up every row of ${table} in ${this.name(references)} while nobody writes to either.`,
            { table: relation, rewrite: safe.constraintLater(table, constraint) },
          ),
        )
      } else if (type === 'c' && this.isRead(relation)) {
        explained.add(relation)
        found.push(
          this.find('check-scan', object, `Tests every row of ${table} while nobody reads or writes it.`, {
            table: relation,
            rewrite: safe.constraintLater(table, constraint),
          }),
        )
      }
    }
    for (const [relation] of this.seen.activity) {
      const table = this.root(relation)
      if (!this.isOld(relation) || !this.scans(relation)) continue
      if (told.has(relation) || told.has(table) || explained.has(relation) || explained.has(table)) continue
      const one = this.scan(relation, table)
      if (one !== undefined) found.push(one)
    }
    return found
  }

  /** The table or one of its partitions, from end to end or through an index. */
  private isRead(table: string): boolean {
    return [...this.seen.activity].some(
      ([relation, { scans, lookups }]) => scans + lookups > 0 && this.root(relation) === this.root(table),
    )
  }

  private scan(relation: string, table: string): Found | undefined {
    const name = this.name(table)
    const proved = this.columnsOf(this.after, table).filter(
      (column) => column.notNull && this.before.columns.get(`${table}.${column.number}`)?.notNull === false,
    )
    const [column] = proved
    if (column !== undefined && this.isLocked(relation))
      return this.find(
        'not-null-scan',
        `${name}.${quoteIfNeeded(column.name)}`,
        `Reads every row of ${name} while nobody reads or writes it.`,
        { table: relation, rewrite: safe.notNull(name, this.relation(table)?.name ?? '', proved) },
      )
    if (this.attaches())
      return this.find(
        'attach-partition-scan',
        this.name(relation),
        `Holds every row of ${this.name(relation)} against the bounds while nobody reads or writes it.`,
        { table: relation },
      )
    if (this.statement.words[0] === 'alter' && this.statement.words[1] === 'domain')
      return this.find('check-scan', name, `Tests every row of ${name} while nobody writes to it.`, {
        table: relation,
      })
    if (!this.isLocked(relation)) return undefined
    // Where the same transaction has written the table anew already, it is emptied in place.
    if (this.statement.words[0] === 'truncate') return this.emptied(name, relation)
    const what = ['update', 'delete'].includes(this.statement.words[0] ?? '') ? 'Goes through' : 'Reads'
    const first = this.trace.statements.find(({ locks }) =>
      locks.some((lock) => lock.relation === relation && lock.mode === 'AccessExclusiveLock'),
    )
    const since =
      first === undefined || first === this.seen ? '' : `, since line ${String(first.statement.line)}`
    return this.find(
      'scan-under-exclusive-lock',
      name,
      `${what} every row of ${name} while nobody reads or writes it${since}.`,
      { table: relation, rewrite: safe.ownMigration(this.shown()) },
    )
  }

  private attaches(): boolean {
    return [...this.after.relations.values()].some(
      ({ oid, parent, kind }) =>
        parent !== null && 'rp'.includes(kind) && this.before.relations.get(oid)?.parent === null,
    )
  }

  // ---- locks that last

  /** No index leads to the rows: on a large table it is all of them, or might as well be. */
  private unbatched(told: ReadonlySet<string | undefined>): readonly Found[] {
    const [verb = ''] = this.statement.words
    if (!['update', 'delete', 'merge', 'with'].includes(verb)) return []
    const targets = this.seen.held.filter(({ mode }) => mode === 'RowExclusiveLock')
    return targets.flatMap(({ relation }) => {
      const table = this.root(relation)
      // Those may as well only insert.
      if (/^(?:merge|with)$/.test(verb) && (this.seen.activity.get(relation)?.changed ?? 0) === 0) return []
      if (!this.isOld(relation) || !this.scans(relation) || told.has(relation) || told.has(table)) return []
      const name = this.name(table)
      return [
        this.find(
          'unbatched-write',
          name,
          `Goes over every row of ${name}, and keeps those that it changes locked until the commit.`,
          { table: relation, rewrite: safe.inBatches(this.shown()) },
        ),
      ]
    })
  }

  private lockedByHand(): readonly Found[] {
    if (this.statement.words[0] !== 'lock') return []
    return this.seen.locks.flatMap(({ relation, mode }) => {
      const stops = stopsWhat(mode)
      if (!this.isOld(relation) || stops === 'neither reads nor writes') return []
      const name = this.name(relation)
      return [this.find('lock-table', name, `Stops ${stops} of ${name} until the commit.`)]
    })
  }

  // ---- what the release before relies on

  private undefaulted(): readonly Found[] {
    return [...this.before.columns.values()].flatMap((was) => {
      const key = `${was.relation}.${was.number}`
      const is = this.after.columns.get(key)
      const first = this.trace.before.columns.get(key)
      if (is?.notNull !== true || is.default !== null || is.identity !== '') return []
      if (was.default === null || first === undefined || first.default === null) return []
      const object = `${this.name(was.relation)}.${quoteIfNeeded(is.name)}`
      return [
        this.find('drop-default', object, `An INSERT that leaves ${object} out fails from now on.`, {
          rewrite: safe.allow('drop-default'),
          unless: (end) => {
            const last = end.columns.get(key)
            return last !== undefined && (last.default !== null || !last.notNull || last.identity !== '')
          },
        }),
      ]
    })
  }

  /** Of tables, views, sequences and functions that were there: what a migration makes it may close as well. */
  private revoked(): readonly Found[] {
    const { words, text } = this.statement
    if (words[0] !== 'revoke') return []
    const [, what = ''] = /\bon\s+([^]*?)\s+from\s/i.exec(text) ?? []
    const named = new Set(wordsIn(what))
    const { relations, routines } = this.trace.before
    const objects = /^all\s/i.test(what)
      ? [...relations.values()].filter(({ schema, kind }) => named.has(schema) && 'rpvmf'.includes(kind))
      : [...relations.values(), ...routines.values()].filter(({ name }) => named.has(name))
    const [first] = objects
    return first === undefined || /^(?:schema|database|type|language)\s/i.test(what)
      ? []
      : [
          this.find('revoke', nameOf(first), `Takes away a right on ${nameOf(first)}.`, {
            rewrite: safe.allow('revoke'),
          }),
        ]
  }

  private hidden(): readonly Found[] {
    return [...this.after.relations.values()].flatMap((relation) => {
      const was = this.before.relations.get(relation.oid)
      if (was?.rowSecurity !== false || !relation.rowSecurity || !this.isOld(relation.oid)) return []
      const name = nameOf(relation)
      return [
        this.find('row-security-without-policy', name, `Nobody but its owner sees a row of ${name}.`, {
          unless: (end) => {
            const last = end.relations.get(relation.oid)
            return last === undefined || !last.rowSecurity || last.policies > 0
          },
        }),
      ]
    })
  }

  // ---- columns that no row has a value for

  private unfillable(): readonly Found[] {
    return [...this.trace.before.relations.values()]
      .filter(
        ({ oid, kind, parent }) => 'rp'.includes(kind) && parent === null && this.after.relations.has(oid),
      )
      .flatMap(({ oid }) =>
        this.newColumns(oid)
          .filter((column) => column.notNull && column.default === null)
          .filter(({ identity, generated }) => identity === '' && generated === '')
          .map((column) => {
            const table = this.name(oid)
            return this.find(
              'not-null-without-default',
              `${table}.${quoteIfNeeded(column.name)}`,
              `Fails as soon as ${table} holds a row: there is no value for ${quoteIfNeeded(column.name)}.`,
              { table: oid, rewrite: safe.fillFirst(table, column) },
            )
          }),
      )
  }

  // ---- foreign keys without an index

  private references(): readonly Found[] {
    return this.newConstraints()
      .filter(({ type, relation }) => type === 'f' && this.typeChanges(relation).length === 0)
      .map((constraint) => {
        const { relation, columns, references } = constraint
        const table = this.name(relation)
        const names = columns.map((number) => this.after.columns.get(`${relation}.${number}`)?.name ?? number)
        const list = names.map(quoteIfNeeded).join(', ')
        return this.find(
          'foreign-key-without-index',
          `${table}.${quoteIfNeeded(constraint.name)}`,
          `Deleting a row of ${this.name(references)} reads all of ${table}: no index starts with ${list}.`,
          {
            table: relation,
            rewrite: safe.newIndex(table, list),
            unless: (end) => isIndexed(end, relation, columns),
          },
        )
      })
  }

  // ---- what is gone, or has another name

  private gone(): readonly Found[] {
    const dropped = this.dropped()
    return [...dropped, ...this.renamed(), ...this.labels(), ...this.cascaded(dropped)]
  }

  private dropped(): readonly Found[] {
    const found: Found[] = []
    const end = this.trace.after
    for (const relation of this.before.relations.values()) {
      if (this.after.relations.has(relation.oid) || !this.isOld(relation.oid)) continue
      const name = nameOf(relation)
      const again = [...end.relations.values()].some((other) => nameOf(other) === name)
      if ('rpf'.includes(relation.kind)) {
        found.push(
          this.find('drop-table', name, `${name} and its rows are gone.`, {
            table: relation.oid,
            rewrite: safe.allow('drop-table'),
          }),
          ...this.usedBy(relation, undefined, name, 'dropped'),
        )
      } else if ('vm'.includes(relation.kind) && !again && !this.isTaken(relation.name))
        found.push(
          this.find('drop-view', name, `${name} is gone, and not made again in this migration.`, {
            rewrite: safe.allow('drop-view'),
          }),
          ...this.usedBy(relation, undefined, name, 'dropped'),
        )
      else if ('iI'.includes(relation.kind)) found.push(...this.droppedIndex(relation))
    }
    for (const column of this.before.columns.values()) {
      const key = `${column.relation}.${column.number}`
      const table = this.after.relations.get(column.relation)
      if (this.after.columns.has(key) || table === undefined || !this.trace.before.columns.has(key)) continue
      if (table.parent !== null || !'rpf'.includes(table.kind)) continue
      const name = `${nameOf(table)}.${quoteIfNeeded(column.name)}`
      found.push(
        this.find('drop-column', name, `${name} and its values are gone.`, {
          table: column.relation,
          rewrite: safe.allow('drop-column'),
        }),
        ...this.usedBy(table, column.name, name, 'dropped'),
      )
    }
    for (const routine of this.before.routines.values()) {
      if (this.after.routines.has(routine.oid) || !this.trace.before.routines.has(routine.oid)) continue
      const name = nameOf(routine)
      if ([...end.routines.values()].some((other) => nameOf(other) === name)) continue
      found.push(
        this.find(
          'drop-function',
          `${name}(${routine.arguments})`,
          `${name} is gone, and not made again in this migration.`,
          { rewrite: safe.allow('drop-function') },
        ),
      )
    }
    return found
  }

  private droppedIndex(index: Relation): readonly Found[] {
    const { relation, keys } = this.before.indexes.get(index.oid) ?? { relation: '', keys: [] }
    const name = nameOf(index)
    const table = this.after.relations.get(relation)
    const ofConstraint = [...this.before.constraints.values()].some(
      (one) => one.index === index.oid && 'pux'.includes(one.type),
    )
    const again = [...this.after.relations.values()].some((other) => nameOf(other) === name)
    if (table === undefined || ofConstraint || again || index.parent !== null) return []
    // An index goes with its column, and there is no other way.
    const withColumn = keys.some((key) => key !== '0' && !this.after.columns.has(`${relation}.${key}`))
    if (withColumn || this.statement.words[0] === 'alter' || this.seen.locksFrom === 'documented') return []
    return [
      this.find(
        'drop-index-not-concurrent',
        name,
        `Drops ${name} while nobody reads or writes ${nameOf(table)}.`,
        {
          table: relation,
          ...(table.kind === 'p' ? {} : { rewrite: safe.dropIndex(name) }),
        },
      ),
    ]
  }

  private renamed(): readonly Found[] {
    const found: Found[] = []
    const end = this.trace.after
    for (const was of this.before.relations.values()) {
      const is = this.after.relations.get(was.oid)
      if (is === undefined || !'rpfvm'.includes(was.kind) || !this.isOld(was.oid)) continue
      const old = nameOf(was)
      if (old === nameOf(is)) continue
      if ([...end.relations.values()].some((other) => nameOf(other) === old)) continue
      found.push(
        this.find('rename-table', old, `${old} is called ${nameOf(is)} from the commit on.`, {
          rewrite: safe.renamed(this.shown(), old, nameOf(is)),
        }),
        ...this.usedBy(was, undefined, old, 'renamed'),
      )
    }
    for (const [key, was] of this.before.columns) {
      const is = this.after.columns.get(key)
      const table = this.after.relations.get(was.relation)
      if (
        is === undefined ||
        table === undefined ||
        is.name === was.name ||
        !this.trace.before.columns.has(key)
      )
        continue
      if (table.parent !== null || !'rpf'.includes(table.kind)) continue
      const name = `${nameOf(table)}.${quoteIfNeeded(was.name)}`
      found.push(
        this.find('rename-column', name, `${name} is called ${quoteIfNeeded(is.name)} from the commit on.`, {
          rewrite: safe.columnBeside(nameOf(table), was, is),
        }),
        ...this.usedBy(table, was.name, name, 'renamed'),
      )
    }
    return found
  }

  private labels(): readonly Found[] {
    return [...this.after.labels.values()].flatMap(({ oid, type, label }) => {
      const was = this.before.labels.get(oid)
      if (was === undefined || was.label === label || !this.trace.before.labels.has(oid)) return []
      return [
        this.find(
          'enum-rename-value',
          `${type}.${was.label}`,
          `'${was.label}' of ${type} is called '${label}' from the commit on.`,
          {
            rewrite: safe.newLabel(type, label),
          },
        ),
      ]
    })
  }

  /** By CASCADE, without having been named: told as such. */
  private isTaken(name: string): boolean {
    const { text } = this.statement
    return /\bcascade\b/i.test(text) && !wordsIn(text).includes(name)
  }

  /** What CASCADE took that the statement does not name; its own parts go with a table. */
  private cascaded(dropped: readonly Found[]): readonly Found[] {
    if (!/\bcascade\b/i.test(this.statement.text) || this.statement.words[0] === 'truncate') return []
    const named = new Set(wordsIn(this.statement.text))
    const end = this.trace.after
    const taken: string[] = []
    for (const relation of this.before.relations.values()) {
      if (this.after.relations.has(relation.oid) || !this.isOld(relation.oid) || named.has(relation.name))
        continue
      if (!'vm'.includes(relation.kind)) continue
      const name = nameOf(relation)
      if (![...end.relations.values()].some((other) => nameOf(other) === name)) taken.push(`view ${name}`)
    }
    for (const constraint of this.before.constraints.values()) {
      const table = this.after.relations.get(constraint.relation)
      if (table === undefined || this.after.constraints.has(constraint.oid) || named.has(constraint.name))
        continue
      if (
        constraint.type !== 'f' ||
        !this.trace.before.constraints.has(constraint.oid) ||
        constraint.inherited
      )
        continue
      // A foreign key that goes with its own column.
      const own = constraint.columns.some(
        (number) => !this.after.columns.has(`${constraint.relation}.${number}`),
      )
      if (!own) taken.push(`foreign key ${quoteIfNeeded(constraint.name)} of ${nameOf(table)}`)
    }
    for (const trigger of this.before.triggers.values()) {
      const table = this.after.relations.get(trigger.relation)
      if (table === undefined || this.after.triggers.has(trigger.oid) || named.has(trigger.name)) continue
      if (this.trace.before.triggers.has(trigger.oid))
        taken.push(`trigger ${quoteIfNeeded(trigger.name)} of ${nameOf(table)}`)
    }
    for (const found of dropped)
      if (found.code === 'drop-column' && !named.has(lastPart(found.object)))
        taken.push(`column ${found.object}`)
    return taken.length === 0
      ? []
      : [
          this.find(
            'drop-cascade',
            taken.join(', '),
            `Takes along what it does not name: ${taken.join(', ')}.`,
          ),
        ]
  }

  /** Functions whose body still holds all of these names at the end; that of a trigger need not name its own table. */
  private usedBy(
    relation: Relation,
    column: string | undefined,
    object: string,
    what: string,
  ): readonly Found[] {
    const names = [relation.name, ...(column === undefined ? [] : [column])]
    // A table of the same name elsewhere may be the one that is meant.
    const ambiguous = [...this.trace.before.relations.values()].some(
      ({ oid, name }) => name === relation.name && oid !== relation.oid,
    )
    const table = column === undefined ? undefined : relation.oid
    const users = (snapshot: Snapshot): readonly Routine[] =>
      [...snapshot.routines.values()].filter(({ oid, body, schema }) => {
        const words = new Set(wordsIn(body))
        if (ambiguous && schema !== relation.schema && !words.has(relation.schema)) return false
        const own = [...snapshot.triggers.values()].some(
          (trigger) => trigger.routine === oid && trigger.relation === table,
        )
        return (own ? names.slice(-1) : names).every((name) => words.has(name))
      })
    const old = users(this.trace.after).filter(({ oid }) => this.trace.before.routines.has(oid))
    return old.map((routine) =>
      this.find(
        'used-by-function',
        `${nameOf(routine)}(${routine.arguments})`,
        `The body of ${nameOf(routine)} names ${object}, which is ${what} here: it fails when it is called.`,
        { unless: (end) => !users(end).some(({ oid }) => oid === routine.oid) },
      ),
    )
  }

  private cut(): readonly Found[] {
    return this.seen.notices.flatMap((notice) => {
      const match = /^identifier "(.+)" will be truncated to "(.+)"$/.exec(notice)
      return match === null
        ? []
        : [this.find('identifier-truncated', match[1] ?? '', `PostgreSQL will call it ${match[2] ?? ''}.`)]
    })
  }
}

/** A valid index whose first key columns are these, in any order. */
function isIndexed(end: Snapshot, relation: string, columns: readonly string[]): boolean {
  // A table that is gone needs none.
  if (!end.relations.has(relation)) return true
  return [...end.indexes.values()].some((index) => {
    const first = index.keys.slice(0, columns.length)
    return (
      index.relation === relation &&
      index.valid &&
      !index.partial &&
      columns.every((column) => first.includes(column))
    )
  })
}

/** The names in a text of SQL, folded as PostgreSQL does; what stands in quotes of a string counts too, because it may be executed. */
function wordsIn(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"]|"")+)"|[\p{L}_][\p{L}\p{N}_$]*/gu)].flatMap(([word, quoted]) =>
    quoted === undefined ? [word.toLowerCase()] : [quoted.replaceAll('""', '"'), ...wordsIn(quoted)],
  )
}

function lastPart(object: string): string {
  return wordsIn(object).at(-1) ?? object
}
