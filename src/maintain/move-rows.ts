import { cancellable } from '../apply/run-transaction.js'
import type { ArchivePolicy, RetentionPolicy } from '../config/define-config.js'
import type { Session } from '../database/database.js'
import { quoteLiteral, quoteIfNeeded } from '../database/quote.js'
import { problem } from '../errors.js'
import { patiently, type Action, type Context, type Done } from './action.js'
import type { Relation } from './read-relations.js'

/** Large enough that a batch is worth its commit, small enough that nobody waits long for a row of it. */
const BATCH = 1_000

/** What has to be known of a table before rows are taken out of it. */
interface Facts {
  readonly columns: readonly Column[]
  readonly primaryKey: readonly string[]
  readonly partitioned: boolean
  readonly references: readonly Reference[]
}

interface Column {
  readonly name: string
  readonly type: string
  readonly generated: boolean
}

/** A foreign key of another table that points here. */
interface Reference {
  readonly table: string
  readonly columns: readonly string[]
  readonly keys: readonly string[]
  /** a no action · r restrict · c cascade · n set null · d set default */
  readonly onDelete: string
}

async function readFacts(session: Session, identity: string): Promise<Facts> {
  const [row] = await session.query(
    `select json_build_object(
       'columns', (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                                                     'generated', a.attgenerated <> '' or a.attidentity = 'a') order by a.attnum)
                     from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
       'primaryKey', coalesce((select json_agg(a.attname order by k.place)
                                 from pg_index i cross join unnest(i.indkey::int2[]) with ordinality k(number, place)
                                 join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
                                where i.indrelid = c.oid and i.indisprimary), '[]'),
       'partitioned', c.relkind = 'p',
       'references', coalesce((select json_agg(json_build_object('table', format('%I.%I', fn.nspname, fc.relname), 'onDelete', f.confdeltype,
           'columns', (select json_agg(a.attname order by u.place) from unnest(f.conkey) with ordinality u(number, place)
                         join pg_attribute a on a.attrelid = f.conrelid and a.attnum = u.number),
           'keys', (select json_agg(a.attname order by u.place) from unnest(f.confkey) with ordinality u(number, place)
                      join pg_attribute a on a.attrelid = f.confrelid and a.attnum = u.number)) order by f.conname)
         from pg_constraint f join pg_class fc on fc.oid = f.conrelid join pg_namespace fn on fn.oid = fc.relnamespace
        where f.contype = 'f' and f.confrelid = c.oid and f.conparentid = 0), '[]'))
     from pg_class c where c.oid = $1::regclass`,
    [identity],
  )
  return JSON.parse(row?.[0] ?? '{}') as Facts
}

/** Moves old rows into another table: one statement a batch, so that a row is in one of the two at every moment. */
export async function archive(
  session: Session,
  from: Relation,
  into: Relation,
  policy: ArchivePolicy,
): Promise<Action> {
  const [facts, target] = [await readFacts(session, from.identity), await readFacts(session, into.identity)]
  refuseMismatch(from.identity, into.identity, facts, target)
  const columns = facts.columns.map(({ name }) => quoteIfNeeded(name)).join(', ')
  return move(session, 'archive', from, facts, { ...policy, cascade: false }, (chosen) =>
    [
      `with moved as (delete from ${from.identity} as t ${chosen} returning ${facts.columns.map(({ name }) => `t.${quoteIfNeeded(name)}`).join(', ')}),`,
      `  kept as (insert into ${into.identity} (${columns}) select ${columns} from moved returning 1)`,
      'select count(*) from kept',
    ].join('\n'),
  )
}

/** Deletes old rows, in batches. */
export async function retention(session: Session, from: Relation, policy: RetentionPolicy): Promise<Action> {
  const facts = await readFacts(session, from.identity)
  return move(session, 'retention', from, facts, { ...policy, cascade: policy.cascade === true }, (chosen) =>
    [
      `with gone as (delete from ${from.identity} as t ${chosen} returning 1)`,
      'select count(*) from gone',
    ].join('\n'),
  )
}

function refuseMismatch(from: string, into: string, source: Facts, target: Facts): void {
  const there = new Map(target.columns.map((column) => [column.name, column]))
  const wrong = source.columns.flatMap(({ name, type }) => {
    const column = there.get(name)
    if (column === undefined) return [`${name} ${type} is missing`]
    if (column.generated) return [`${name} is generated there`]
    return column.type === type ? [] : [`${name} is ${column.type} there, and ${type} here`]
  })
  if (wrong.length > 0) throw problem('maintain.archive-mismatch', { from, into, columns: wrong })
}

interface Rule {
  readonly column: string
  readonly olderThan: string
  readonly batch?: number
  readonly cascade: boolean
}

