/** What an extension is used by, and what can stand in for it. */
export interface ExtensionUse {
  readonly functions?: readonly string[]
  /** Types and operator classes. */
  readonly names?: readonly string[]
  readonly instead: string
}

const NO_WAY = 'There is nothing of its kind in PostgreSQL itself: take it out, or have it installed there.'

export const EXTENSION_USES: ReadonlyMap<string, ExtensionUse> = new Map([
  [
    'uuid-ossp',
    {
      functions: [
        'uuid_generate_v1',
        'uuid_generate_v1mc',
        'uuid_generate_v3',
        'uuid_generate_v4',
        'uuid_generate_v5',
        'uuid_nil',
      ],
      instead: "gen_random_uuid() is PostgreSQL's own and makes the same as uuid_generate_v4().",
    },
  ],
  [
    'pgcrypto',
    {
      functions: [
        'crypt',
        'gen_salt',
        'digest',
        'hmac',
        'gen_random_bytes',
        'pgp_sym_encrypt',
        'pgp_sym_decrypt',
        'pgp_pub_encrypt',
        'pgp_pub_decrypt',
      ],
      instead:
        "gen_random_uuid() and sha224() to sha512() are PostgreSQL's own; hash passwords in the application.",
    },
  ],
  [
    'citext',
    {
      names: ['citext'],
      instead: 'text with a unique index on lower(column), or a collation that is not deterministic.',
    },
  ],
  [
    'pg_trgm',
    {
      functions: ['similarity', 'word_similarity', 'strict_word_similarity', 'show_trgm'],
      names: ['gin_trgm_ops', 'gist_trgm_ops'],
      instead: 'Full text search finds words without it; LIKE inside of words then reads the whole table.',
    },
  ],
  ['hstore', { names: ['hstore'], instead: 'jsonb.' }],
  ['ltree', { names: ['ltree', 'lquery', 'ltxtquery'], instead: 'text[] with a GIN index.' }],
  [
    'unaccent',
    {
      functions: ['unaccent'],
      instead: 'A collation that ignores accents, or a column that is filled without.',
    },
  ],
  [
    'fuzzystrmatch',
    { functions: ['levenshtein', 'soundex', 'metaphone', 'dmetaphone', 'difference'], instead: NO_WAY },
  ],
  ['intarray', { names: ['gin__int_ops', 'gist__int_ops'], instead: 'The GIN index of arrays, array_ops.' }],
  ['tablefunc', { functions: ['crosstab', 'normal_rand', 'connectby'], instead: 'Aggregates with FILTER.' }],
  ['earthdistance', { functions: ['ll_to_earth', 'earth_distance', 'earth_box'], instead: NO_WAY }],
  ['postgres_fdw', { names: ['postgres_fdw'], instead: NO_WAY }],
  [
    'dblink',
    { functions: ['dblink', 'dblink_exec', 'dblink_connect'], instead: 'Foreign tables of postgres_fdw.' },
  ],
  [
    'postgis',
    {
      functions: [
        'st_makepoint',
        'st_dwithin',
        'st_distance',
        'st_setsrid',
        'st_transform',
        'st_geomfromtext',
      ],
      names: ['geometry', 'geography'],
      instead: "PostgreSQL's point, box and polygon, which know no earth.",
    },
  ],
])

export function instead(extension: string): string {
  return EXTENSION_USES.get(extension)?.instead ?? NO_WAY
}
