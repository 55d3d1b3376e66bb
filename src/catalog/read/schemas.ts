import {
  flag,
  FIRST_USER_OID,
  inUserSchema,
  notOfExtension,
  optional,
  query,
  text,
  word,
  type RowOf,
  type RowsOf,
} from './query.js'
import { address, type Registry } from './registry.js'

export const SCHEMAS = query(
  {
    oid: 'n.oid',
    name: 'n.nspname',
    owner: 'pg_get_userbyid(n.nspowner)',
    ownerOid: 'n.nspowner',
  },
  `from pg_namespace n where ${inUserSchema()} and ${notOfExtension('pg_namespace', 'n.oid')}`,
)

/** Whom initdb gives the schema public: the bootstrap superuser, and since 15 pg_database_owner. */
const GIVEN_OWNER = { before15: '10', since15: '6171' }

export function addSchemas(registry: Registry, rows: RowsOf<typeof SCHEMAS>): void {
  for (const row of rows) {
    const base = registry.inNoSchema(text(row.name))
    const object = address('pg_namespace', row.oid)
    if (row.name !== 'public')
      registry.add('schema', { ...base, properties: { owner: registry.ownerName(row.owner) } }, object)
    else
      registry.add(
        'schema',
        { ...base, properties: { owner: publicOwner(registry, row) } },
        object,
        publicComment,
      )
  }
}

function publicOwner(registry: Registry, row: RowOf<typeof SCHEMAS>): string | undefined {
  const given = registry.major < 15 ? GIVEN_OWNER.before15 : GIVEN_OWNER.since15
  return row.ownerOid === given ? undefined : text(row.owner)
}

/** A comment is there from the start; none is what somebody made of it. */
function publicComment(comment: string | undefined): string | undefined {
  return comment === 'standard public schema' ? undefined : (comment ?? '')
}

/** plpgsql is in every database; since it can be restored by no statement that works everywhere, it is taken for granted. */
export const EXTENSIONS = query(
  {
    oid: 'x.oid',
    name: 'x.extname',
    schema: 'n.nspname',
    version: 'x.extversion',
    ownComment: 'a.comment',
  },
  `from pg_extension x join pg_namespace n on n.oid = x.extnamespace
   left join pg_available_extensions() a(name, default_version, comment) on a.name = x.extname
   where x.extname <> 'plpgsql'`,
)

export function addExtensions(registry: Registry, rows: RowsOf<typeof EXTENSIONS>): void {
  for (const row of rows)
    registry.add(
      'extension',
      {
        ...registry.inNoSchema(text(row.name)),
        properties: { schema: text(row.schema) },
        details: { version: text(row.version) },
      },
      address('pg_extension', row.oid),
      // What CREATE EXTENSION writes, and another version may word otherwise.
      (comment) => (comment === optional(row.ownComment) ? undefined : comment),
    )
}

export const LANGUAGES = query(
  {
    oid: 'l.oid',
    name: 'l.lanname',
    owner: 'pg_get_userbyid(l.lanowner)',
    trusted: 'l.lanpltrusted',
    handler: 'nullif(l.lanplcallfoid, 0)::regproc::text',
    inline: 'nullif(l.laninline, 0)::regproc::text',
    validator: 'nullif(l.lanvalidator, 0)::regproc::text',
  },
  `from pg_language l where l.oid >= ${FIRST_USER_OID} and ${notOfExtension('pg_language', 'l.oid')}`,
)

export function addLanguages(registry: Registry, rows: RowsOf<typeof LANGUAGES>): void {
  for (const row of rows)
    registry.add(
      'language',
      {
        ...registry.inNoSchema(text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          trusted: flag(row.trusted),
          handler: optional(row.handler),
          inline: optional(row.inline),
          validator: optional(row.validator),
        },
      },
      address('pg_language', row.oid),
    )
}

export const ACCESS_METHODS = query(
  { oid: 'm.oid', name: 'm.amname', type: 'm.amtype', handler: 'm.amhandler::regproc::text' },
  `from pg_am m where m.oid >= ${FIRST_USER_OID} and ${notOfExtension('pg_am', 'm.oid')}`,
)

