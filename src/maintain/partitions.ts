import type { PartitionPolicy } from '../config/define-config.js'
import type { Session } from '../database/database.js'
import { quoteIfNeeded, quoteLiteral } from '../database/quote.js'
import { problem } from '../errors.js'
import { runAlone, type Action } from './action.js'
import type { Relation } from './read-relations.js'

interface Partition {
  readonly identity: string
  readonly isDefault: boolean
  readonly detaching: boolean
  /** As moments in UTC; undefined: without end on that side. */
  readonly from: number | undefined
  readonly to: number | undefined
}

interface Span {
  readonly from: Date
  readonly to: Date
  readonly suffix: string
}

/** Creates the partitions that will be needed, and detaches those that are older than is kept, without locking out anybody. */
export async function partitions(
  session: Session,
  parent: Relation,
  policy: PartitionPolicy,
  now: Date,
): Promise<readonly Action[]> {
  const type = await readKeyType(session, parent)
  const present = await readPartitions(session, parent)
  const created = wanted(policy, now).filter(
    ({ from, to }) => !present.some((one) => overlaps(one, from, to)),
  )
  const literal = (moment: Date): string =>
    quoteLiteral(
      type === 'date'
        ? moment.toISOString().slice(0, 10)
        : `${moment.toISOString().slice(0, 10)} 00:00:00${type.endsWith('with time zone') ? '+00' : ''}`,
    )
  const creations = created.map((span): Action => {
    const name = `${quoteIfNeeded(parent.schema)}.${quoteIfNeeded(`${parent.name}_${span.suffix}`)}`
    return action(parent, name, [
      `create table if not exists ${name} partition of ${parent.identity} for values from (${literal(span.from)}) to (${literal(span.to)})`,
    ])
  })
  const keepFrom = policy.keep === undefined ? undefined : await momentAgo(session, policy.keep)
  const hasDefault = present.some(({ isDefault }) => isDefault)
  const finalizations = present
    .filter(({ detaching }) => detaching)
    .map(({ identity }) =>
      action(
        parent,
        identity,
        [`alter table ${parent.identity} detach partition ${identity} finalize`],
        ['its detachment was interrupted'],
      ),
    )
  const detachments = present
    .filter(({ detaching, to }) => !detaching && keepFrom !== undefined && to !== undefined && to <= keepFrom)
    .map(({ identity }) =>
      action(
        parent,
        identity,
        [`alter table ${parent.identity} detach partition ${identity}${hasDefault ? '' : ' concurrently'}`],
        hasDefault
          ? ['not concurrently, which a default partition forbids: it locks the table for a moment']
          : [],
      ),
    )
  // One detachment may be pending at a time, and nobody can detach another one before it has ended.
  return [...finalizations, ...creations, ...detachments]
}

function action(
  parent: Relation,
  object: string,
  sql: readonly string[],
  notes: readonly string[] = [],
): Action {
  return {
    task: 'partitions',
    object,
    sql,
    notes: [`partition of ${parent.identity}`, ...notes],
    async run(context) {
      await runAlone(context, sql)
      return { outcome: 'done' }
    },
  }
}

async function readKeyType(session: Session, parent: Relation): Promise<string> {
  const [row] = await session.query(
    `select format_type(a.atttypid, null)
       from pg_partitioned_table p join pg_attribute a on a.attrelid = p.partrelid and a.attnum = p.partattrs[0]
      where p.partrelid = $1::regclass and p.partstrat = 'r' and p.partnatts = 1`,
    [parent.identity],
  )
  const type = row?.[0]
  if (type == null || !/^(date|timestamp)/.test(type))
    throw problem('maintain.not-partitioned', { table: parent.identity })
  return type
}

async function readPartitions(session: Session, parent: Relation): Promise<readonly Partition[]> {
  // Bounds are written in the session's time zone.
  const rows = await session.script(
    `begin read only;set local timezone = 'UTC';set local datestyle = 'ISO';
     select format('%I.%I', n.nspname, c.relname), i.inhdetachpending, pg_get_expr(c.relpartbound, c.oid)
       from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace
      where i.inhparent = ${quoteLiteral(parent.identity)}::regclass order by 1;
     commit`,
  )
  return rows.map(([identity, detaching, bound]) => {
    const [, from, to] = /^FOR VALUES FROM \((.*)\) TO \((.*)\)$/.exec(bound ?? '') ?? []
    return {
      identity: identity ?? '',
      isDefault: bound === 'DEFAULT',
      detaching: detaching === 't',
      from: momentOf(from),
      to: momentOf(to),
    }
  })
}

/** A bound as pg_get_expr writes it in a session in UTC; MINVALUE and MAXVALUE have no end. */
function momentOf(bound: string | undefined): number | undefined {
  const [, text] = /^'(.*)'$/.exec(bound ?? '') ?? []
  if (text === undefined) return undefined
  const iso = text.replace(' ', 'T').replace(/\+00$/, '')
  return Date.parse(iso.includes('T') ? `${iso}Z` : iso)
}

function overlaps({ isDefault, from, to }: Partition, start: Date, end: Date): boolean {
  return !isDefault && (from ?? -Infinity) < end.getTime() && (to ?? Infinity) > start.getTime()
}

async function momentAgo(session: Session, span: string): Promise<number> {
  const [row] = await session.query(
    'select (extract(epoch from pg_catalog.now() - $1::interval) * 1000)::bigint',
    [span],
  )
  return Number(row?.[0])
}

/** The span of today, and as many after it as are wanted ahead. */
function wanted({ every, ahead = 3 }: PartitionPolicy, now: Date): readonly Span[] {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()]
  const start = (offset: number): Date => {
    switch (every) {
      case 'year':
        return new Date(Date.UTC(year + offset, 0))
      case 'month':
        return new Date(Date.UTC(year, month + offset))
      case 'week':
        // From Monday to Monday.
        return new Date(Date.UTC(year, month, day - ((now.getUTCDay() + 6) % 7) + offset * 7))
      case 'day':
        return new Date(Date.UTC(year, month, day + offset))
    }
  }
  return Array.from({ length: ahead + 1 }, (_, offset) => {
    const from = start(offset)
    const length = every === 'year' ? 4 : every === 'month' ? 7 : 10
    return { from, to: start(offset + 1), suffix: from.toISOString().slice(0, length).replaceAll('-', '_') }
  })
}
