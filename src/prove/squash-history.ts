import { applyPlan } from '../apply/apply-plan.js'
import type { Observer } from '../apply/observer.js'
import { factsOf, needsOf, type Catalog, type Fact } from '../catalog/catalog.js'
import { compareCatalogs, describeDifference } from '../catalog/compare.js'
import { orderedStatements } from '../catalog/ddl-order.js'
import type { Statement } from '../catalog/ddl-statement.js'
import { canonicalFact } from '../catalog/hash.js'
import { readCatalog } from '../catalog/read-catalog.js'
import type { DatabaseConfig } from '../config/config.js'
import { createLedger, type NewEntry } from '../database/ledger.js'
import { DbkitError, problem } from '../errors.js'
import { planUp, type Step } from '../plan/plan.js'
import { decodeScript, replacedLines, type Replaced, type ScriptText } from '../workspace/migration-file.js'
import { splitStatements } from '../workspace/statements.js'
import { scriptReader, type Migration, type Workspace } from '../workspace/workspace.js'
import {
  copyRows,
  PLAIN_VALUES,
  readSequences,
  sequenceStatements,
  type CopiedRows,
  type SequenceState,
} from './copy-rows.js'
import { dropStatements } from './drop-order.js'
import { readRowState, type RowState } from './row-state.js'
import type { Shadow } from './shadow.js'

export interface Squashing {
  readonly config: DatabaseConfig
  readonly workspace: Workspace
  /** The migrations up to the version, in their order. */
  readonly old: readonly Migration[]
  /** Of the new migration: that of the last one, and its file name without .up.sql. */
  readonly version: string
  readonly name: string
  readonly replaces: Replaced
  readonly shadow: Shadow
  readonly signal: AbortSignal
  readonly observer: Observer
}

export interface Squashed {
  readonly up: string
  readonly down: string
  /** What was carried over beside the schema. */
  readonly carried: readonly string[]
}

/** Everything that a history leaves in a database. */
interface Outcome {
  readonly catalog: Catalog
  readonly rows: RowState
  readonly sequences: SequenceState
}

/**
 * One migration for many, proved on a shadow: it leaves the same schema, the same rows and the same sequences as they do, what comes
 * after them goes on from it to the same end, and its down leaves the empty database. Fails with `squash.*`, naming what stands in
 * the way.
 */
export async function squashHistory(squashing: Squashing): Promise<Squashed> {
  return new Squash(squashing).run()
}

class Squash {
  private readonly squashing: Squashing
  private readonly text = scriptReader()

  constructor(squashing: Squashing) {
    this.squashing = squashing
  }

  async run(): Promise<Squashed> {
    const { old, workspace, shadow } = this.squashing
    const later = workspace.migrations.filter((migration) => !old.includes(migration))
    const empty = await this.start()
    const { carried, takenBack } = this.besideTheSchema()
    await this.apply(this.steps(old))
    const first = await this.observe()
    await shadow.renew()
    await this.start()
    await this.apply(this.steps(old))
    const second = await this.observe()
    const rows = await this.copyRows(first, second)
    await this.apply(this.steps(later))
    const head = await this.read()
    const up = this.writeUp(empty, second, rows, carried)
    await shadow.renew()
    await this.start()
    await this.apply([this.step(up, 'up')])
    this.compare(second, await this.observe(), rows)
    await this.apply(this.steps(later))
    this.refuse(compareLines(head, await this.read()).map((line) => `at the head, ${line}`))
    const down = await this.writeDown(empty, second.catalog, up, takenBack)
    return {
      up,
      down,
      carried: [
        ...rows.tables,
        ...carried.map((sql) => `statement ${(sql.split('\n')[0] ?? '').slice(0, 80)}`),
        ...[...rows.leftOut].map((key) => `${key} is left to its default`),
      ],
    }
  }

  // ---- the files