export function addAccessMethods(registry: Registry, rows: RowsOf<typeof ACCESS_METHODS>): void {
  for (const row of rows)
    registry.add(
      'access method',
      {
        ...registry.inNoSchema(text(row.name)),
        properties: { type: word({ t: 'table', i: 'index' }, row.type), handler: text(row.handler) },
      },
      address('pg_am', row.oid),
    )
}

export const TRANSFORMS = query(
  {
    oid: 't.oid',
    type: 'format_type(t.trftype, null)',
    language: 'quote_ident(l.lanname)',
    fromSql: 'nullif(t.trffromsql, 0)::regprocedure::text',
    toSql: 'nullif(t.trftosql, 0)::regprocedure::text',
  },
  `from pg_transform t join pg_language l on l.oid = t.trflang where ${notOfExtension('pg_transform', 't.oid')}`,
)

export function addTransforms(registry: Registry, rows: RowsOf<typeof TRANSFORMS>): void {
  for (const row of rows) {
    const identity = `for ${text(row.type)} language ${text(row.language)}`
    registry.add(
      'transform',
      {
        identity,
        schema: undefined,
        name: identity,
        parent: undefined,
        properties: { fromSql: optional(row.fromSql), toSql: optional(row.toSql) },
      },
      address('pg_transform', row.oid),
    )
  }
}

/** The column that holds the locale of ICU changed its name in 15 and 17, and before 15 it was that of libc. */
export const COLLATIONS = query(
  {
    oid: 'c.oid',
    schema: 'n.nspname',
    name: 'c.collname',
    owner: 'pg_get_userbyid(c.collowner)',
    provider: 'c.collprovider',
    deterministic: 'c.collisdeterministic',
    locale: `coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale',
        case c.collprovider when 'i' then c.collcollate end)`,
    lcCollate: `case c.collprovider when 'c' then c.collcollate end`,
    lcCtype: `case c.collprovider when 'c' then c.collctype end`,
    rules: `to_jsonb(c) ->> 'collicurules'`,
  },
  `from pg_collation c join pg_namespace n on n.oid = c.collnamespace
   where ${inUserSchema()} and ${notOfExtension('pg_collation', 'c.oid')}`,
)

export function addCollations(registry: Registry, rows: RowsOf<typeof COLLATIONS>): void {
  for (const row of rows)
    registry.add(
      'collation',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          provider: word({ c: 'libc', i: 'icu', b: 'builtin', d: 'default' }, row.provider),
          deterministic: flag(row.deterministic),
          locale: row.provider === 'i' ? icuLocale(row.locale) : optional(row.locale),
          lcCollate: optional(row.lcCollate),
          lcCtype: optional(row.lcCtype),
          rules: optional(row.rules),
        },
      },
      address('pg_collation', row.oid),
    )
}

/** A keyword is true when nothing is said, and from one release of ICU on nothing is kept: en-u-kn-true is en-u-kn. */
function icuLocale(locale: string | null): string | undefined {
  return optional(locale)?.replace(/-u-.*$/, (keywords) => keywords.replaceAll(/-true(?=-|$)/g, ''))
}

export const CONVERSIONS = query(
  {
    oid: 'c.oid',
    schema: 'n.nspname',
    name: 'c.conname',
    owner: 'pg_get_userbyid(c.conowner)',
    from: 'pg_encoding_to_char(c.conforencoding)',
    to: 'pg_encoding_to_char(c.contoencoding)',
    function: 'c.conproc::regproc::text',
    default: 'c.condefault',
  },
  `from pg_conversion c join pg_namespace n on n.oid = c.connamespace
   where ${inUserSchema()} and ${notOfExtension('pg_conversion', 'c.oid')}`,
)

export function addConversions(registry: Registry, rows: RowsOf<typeof CONVERSIONS>): void {
  for (const row of rows)
    registry.add(
      'conversion',
      {
        ...registry.inSchema(text(row.schema), text(row.name)),
        properties: {
          owner: registry.ownerName(row.owner),
          from: text(row.from),
          to: text(row.to),
          function: text(row.function),
          default: flag(row.default),
        },
      },
      address('pg_conversion', row.oid),
    )
}
