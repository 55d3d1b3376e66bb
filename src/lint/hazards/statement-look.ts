import { locationIn, withoutPasswords } from '../../workspace/migration-file.js'
import type { Statement } from '../../workspace/statements.js'
import type { HazardCode } from '../hazards.js'
import { nameOf, type Column, type Constraint, type Relation, type Snapshot } from '../snapshot.js'
import type { MigrationTrace, StatementTrace } from '../trace.js'
import type { Found, Rule } from './found.js'

/** One statement of a migration, with what every rule asks about it: what was there before, what is there now, what it held and read. */
export class StatementLook {
  readonly trace: MigrationTrace
  readonly statement: Statement
  readonly before: Snapshot
  readonly after: Snapshot
  readonly seen: StatementTrace
  private readonly answers = new Map<Rule, readonly Found[]>()

  constructor(trace: MigrationTrace, seen: StatementTrace) {
    this.trace = trace
    this.seen = seen
    this.statement = seen.statement
    this.before = seen.before
    this.after = seen.after
  }

  /** What a rule found, which other rules may ask as well: a table that was written anew was read for that. */
  ask(rule: Rule): readonly Found[] {
    const known = this.answers.get(rule)
    if (known !== undefined) return known
    const found = rule(this)
    this.answers.set(rule, found)
    return found
  }

  /** A table, view or the like that nobody could have used before. */
  isOld(oid: string): boolean {
    return this.trace.before.relations.has(oid)
  }

  find(code: HazardCode, object: string, message: string, more: Partial<Found> = {}): Found {
    return { code, statement: this.statement, object, message, ...more }
  }

  shown(): string {
    return withoutPasswords({ ...this.trace.script, text: this.statement.text }).replaceAll('\r\n', '\n')
  }

  /** In its file, of which the script may be a part. */
  lineOf({ start }: Statement): number {
    return locationIn(this.trace.script, start).line
  }

  relation(oid: string): Relation | undefined {
    return this.after.relations.get(oid) ?? this.before.relations.get(oid)
  }

  name(oid: string): string {
    const relation = this.relation(oid)
    return relation === undefined ? oid : nameOf(relation)
  }

  /** A partition stands for the table that people speak of. */
  root(oid: string): string {
    let at = oid
    for (;;) {
      const parent = this.before.relations.get(at)?.parent ?? null
      if (parent === null) return at
      at = parent
    }
  }

  columnsOf(snapshot: Snapshot, relation: string): readonly Column[] {
    return [...snapshot.columns.values()].filter((column) => column.relation === relation)
  }

  isLocked(relation: string): boolean {
    return this.seen.held.some((lock) => lock.relation === relation && lock.mode === 'AccessExclusiveLock')
  }

  scans(relation: string): boolean {
    return (this.seen.activity.get(relation)?.scans ?? 0) > 0
  }

  typeChanges(relation: string): readonly [was: Column, is: Column][] {
    return this.columnsOf(this.after, relation).flatMap((is) => {
      const was = this.before.columns.get(`${relation}.${is.number}`)
      return was === undefined || was.type === is.type ? [] : [[was, is] as [Column, Column]]
    })
  }

  newColumns(relation: string): readonly Column[] {
    return this.columnsOf(this.after, relation).filter(
      ({ number }) => !this.before.columns.has(`${relation}.${number}`),
    )
  }

  newConstraints(): readonly Constraint[] {
    return [...this.after.constraints.values()].filter(
      ({ oid, inherited, relation }) =>
        !this.before.constraints.has(oid) && !inherited && this.isOld(relation),
    )
  }

  isRewritten({ oid, file, kind }: Relation): boolean {
    const was = this.before.relations.get(oid)
    return was !== undefined && was.file !== file && file !== '0' && 'rm'.includes(kind) && this.isOld(oid)
  }
}