async function move(
  session: Session,
  task: 'archive' | 'retention',
  { identity }: Relation,
  facts: Facts,
  rule: Rule,
  statementOf: (chosen: string) => string,
): Promise<Action> {
  const age = facts.columns.find(({ name }) => name === rule.column)
  if (age === undefined || !/^(date|timestamp)/.test(age.type))
    throw problem('maintain.bad-column', { table: identity, column: rule.column, type: age?.type })
  if (facts.partitioned && facts.primaryKey.length === 0)
    throw problem('maintain.no-key', { table: identity })
  // One moment for the whole run: batches do not chase rows that grow old meanwhile.
  const [row] = await session.query(
    `select ((pg_catalog.now() at time zone 'UTC') - $1::interval)::text || '+00'`,
    [rule.olderThan],
  )
  const moment = row?.[0] ?? ''
  // A column without a time zone holds UTC, as everything here does.
  const literal = age.type.endsWith('with time zone')
    ? `timestamptz ${quoteLiteral(moment)}`
    : `${age.type === 'date' ? 'date' : 'timestamp'} ${quoteLiteral(moment.slice(0, -3))}`
  const old = `${quoteIfNeeded(rule.column)} < ${literal}`
  const blocking = facts.references.filter(
    ({ onDelete }) => !'nd'.includes(onDelete) && !(rule.cascade && onDelete === 'c'),
  )
  const unreferenced = blocking.map(
    ({ table, columns, keys }) =>
      `not exists (select from ${table} f where ${columns.map((name, index) => `f.${quoteIfNeeded(name)} = o.${quoteIfNeeded(keys[index] ?? '')}`).join(' and ')})`,
  )
  const statement = statementOf(chosenRows(identity, facts, rule, [`o.${old}`, ...unreferenced]))
  return {
    task,
    object: identity,
    sql: [statement],
    notes: facts.references.flatMap(({ table, columns, onDelete }) => {
      const names = columns.join(', ')
      if ('nd'.includes(onDelete))
        return [
          `${table} (${names}) is set to ${onDelete === 'n' ? 'null' : 'its default'} where it refers to such a row`,
        ]
      if (rule.cascade && onDelete === 'c')
        return [`rows of ${table} that refer to such a row are deleted with it`]
      return []
    }),
    run: (context) => inBatches(context, task, identity, statement, old, blocking),
  }
}

/** By place where that is enough, by key where rows of several partitions may have the same place. */
function chosenRows(
  identity: string,
  facts: Facts,
  { column, batch = BATCH }: Rule,
  conditions: readonly string[],
): string {
  const rest = `from ${identity} as o where ${conditions.join('\n      and ')}
      order by o.${quoteIfNeeded(column)} limit ${String(batch)} for update skip locked`
  if (!facts.partitioned) return `where t.ctid = any (array(\n    select o.ctid ${rest}))`
  const keys = facts.primaryKey.map(quoteIfNeeded)
  return `using (\n    select ${keys.map((key) => `o.${key}`).join(', ')} ${rest}) as d\n  where ${keys.map((key) => `t.${key} = d.${key}`).join(' and ')}`
}

async function inBatches(
  context: Context,
  task: 'archive' | 'retention',
  identity: string,
  statement: string,
  old: string,
  blocking: readonly Reference[],
): Promise<Done> {
  const { session, signal, observer, name: database } = context
  const count = async (): Promise<number> =>
    Number((await session.query(`select count(*) from ${identity} where ${old}`))[0]?.[0])
  const total = await count()
  let rows = 0
  let batches = 0
  while (total > 0) {
    const moved = await patiently(context, () =>
      cancellable(session, signal, () => runBatch(context, statement)),
    )
    if (moved === 0) break
    rows += moved
    batches++
    observer({
      kind: 'maintain-progress',
      database,
      task,
      object: identity,
      done: rows,
      total,
      phase: 'rows',
    })
  }
  const left = total === 0 ? 0 : await count()
  const why = [
    ...new Set(blocking.map(({ table }) => `rows of ${table} refer to them`)),
    'somebody else had locked them',
  ].join(', or ')
  return {
    outcome: rows === 0 && left === 0 ? 'nothing-to-do' : 'done',
    rows,
    batches,
    ...(left === 0 ? {} : { notes: [`${left.toLocaleString('en-US')} old rows stayed: ${why}`] }),
  }
}

/** A transaction of its own: whatever is killed, a batch was moved as a whole or not at all. */
async function runBatch({ session, lockTimeoutMs, timeZone }: Context, statement: string): Promise<number> {
  try {
    const [row] = await session.script(
      `begin isolation level read committed;set local lock_timeout = ${String(lockTimeoutMs)};set local timezone = ${quoteLiteral(timeZone)};${statement};commit`,
    )
    return Number(row?.[0])
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}