  private writeUp(empty: Catalog, made: Outcome, rows: CopiedRows, carried: readonly string[]): string {
    const { replaces, old } = this.squashing
    const statements = orderedStatements(made.catalog).filter(({ of }) => {
      const [was, is] = [empty.facts.get(of), made.catalog.facts.get(of)]
      return was === undefined || is === undefined || canonicalFact(was) !== canonicalFact(is)
    })
    const { before, after } = partsAround(statements, made.catalog, rows.statements.length > 0)
    const values = [...rows.statements, ...sequenceStatements(made.catalog, made.sequences)]
    const refreshes =
      rows.statements.length === 0
        ? []
        : factsOf(made.catalog, 'materialized view')
            .filter(({ details }) => details.populated)
            .map(({ key }) => `refresh ${key}`)
    return [
      ...replacedLines(replaces),
      `-- ${old[0]?.name ?? ''} to ${old.at(-1)?.name ?? ''} in one, as dbkit migrate squash wrote and proved it.`,
      '',
      '-- Bodies may name what comes later.',
      'set local check_function_bodies to off;',
      ...(values.length === 0
        ? []
        : PLAIN_VALUES.split(';')
            .slice(1)
            .map((sql) => `${sql};`)),
      '',
      ...section('Roles and settings, which are no part of a schema, as they were written.', carried),
      ...section(
        undefined,
        before.map(({ sql }) => sql),
      ),
      ...section('Rows that the migrations left.', values),
      ...section(
        undefined,
        after.map(({ sql }) => sql),
      ),
      ...section(undefined, refreshes),
    ].join('\n')
  }

  /** With CASCADE only where nothing else works: it takes what nobody has looked at. */
  private async writeDown(
    empty: Catalog,
    made: Catalog,
    up: string,
    takenBack: readonly string[],
  ): Promise<string> {
    let reasons: readonly string[] = []
    for (const cascade of [false, true]) {
      const statements = [...dropStatements(empty, made, cascade), ...takenBack]
      const text = [
        `-- Undoes ${this.squashing.name}: leaves an empty database.`,
        '',
        ...section(undefined, statements),
      ].join('\n')
      await this.squashing.shadow.renew()
      await this.start()
      await this.apply([this.step(up, 'up')])
      try {
        await this.apply([this.step(text, 'down')])
      } catch (error) {
        if (!(error instanceof DbkitError) || error.exit === 130) throw error
        reasons = [error.message]
        continue
      }
      reasons = compareLines(empty, await this.read())
      if (reasons.length === 0) return text
    }
    throw problem('squash.no-down', { name: this.squashing.name, reasons })
  }

  /** Statements that make what no catalog holds: they are kept as they are. */
  private besideTheSchema(): { readonly carried: readonly string[]; readonly takenBack: readonly string[] } {
    const of = (scripts: readonly (ScriptText | undefined)[]): readonly string[] =>
      scripts.flatMap((script) =>
        script === undefined || script.module !== undefined
          ? []
          : splitStatements(script.text)
              .filter(({ text, words }) => isBesideTheSchema(text, words))
              .map(({ text }) => text),
      )
    const { old } = this.squashing
    return {
      carried: of(old.map(({ up }) => this.text(up))),
      takenBack: of([...old].reverse().map(({ down }) => (down === undefined ? undefined : this.text(down)))),
    }
  }

  // ---- the proof

  private async copyRows(first: Outcome, second: Outcome): Promise<CopiedRows> {
    const session = await this.squashing.shadow.sessions.current()
    await session.script(PLAIN_VALUES)
    try {
      const rows = await copyRows(session, second.catalog, { first: first.rows, second: second.rows })
      this.refuse(rows.refused)
      return rows
    } finally {
      if (!session.lost) await session.script('rollback')
    }
  }

  private compare(wanted: Outcome, made: Outcome, { leftOut }: CopiedRows): void {
    const rows = [...wanted.rows].flatMap(([table, was]) => {
      const is = made.rows.get(table)
      if (is?.rows !== was.rows)
        return [`table ${table} has ${String(is?.rows ?? 0)} rows instead of ${String(was.rows)}`]
      return [...was.columns].flatMap(([name, { hash }]) => {
        const column = [...leftOut].some(
          (key) => key.startsWith(`column ${table}.`) && key.endsWith(`.${name}`),
        )
        return column || is.columns.get(name)?.hash === hash
          ? []
          : [`column ${table}.${name} has other values`]
      })
    })
    const sequences = [...wanted.sequences].flatMap(([name, { last, called }]) => {
      const is = made.sequences.get(name)
      return is?.last === last && is.called === called ? [] : [`sequence ${name} does not stand at ${last}`]
    })
    this.refuse([...compareLines(wanted.catalog, made.catalog), ...rows, ...sequences])
  }

