import { inUserSchema, notOfExtension, optional, query, sortedList, text, type RowsOf } from './query.js'
import { address, type Registry } from './registry.js'

export const TEXT_SEARCH_CONFIGURATIONS = query(
  {
    oid: 'c.oid',
    schema: 'n.nspname',
    name: 'c.cfgname',
    owner: 'pg_get_userbyid(c.cfgowner)',
    parser: `quote_ident(pn.nspname) || '.' || quote_ident(p.prsname)`,
    mappings: `(select json_agg(m.alias || ': ' || m.dictionaries) from (
        select (select k.alias from ts_token_type(c.cfgparser) k where k.tokid = m.maptokentype) as alias,
            string_agg(m.mapdict::regdictionary::text, ', ' order by m.mapseqno) as dictionaries
          from pg_ts_config_map m where m.mapcfg = c.oid group by m.maptokentype) m)`,
  },
  `from pg_ts_config c join pg_namespace n on n.oid = c.cfgnamespace
   join pg_ts_parser p on p.oid = c.cfgparser join pg_namespace pn on pn.oid = p.prsnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_ts_config', 'c.oid')}`,
)

export function addTextSearchConfigurations(
  registry: Registry,
  rows: RowsOf<typeof TEXT_SEARCH_CONFIGURATIONS>,
): void {
  for (const row of rows)
    registry.add(
      'text search configuration',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          parser: text(row.parser),
          mappings: sortedList(row.mappings),
        },
      },
      address('pg_ts_config', row.oid),
    )
}

export const TEXT_SEARCH_DICTIONARIES = query(
  {
    oid: 'd.oid',
    schema: 'n.nspname',
    name: 'd.dictname',
    owner: 'pg_get_userbyid(d.dictowner)',
    template: `quote_ident(tn.nspname) || '.' || quote_ident(t.tmplname)`,
    options: 'd.dictinitoption',
  },
  `from pg_ts_dict d join pg_namespace n on n.oid = d.dictnamespace
   join pg_ts_template t on t.oid = d.dicttemplate join pg_namespace tn on tn.oid = t.tmplnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_ts_dict', 'd.oid')}`,
)

export function addTextSearchDictionaries(
  registry: Registry,
  rows: RowsOf<typeof TEXT_SEARCH_DICTIONARIES>,
): void {
  for (const row of rows)
    registry.add(
      'text search dictionary',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          template: text(row.template),
          options: optional(row.options),
        },
      },
      address('pg_ts_dict', row.oid),
    )
}

export const TEXT_SEARCH_PARSERS = query(
  {
    oid: 'p.oid',
    schema: 'n.nspname',
    name: 'p.prsname',
    start: 'p.prsstart::regproc::text',
    token: 'p.prstoken::regproc::text',
    end: 'p.prsend::regproc::text',
    headline: 'nullif(p.prsheadline, 0)::regproc::text',
    lexTypes: 'p.prslextype::regproc::text',
  },
  `from pg_ts_parser p join pg_namespace n on n.oid = p.prsnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_ts_parser', 'p.oid')}`,
)

export function addTextSearchParsers(registry: Registry, rows: RowsOf<typeof TEXT_SEARCH_PARSERS>): void {
  for (const row of rows)
    registry.add(
      'text search parser',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        properties: {
          start: text(row.start),
          token: text(row.token),
          end: text(row.end),
          headline: optional(row.headline),
          lexTypes: text(row.lexTypes),
        },
      },
      address('pg_ts_parser', row.oid),
    )
}

export const TEXT_SEARCH_TEMPLATES = query(
  {
    oid: 't.oid',
    schema: 'n.nspname',
    name: 't.tmplname',
    init: 'nullif(t.tmplinit, 0)::regproc::text',
    lexize: 't.tmpllexize::regproc::text',
  },
  `from pg_ts_template t join pg_namespace n on n.oid = t.tmplnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_ts_template', 't.oid')}`,
)

export function addTextSearchTemplates(registry: Registry, rows: RowsOf<typeof TEXT_SEARCH_TEMPLATES>): void {
  for (const row of rows)
    registry.add(
      'text search template',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        properties: { init: optional(row.init), lexize: text(row.lexize) },
      },
      address('pg_ts_template', row.oid),
    )
}
