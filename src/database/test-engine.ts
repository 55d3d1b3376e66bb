import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Extensions, PGlite } from '@electric-sql/pglite'
import { quoteName, quoteQualified } from './quote.js'
import { spareOptimising } from './wasm-budget.js'

/** A throw-away engine that can be put back to the state it began with. */
export interface TestEngine {
  readonly engine: PGlite
  /** False when its schema was changed: then it is good for nothing more. */
  reset(): Promise<boolean>
  close(): Promise<void>
}

/** The archive of a data folder that the embedded engine wrote, for engines that live in memory. */
export async function archiveOf(folder: string): Promise<Blob> {
  const { PGlite } = await import('@electric-sql/pglite')
  spareOptimising()
  const engine = await PGlite.create({
    dataDir: join(folder, 'data'),
    extensions: await loadExtensions(extensionsIn(folder)),
  })
  try {
    return await engine.dumpDataDir('none')
  } finally {
    await engine.close()
  }
}

export function extensionsIn(folder: string): readonly string[] {
  const file = join(folder, 'engine.json')
  return existsSync(file)
    ? ((JSON.parse(readFileSync(file, 'utf8')) as { extensions?: readonly string[] }).extensions ?? [])
    : []
}

/** Starts an engine in memory from an archive, and keeps a copy of every row to go back to. */
export async function startTestEngine(archive: Blob, extensions: readonly string[]): Promise<TestEngine> {
  const { PGlite } = await import('@electric-sql/pglite')
  spareOptimising()
  const engine = await PGlite.create({ loadDataDir: archive, extensions: await loadExtensions(extensions) })
  const restore = await keepRows(engine)
  const schema = await fingerprint(engine)
  return {
    engine,
    async reset() {
      // Whatever the session was left in.
      await engine.exec('rollback')
      await engine.exec('discard all')
      if ((await fingerprint(engine)) !== schema) return false
      await engine.exec(restore)
      return true
    },
    close: () => engine.close(),
  }
}

const COPIES = 'dbkit_kept_rows'

/** Copies every table, and returns the statements that put the copies back. */
async function keepRows(engine: PGlite): Promise<string> {
  const { rows: tables } = await engine.query<{ schema: string; name: string; columns: string[] }>(`
    select n.nspname as schema, c.relname as name,
      coalesce(array_agg(a.attname::text order by a.attnum) filter (where a.attgenerated = ''), '{}') as columns
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind = 'r' and n.nspname not like 'pg!_%' escape '!' and n.nspname <> 'information_schema'
      and not exists (select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_class'::regclass and e.objid = c.oid and e.deptype = 'e')
    group by n.nspname, c.relname, c.oid order by c.oid`)
  const { rows: sequences } = await engine.query<{ schema: string; name: string }>(`
    select n.nspname as schema, c.relname as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'S' and n.nspname not like 'pg!_%' escape '!' order by c.oid`)
  const { rows: views } = await engine.query<{ schema: string; name: string }>(`
    select schemaname as schema, matviewname as name from pg_catalog.pg_matviews where ispopulated`)
  const copies: string[] = [`create schema ${COPIES}`]
  const back: string[] = ['begin', 'set local session_replication_role = replica']
  const named = tables.map(({ schema, name }) => quoteQualified(schema, name))
  if (named.length > 0) back.push(`truncate ${named.join(', ')}`)
  for (const [index, { schema, name, columns }] of tables.entries()) {
    const [table, copy] = [quoteQualified(schema, name), `${COPIES}.t${String(index)}`]
    const list = columns.map(quoteName).join(', ')
    copies.push(`create table ${copy} as select ${list} from ${table}`)
    if (columns.length > 0)
      back.push(`insert into ${table} (${list}) overriding system value select * from ${copy}`)
  }
  for (const { schema, name } of sequences) {
    const sequence = quoteQualified(schema, name)
    const { rows } = await engine.query<{ last_value: string; is_called: boolean }>(
      `select last_value::text, is_called from ${sequence}`,
    )
    const [value] = rows
    if (value !== undefined)
      back.push(
        `select pg_catalog.setval('${sequence.replaceAll("'", "''")}', ${value.last_value}, ${String(value.is_called)})`,
      )
  }
  for (const { schema, name } of views) back.push(`refresh materialized view ${quoteQualified(schema, name)}`)
  await engine.exec(copies.join(';'))
  return [...back, 'commit'].join(';')
}

/** Changes with every object that a test creates, changes or drops, and with no row. */
async function fingerprint(engine: PGlite): Promise<string> {
  const of = (what: string, from: string): string =>
    `(select pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws('|', ${what}), ',' order by x.oid)) from ${from})`
  // Refreshing a materialized view gives it another table for its long values.
  const notToast = (namespace: string): string => `${namespace} <> 'pg_toast'::pg_catalog.regnamespace`
  const { rows } = await engine.query<{ all: string }>(`
    select pg_catalog.concat_ws(';',
      ${of('x.oid, x.relname, x.relnamespace, x.relkind, x.relnatts, x.relchecks, x.relhastriggers, x.relrowsecurity, x.relowner, x.relacl', `pg_catalog.pg_class x where x.oid >= 16384 and ${notToast('x.relnamespace')}`)},
      ${of('x.oid, x.proname, x.prosrc, x.proacl', 'pg_catalog.pg_proc x where x.oid >= 16384')},
      ${of('x.oid, x.conname, x.convalidated, x.conbin', 'pg_catalog.pg_constraint x where x.oid >= 16384')},
      ${of('x.oid, x.tgname, x.tgenabled', 'pg_catalog.pg_trigger x where x.oid >= 16384')},
      ${of('x.oid, x.typname, x.typnotnull', 'pg_catalog.pg_type x where x.oid >= 16384')},
      ${of('x.oid, x.adbin', 'pg_catalog.pg_attrdef x')},
      ${of('x.oid, x.enumlabel', 'pg_catalog.pg_enum x')},
      ${of('x.oid, x.nspname, x.nspacl', 'pg_catalog.pg_namespace x')},
      ${of('x.oid, x.rolname', 'pg_catalog.pg_roles x')},
      ${of('x.oid, x.ev_action', 'pg_catalog.pg_rewrite x where x.oid >= 16384')},
      (select pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws('|', a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attisdropped), ',' order by a.attrelid, a.attnum))
        from pg_catalog.pg_attribute a join pg_catalog.pg_class x on x.oid = a.attrelid
        where a.attrelid >= 16384 and a.attnum > 0 and ${notToast('x.relnamespace')})) as all`)
  return rows[0]?.all ?? ''
}

async function loadExtensions(names: readonly string[]): Promise<Extensions> {
  const loaded: Extensions = {}
  for (const name of names) {
    const module = name.replaceAll('-', '_')
    const found =
      name === 'postgis'
        ? (await import('@electric-sql/pglite-postgis')).postgis
        : ((await import(`@electric-sql/pglite/contrib/${module}`)) as Record<string, Extensions[string]>)[
            module
          ]
    if (found !== undefined) loaded[module] = found
  }
  return loaded
}
