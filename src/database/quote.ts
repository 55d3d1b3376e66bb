/** The one place where names and values become SQL text. */

/** An identifier, always quoted: a name from a file or a config can never be anything but a name. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * Words that are not a name everywhere when they stand unquoted, in any PostgreSQL from 14 to 18 (pg_get_keywords, all but the
 * unreserved): one list for all of them, so that the same object is written the same way whichever server it is on.
 */
const KEYWORDS = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean ' +
    'both case cast char character check coalesce collate collation column concurrently constraint create ' +
    'cross current_catalog current_date current_role current_schema current_time current_timestamp ' +
    'current_user dec decimal default deferrable desc distinct do else end except exists extract false ' +
    'fetch float for foreign freeze from full grant greatest group grouping having ilike in initially ' +
    'inner inout int integer intersect interval into is isnull join json json_array json_arrayagg ' +
    'json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value ' +
    'lateral leading least left like limit localtime localtimestamp merge_action national natural nchar ' +
    'none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay ' +
    'placing position precision primary real references returning right row select session_user setof ' +
    'similar smallint some substring symmetric system_user table tablesample then time timestamp to ' +
    'trailing treat trim true union unique user using values varchar variadic verbose when where window ' +
    'with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot ' +
    'xmlserialize xmltable'
  ).split(' '),
)

/** An identifier for people to read: quoted only where it has to be. */
export function quoteIfNeeded(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !KEYWORDS.has(name) ? name : quoteName(name)
}

/** schema.name, both quoted. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteName(schema)}.${quoteName(name)}`
}

/**
 * A string literal that means the same whatever standard_conforming_strings says: with a backslash inside it is written as E''.
 * The text must not hold NUL, which no PostgreSQL text can.
 */
export function quoteLiteral(text: string): string {
  const doubled = text.replaceAll("'", "''")
  return text.includes('\\') ? ` E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}

/** A string literal, or null. */
export function quoteNullable(text: string | undefined): string {
  return text === undefined ? 'null' : quoteLiteral(text)
}

/** What the name of the table that `dbkit maintain` keeps beside the ledger ends with. */
export const MAINTENANCE_SUFFIX = '_maintenance'