  private refuse(reasons: readonly string[]): void {
    if (reasons.length > 0) throw problem('squash.not-equal', { name: this.squashing.name, reasons })
  }

  // ---- the shadow

  private async start(): Promise<Catalog> {
    const { shadow, config } = this.squashing
    await createLedger(await shadow.sessions.current(), config.ledger)
    return this.read()
  }

  private async read(): Promise<Catalog> {
    const { shadow, config } = this.squashing
    return readCatalog(await shadow.sessions.current(), { ledger: config.ledger })
  }

  private async observe(): Promise<Outcome> {
    const catalog = await this.read()
    const session = await this.squashing.shadow.sessions.current()
    return {
      catalog,
      rows: await readRowState(session, catalog),
      sequences: await readSequences(session, catalog),
    }
  }

  private steps(migrations: readonly Migration[]): readonly Step[] {
    return planUp(
      { ...this.squashing.workspace, migrations },
      { exists: true, entries: [] },
      { kind: 'latest' },
      { allowOutOfOrder: false, singleTransaction: false },
      { text: this.text },
    ).steps
  }

  private step(text: string, direction: 'up' | 'down'): Step {
    const { version, name } = this.squashing
    const script = decodeScript(text, `${name}.${direction}.sql`)
    if (script instanceof DbkitError) throw script
    const entry: NewEntry = {
      version,
      name,
      upChecksum: '',
      downChecksum: undefined,
      upSql: undefined,
      downSql: undefined,
      transactional: true,
      outOfOrder: false,
    }
    return {
      version,
      name,
      direction,
      script,
      source: 'file',
      entry: direction === 'up' ? entry : undefined,
      transaction: true,
      outOfOrder: false,
      resume: undefined,
    }
  }

  private async apply(steps: readonly Step[]): Promise<void> {
    const { shadow, config, signal, observer } = this.squashing
    const options = { signal, observer, singleTransaction: false }
    const { error } = await applyPlan({ steps, notes: [] }, shadow.sessions, config, options)
    if (error !== undefined) throw error
  }
}

function section(title: string | undefined, statements: readonly string[]): readonly string[] {
  if (statements.length === 0) return []
  return [...(title === undefined ? [] : [`-- ${title}`]), ...statements.map((sql) => `${sql};\n`)]
}

function compareLines(wanted: Catalog, made: Catalog): readonly string[] {
  const { differences, notes } = compareCatalogs(wanted, made)
  return [...differences.flatMap(describeDifference), ...notes]
}

/** What acts on rows, or checks them against rows of other tables, comes after them. */
const AFTER_ROWS: ReadonlySet<Fact['kind']> = new Set(['trigger', 'rule', 'event trigger'])

function partsAround(
  statements: readonly Statement[],
  catalog: Catalog,
  hasRows: boolean,
): { readonly before: readonly Statement[]; readonly after: readonly Statement[] } {
  if (!hasRows) return { before: statements, after: [] }
  const late = new Set<string>()
  const isLate = ({ of, creates, needs }: Statement): boolean => {
    const fact = catalog.facts.get(of)
    if (fact === undefined) return false
    if (AFTER_ROWS.has(fact.kind)) return true
    if (fact.kind === 'constraint' && fact.properties.type === 'foreign key') return true
    const needed = [of, ...needs, ...creates.flatMap((key) => needsOf(catalog, key).map(({ to }) => to))]
    return needed.some((key) => late.has(key))
  }
  const before: Statement[] = []
  const after: Statement[] = []
  for (const statement of statements)
    if (isLate(statement)) {
      after.push(statement)
      for (const key of statement.creates) late.add(key)
    } else before.push(statement)
  return { before, after }
}

/** Roles, their memberships and settings, and those of the database; also where a DO block makes them. */
function isBesideTheSchema(text: string, words: readonly string[]): boolean {
  const [verb = '', what = ''] = words
  if (verb === 'do') return /\b(?:create|alter|drop)\s+(?:role|user|group|database|system)\b/i.test(text)
  if (verb === 'grant' || verb === 'revoke') return !/\son\s/i.test(text)
  if (['create', 'alter', 'drop'].includes(verb))
    return ['role', 'user', 'group', 'database', 'system'].includes(what) && words[2] !== 'mapping'
  return verb === 'comment' && ['role', 'database'].includes(words[2] ?? '')
}
