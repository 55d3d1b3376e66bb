import { query, type RowOf, type RowsOf } from '../catalog/read/query.js'
import type { DoctorFinding } from './doctor-report.js'
import { advice, counted, finding, megabytes, NAME, OWN_RELATIONS, sql } from './finding.js'

/** Indexes of a table that is read a lot, and never by them. Neither does a small one cost anything, nor one that carries a constraint help nobody. */
export const UNUSED_INDEXES = query(
  {
    name: NAME,
    table: `format('%I.%I', s.schemaname, s.relname)`,
    bytes: 'pg_relation_size(s.indexrelid)',
    reads: 'u.seq_scan + coalesce(u.idx_scan, 0)',
    since: `(select to_char(stats_reset at time zone 'UTC', 'YYYY-MM-DD') from pg_stat_database where datname = current_database())`,
  },
  `from pg_stat_user_indexes s
     join pg_index i on i.indexrelid = s.indexrelid
     join pg_class c on c.oid = s.indexrelid join pg_namespace n on n.oid = c.relnamespace
     join pg_stat_user_tables u on u.relid = s.relid
   where s.idx_scan = 0 and i.indisvalid and not i.indisunique and not i.indisreplident and not c.relispartition
     and pg_relation_size(s.indexrelid) >= 1048576
     and u.seq_scan + coalesce(u.idx_scan, 0) >= 1000 and ${OWN_RELATIONS}`,
)

/** Rows that are dead, and vacuum has not been there since. */
export const DEAD_ROWS = query(
  { name: NAME, dead: 's.n_dead_tup', live: 's.n_live_tup' },
  `from pg_stat_user_tables s join pg_class c on c.oid = s.relid join pg_namespace n on n.oid = c.relnamespace
   where s.n_dead_tup >= 10000 and s.n_dead_tup > 0.2 * (s.n_live_tup + s.n_dead_tup) and ${OWN_RELATIONS}`,
)

/**
 * Pages that a table has beyond what its rows would fill: rows times their average width, as ANALYZE saw it, with what PostgreSQL adds to
 * each row and page. An estimate: off by a fifth either way.
 */
export const BLOATED_TABLES = query(
  {
    name: NAME,
    bytes: 'e.real',
    waste: 'e.real - e.needed',
    share: 'round(100 * (e.real - e.needed) / e.real)',
  },
  `from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join lateral (
       select sum((1 - s.null_frac) * s.avg_width) as width, bool_or(s.null_frac > 0) as nulls, count(*) as known
         from pg_stats s where s.schemaname = n.nspname and s.tablename = c.relname and not s.inherited) w on true
     join lateral (
       select c.relpages * current_setting('block_size')::numeric as real,
              ceil(c.reltuples * (4 + 8 * ceil((24 + w.width + case when w.nulls then ceil(c.relnatts / 8.0) else 0 end) / 8))
                   / ((current_setting('block_size')::int - 24)
                      * coalesce((select substring(o from '\\d+')::numeric from unnest(c.reloptions) o where o like 'fillfactor=%'), 100) / 100))
              * current_setting('block_size')::numeric as needed) e on true
   where c.relkind in ('r', 'm') and c.reltuples >= 0 and (w.known > 0 or c.reltuples = 0) and ${OWN_RELATIONS}
     and e.real >= 10485760 and coalesce(e.needed, 0) < 0.5 * e.real`,
)

/** The same for B-trees on columns, whose pages are filled to nine tenths when they are built. */
export const BLOATED_INDEXES = query(
  {
    name: NAME,
    bytes: 'e.real',
    waste: 'e.real - e.needed',
    share: 'round(100 * (e.real - e.needed) / e.real)',
  },
  `from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     join pg_class t on t.oid = i.indrelid join pg_namespace tn on tn.oid = t.relnamespace
     join pg_am m on m.oid = c.relam and m.amname = 'btree'
     join lateral (
       select sum((1 - s.null_frac) * s.avg_width) as width, count(*) as known
         from pg_attribute a join pg_stats s on s.schemaname = tn.nspname and s.tablename = t.relname and s.attname = a.attname and not s.inherited
        where a.attrelid = t.oid and a.attnum = any (i.indkey::int2[])) w on true
     join lateral (
       select c.relpages * current_setting('block_size')::numeric as real,
              ceil(c.reltuples * (4 + 8 * ceil((8 + w.width) / 8)) / (0.9 * (current_setting('block_size')::int - 40)))
              * current_setting('block_size')::numeric as needed) e on true
   where c.relkind = 'i' and i.indisvalid and c.reltuples >= 0 and w.known = i.indnatts and ${OWN_RELATIONS}
     and e.real >= 10485760 and e.needed < 0.5 * e.real`,
)

/** Tables whose rows the planner knows nothing of. */
export const NO_STATISTICS = query(
  {
    name: NAME,
    rows: 's.n_live_tup',
    changed: 's.n_mod_since_analyze',
    never: 's.last_analyze is null and s.last_autoanalyze is null',
  },
  `from pg_stat_user_tables s join pg_class c on c.oid = s.relid join pg_namespace n on n.oid = c.relnamespace
   where s.n_live_tup >= 1000 and ${OWN_RELATIONS}
     and ((s.last_analyze is null and s.last_autoanalyze is null) or s.n_mod_since_analyze > s.n_live_tup)`,
)

/** The schema that pg_stat_statements lives in. */
export const STATEMENTS_SCHEMA = `select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`

/** Statements of this database that take 100 ms and more, those first on which the server spent most. */
export function slowStatements(schema: string) {
  return query(
    {
      id: 's.queryid',
      text: `left(regexp_replace(s.query, '\\s+', ' ', 'g'), 200)`,
      calls: 'sum(s.calls)',
      mean: 'round((sum(s.total_exec_time) / sum(s.calls))::numeric, 1)',
      total: 'round((sum(s.total_exec_time) / 1000)::numeric, 1)',
    },
    `from ${schema}.pg_stat_statements s
     where s.dbid = (select oid from pg_database where datname = current_database())
       and s.query !~* '^\\s*(/\\*|vacuum|analyze|reindex|create|alter|drop|copy|refresh|begin|commit|do)'
     group by s.queryid, s.query
     having sum(s.calls) > 0 and sum(s.total_exec_time) / sum(s.calls) >= 100
     order by sum(s.total_exec_time) desc limit 10`,
  )
}

export interface TrafficRows {
  readonly unused: RowsOf<typeof UNUSED_INDEXES>
  readonly dead: RowsOf<typeof DEAD_ROWS>
  readonly bloatedTables: RowsOf<typeof BLOATED_TABLES>
  readonly bloatedIndexes: RowsOf<typeof BLOATED_INDEXES>
  readonly noStatistics: RowsOf<typeof NO_STATISTICS>
  readonly slow: RowsOf<typeof slowStatements>
}

export function judgeTraffic(rows: TrafficRows): readonly DoctorFinding[] {
  return [
    ...rows.unused.map(judgeUnused),
    ...rows.dead.map(({ name, dead, live }) =>
      finding(
        'bloat',
        'warning',
        name ?? '',
        `${counted(Number(dead), 'dead row')} beside ${Number(live).toLocaleString('en-US')} live ones`,
        'Every scan reads them too. Autovacuum has not come, or something that is open for long keeps it from removing them.',
        sql(`vacuum (analyze) ${name ?? ''}`),
      ),
    ),
    ...rows.bloatedTables.map((row) =>
      judgeBloat(
        row,
        `vacuum (full, analyze) ${row.name ?? ''}`,
        ' The statement locks the table as long as it takes; pg_repack does not.',
      ),
    ),
    ...rows.bloatedIndexes.map((row) => judgeBloat(row, `reindex index concurrently ${row.name ?? ''}`, '')),
    ...rows.noStatistics.map(({ name, rows: number, changed, never }) =>
      finding(
        'statistics',
        'info',
        name ?? '',
        never === 'true'
          ? `has ${counted(Number(number), 'row')} and was never analyzed`
          : `${counted(Number(changed), 'row')} changed since it was analyzed, and it has ${Number(number).toLocaleString('en-US')}`,
        'The planner guesses, and may read a table whole where an index would do.',
        sql(`analyze ${name ?? ''}`),
      ),
    ),
    ...rows.slow.map(judgeSlow),
  ]
}

function judgeUnused({ name, table, bytes, reads, since }: RowOf<typeof UNUSED_INDEXES>): DoctorFinding {
  return finding(
    'unused-index',
    'info',
    name ?? '',
    `never read, while ${table ?? ''} was read ${Number(reads).toLocaleString('en-US')} times${since === null ? '' : ` since ${since}`} (${megabytes(bytes)})`,
    `Each write to ${table ?? ''} pays for it. Before you drop it: do standbys read by it, or a report that runs once a quarter?`,
    sql(`drop index concurrently ${name ?? ''}`),
  )
}

function judgeBloat(
  { name, bytes, waste, share }: RowOf<typeof BLOATED_TABLES>,
  statement: string,
  more: string,
): DoctorFinding {
  return finding(
    'bloat',
    'warning',
    name ?? '',
    `about ${share ?? ''} % of ${megabytes(bytes)} holds nothing (${megabytes(waste)}, estimated)`,
    `Scans and the cache carry the empty pages along.${more}`,
    sql(statement),
  )
}

function judgeSlow({ id, text, calls, mean, total }: RowOf<typeof slowStatements>): DoctorFinding {
  return finding(
    'slow-statement',
    'info',
    id ?? '',
    `${mean ?? ''} ms on average, ${counted(Number(calls), 'call')}, ${total ?? ''} s in all: ${text ?? ''}`,
    'The server spends its time here.',
    advice('Look at its plan with EXPLAIN (ANALYZE, BUFFERS), with the values it is called with.'),
  )
}
