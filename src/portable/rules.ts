import type { Majors } from './builtins.js'
import { afterParentheses, type PlainForm } from './plain-form.js'

/** Something of PostgreSQL's language that not every major has. The manual's release notes of the major are its source. */
export interface Rule extends Majors {
  /** "MERGE" */
  readonly what: string
  /** What to write instead, for earlier majors; of what was taken out, for later ones. */
  readonly instead: string
  /** In the plain form of a statement; the finding stands where the match begins. */
  readonly pattern?: RegExp
  readonly find?: (form: PlainForm) => Iterable<number>
  /** Statements that a major either takes or refuses: run on each in CI. */
  readonly example: string
}

/** By the code that is reported; a code, once published, keeps its meaning. */
export const RULES: Readonly<Record<string, Rule>> = {
  // ---- 15
  merge: {
    what: 'MERGE',
    since: 15,
    pattern: /\bmerge into\b/g,
    instead: 'INSERT ... ON CONFLICT DO UPDATE, or an UPDATE and an INSERT ... WHERE NOT EXISTS.',
    example:
      'create table t (a int); merge into t using (values (1)) v(a) on t.a = v.a when not matched then insert values (v.a)',
  },
  'nulls-not-distinct': {
    what: 'UNIQUE NULLS [NOT] DISTINCT',
    since: 15,
    pattern: /\bnulls (?:not )?distinct\b/g,
    instead:
      'A unique index on coalesce(column, a value that never occurs), or a second one WHERE column IS NULL.',
    example: 'create table t (a int, unique nulls not distinct (a))',
  },
  'security-invoker': {
    what: 'a view with security_invoker',
    since: 15,
    pattern: /\bsecurity_invoker(?= (?:=|,|\)))/g,
    instead:
      'A function that is SECURITY INVOKER and returns the rows, or a policy that asks for current_user.',
    example: 'create view v with (security_invoker = true) as select 1 as a',
  },
  'on-delete-columns': {
    what: 'ON DELETE SET NULL or SET DEFAULT of some columns',
    since: 15,
    pattern: /\bon delete set (?:null|default) \(/g,
    instead: 'A trigger BEFORE DELETE on the referenced table that sets the columns.',
    example:
      'create table p (a int, b int, primary key (a, b)); create table c (a int, b int, foreign key (a, b) references p on delete set null (b))',
  },
  'publication-columns': {
    what: 'a publication of some columns or rows of a table',
    since: 15,
    pattern: /\b(?:create|alter) publication \S+ (?:for|add|set) table (?:(?!with\b)\S+ )*?(?:\(|where )/g,
    instead: 'Publish the whole table, or a table of its own that holds the part.',
    example: 'create table t (a int primary key, b int); create publication p for table t (a) where (a > 1)',
  },
  'publication-schema': {
    what: 'a publication of all tables in a schema',
    since: 15,
    pattern: /\b(?:for|add|set|drop|,) tables in schema\b/g,
    instead: 'Name the tables one by one.',
    example: 'create publication p for tables in schema public',
  },
  'unlogged-sequence': {
    what: 'an unlogged sequence',
    since: 15,
    pattern:
      /\bcreate unlogged sequence\b|\balter sequence (?:if exists )?\S+ (?:\. \S+ )?set (?:un)?logged\b/g,
    instead: 'A plain sequence.',
    example: 'create unlogged sequence s',
  },
  'grant-on-parameter': {
    what: 'GRANT ON PARAMETER',
    since: 15,
    pattern: /\b(?:grant|revoke) [^;]* on parameter\b/g,
    instead: 'A SECURITY DEFINER function that sets it.',
    example: 'grant set on parameter work_mem to public',
  },
  'set-access-method': {
    what: 'SET ACCESS METHOD of a table that exists',
    since: 15,
    pattern: /\bset access method (?!default\b)/g,
    instead: 'A new table of that access method, with the rows copied.',
    example: 'create table t (a int); alter table t set access method heap',
  },
  'negative-scale': {
    what: 'numeric with a negative scale',
    since: 15,
    pattern: /\b(?:numeric|decimal) \( \d+ , - \d+ \)/g,
    instead: 'round(value, -n) in a CHECK, or where the value is written.',
    example: 'create table t (a numeric(4, -2))',
  },

  // ---- 16
  'is-json': {
    what: 'IS JSON',
    since: 16,
    pattern: /\bis (?:not )?json\b/g,
    instead: 'A function that casts to jsonb and returns false on an error.',
    example: `create table t (a text check (a is json))`,
  },
  'json-constructors': {
    what: 'the JSON constructors of the SQL standard',
    since: 16,
    pattern:
      /(?<!\. )\b(?:json_array|json_arrayagg|json_objectagg) \(|(?<!\. )\bjson_object \( (?:\)|(?:[^();]|\([^();]*\))*?(?: : | value |\babsent on|\bnull on|\breturning\b))/g,
    instead: 'jsonb_build_array, jsonb_agg, jsonb_build_object and jsonb_object_agg.',
    example: `create view v as select json_array(1, 2) as a, json_object('k' : 1) as o`,
  },
  'numeric-literals': {
    what: 'numbers with another base or with underscores',
    since: 16,
    pattern: /(?<=^| )(?:0[xob][0-9a-f_]+|\d+(?:_\d+)+(?:\.\d+)?)(?= )/g,
    instead: 'Write the number in decimal digits alone; PostgreSQL 14 reads 0xff as 0 with the name xff.',
    example: 'create table t (a int default 0xff, b int default 1_000)',
  },
  'subquery-without-alias': {
    what: 'a subquery in FROM without a name',
    since: 16,
    find: namelessSubqueries,
    instead: 'Name it: FROM (SELECT ...) AS part.',
    example: 'create view v as select * from (select 1 as a)',
  },
  'statistics-without-name': {
    what: 'CREATE STATISTICS without a name',
    since: 16,
    pattern: /\bcreate statistics (?:\( [^()]* \) )?on\b/g,
    instead: 'Name it: CREATE STATISTICS name ON ...',
    example: 'create table t (a int, b int); create statistics on a, b from t',
  },
  'copy-default': {
    what: 'COPY ... (DEFAULT ...)',
    since: 16,
    pattern: /\bcopy [^;]*(?:\(|,) default 's'/g,
    instead: 'Leave the column out of the list of COPY.',
    example: `create table t (a int default 1); copy t from program 'true' with (format csv, default 'd')`,
  },
  'column-storage': {
    what: 'STORAGE where a column is made, or SET STORAGE DEFAULT',
    since: 16,
    pattern:
      /(?<!\bset )\bstorage (?:plain|external|extended|main|default)(?= [,);]|\s*$| \w)|\bset storage default\b/g,
    instead: 'ALTER TABLE ... ALTER COLUMN ... SET STORAGE after the table is made.',
    example: 'create table t (a text storage external)',
  },
  'grant-role-options': {
    what: 'GRANT of a role WITH INHERIT, SET or ADMIN TRUE',
    since: 16,
    pattern: /\bgrant [^;]* to [^;]* with (?:admin (?:true|false)|inherit|set)\b/g,
    instead: 'GRANT role TO role, with NOINHERIT on the role that gets it.',
    example: 'create role r1; create role r2; grant r1 to r2 with inherit false',
  },
  'collation-rules': {
    what: 'a collation with RULES',
    since: 16,
    pattern: /\bcreate collation [^;]*\brules =/g,
    instead: 'A locale of ICU that has what is needed (de-u-co-phonebk, en-u-kn).',
    example: `create collation c (provider = icu, locale = 'und', rules = '&a < g')`,
  },
  'system-user': {
    what: 'SYSTEM_USER',
    since: 16,
    pattern: /\bsystem_user\b(?! \()/g,
    instead: 'session_user.',
    example: 'create view v as select system_user as who',
  },
  'reindex-nameless': {
    what: 'REINDEX DATABASE without a name',
    since: 16,
    pattern: /\breindex (?:\( [^)]* \) )?(?:database|system) (?:concurrently )?(?=;|$)/g,
    instead: 'Name the database.',
    example: 'reindex database',
  },

  // ---- 17
  'merge-returning': {
    what: 'MERGE ... RETURNING',
    since: 17,
    pattern: /\breturning\b(?<=\bmerge into [^;]*)/g,
    instead: 'INSERT ... ON CONFLICT DO UPDATE ... RETURNING.',
    example:
      'create table t (a int); merge into t using (values (1)) v(a) on t.a = v.a when not matched then insert values (v.a) returning t.a',
  },
  'merge-not-matched-by-source': {
    what: 'MERGE ... WHEN NOT MATCHED BY SOURCE',
    since: 17,
    pattern: /\bwhen not matched by (?:source|target)\b/g,
    instead: 'A DELETE or UPDATE ... WHERE NOT EXISTS beside the MERGE.',
    example:
      'create table t (a int); merge into t using (values (1)) v(a) on t.a = v.a when not matched by source then delete',
  },
  'json-functions': {
    what: 'JSON_TABLE, JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_SCALAR and JSON_SERIALIZE',
    since: 17,
    pattern:
      /(?<!\. |function )\b(?:json_table|json_value|json_query|json_exists|json_scalar|json_serialize) \(/g,
    instead: 'jsonb_path_query, jsonb_path_exists, jsonb_to_recordset and the operators -> and ->>.',
    example: `create view v as select * from json_table('[1]'::jsonb, '$[*]' columns (a int path '$')) j`,
  },
  'maintain-privilege': {
    what: 'the privilege MAINTAIN',
    since: 17,
    pattern: /\b(?:grant|revoke) (?:[^;]*[ ,] ?)?maintain (?=,|on )/g,
    instead: 'Make the role a member of the owner, or give it a SECURITY DEFINER function.',
    example: 'create table t (a int); grant maintain on t to public',
  },
  'copy-on-error': {
    what: 'COPY ... (ON_ERROR ...)',
    since: 17,
    pattern: /\bcopy [^;]*(?:\(|,) (?:on_error|log_verbosity)\b/g,
    instead: 'COPY into a table of text columns, and INSERT what can be cast.',
    example: `create table t (a int); copy t from program 'true' with (on_error ignore)`,
  },
  'collation-builtin': {
    what: "a collation of PostgreSQL's own provider",
    since: 17,
    pattern: /\bprovider = '?builtin\b/g,
    instead: 'provider = icu, or the collations "C" and ucs_basic.',
    example: `create collation c (provider = builtin, locale = 'C.UTF-8')`,
  },
  'set-expression': {
    what: 'SET EXPRESSION of a generated column',
    since: 17,
    pattern: /\bset expression as\b/g,
    instead: 'Drop the column and add it again.',
    example:
      'create table t (a int, b int generated always as (a * 2) stored); alter table t alter column b set expression as (a * 3)',
  },
  'at-local': {
    what: 'AT LOCAL',
    since: 17,
    pattern: /\bat local\b/g,
    instead: `AT TIME ZONE current_setting('TimeZone').`,
    example: 'create view v as select now() at local as here',
  },
  'random-range': {
    what: 'random(from, to)',
    since: 17,
    pattern: /(?<!function )\brandom \( (?!\))/g,
    instead: 'floor(random() * (to - from + 1))::int + from.',
    example: 'create view v as select random(1, 6) as dice',
  },
  'interval-infinity': {
    what: 'an infinite interval',
    since: 17,
    pattern: /\binterval '-?infinity'|'-?infinity' :: interval\b/g,
    instead: 'NULL, or an interval that is long enough.',
    example: `create view v as select interval 'infinity' as ever`,
  },
  'set-default-of-table': {
    what: 'SET STATISTICS DEFAULT or SET ACCESS METHOD DEFAULT',
    since: 17,
    pattern: /\bset (?:statistics|access method) default\b/g,
    instead: 'SET STATISTICS -1; SET ACCESS METHOD heap.',
    example: 'create table t (a int); alter table t alter column a set statistics default',
  },
  'exclude-on-partitioned': {
    what: 'an exclusion constraint of a partitioned table',
    since: 17,
    pattern: /\bexclude (?:using \S+ )?\((?=[^;]*\) partition by\b)/g,
    instead: 'The constraint on each partition.',
    example: 'create table t (a int4range, exclude using gist (a with =)) partition by list (a)',
  },
  'event-trigger-login': {
    what: 'an event trigger ON LOGIN',
    since: 17,
    pattern: /\bcreate event trigger \S+ on login\b/g,
    instead: 'ALTER ROLE ... SET for what is to be set; the application or the pooler for the rest.',
    example: `create function f() returns event_trigger language plpgsql as 'begin end'; create event trigger e on login execute function f(); drop event trigger e`,
  },
  'alter-operator': {
    what: 'ALTER OPERATOR ... SET (COMMUTATOR, NEGATOR, MERGES, HASHES)',
    since: 17,
    pattern: /\balter operator [^;]* set \( (?:[^;]*, )?(?:commutator|negator|merges|hashes)\b/g,
    instead: 'Say so where the operator is created.',
    example:
      'create operator === (function = int4eq, leftarg = int, rightarg = int); alter operator === (int, int) set (hashes)',
  },

  // ---- 18
  'virtual-generated': {
    what: 'a virtual generated column',
    since: 18,
    find: virtualColumns,
    instead:
      'STORED, or a view that computes it. (From 18 on a generated column is virtual unless it says STORED.)',
    example: 'create table t (a int, b int generated always as (a * 2) virtual)',
  },
  'not-enforced': {
    what: 'a constraint that is NOT ENFORCED',
    since: 18,
    pattern: /\bnot enforced\b|\) enforced\b|\balter constraint \S+ enforced\b/g,
    instead: 'Leave the constraint out, or add it NOT VALID, which holds for new rows.',
    example: 'create table t (a int, check (a > 0) not enforced)',
  },
  'not-null-constraint': {
    what: 'NOT NULL as a constraint of the table, NOT VALID or NO INHERIT',
    since: 18,
    pattern:
      /(?<=[(,] |\badd )(?:constraint \S+ )?not null \S+ (?=\)|,|;|$|not valid|no inherit)|\bnot null no inherit\b/g,
    instead:
      'NOT NULL at the column; without reading the rows under a lock: CHECK (column IS NOT NULL) NOT VALID, VALIDATE, then SET NOT NULL.',
    example: 'create table t (a int); alter table t add constraint a_known not null a not valid',
  },
  'temporal-key': {
    what: 'WITHOUT OVERLAPS and PERIOD',
    since: 18,
    pattern: /\bwithout overlaps\b|(?<=[(,] )period \S+ \)/g,
    instead: 'An exclusion constraint: EXCLUDE USING gist (key WITH =, during WITH &&), with btree_gist.',
    example: 'create table t (a int4range, b daterange, primary key (a, b without overlaps))',
  },
  'returning-old-new': {
    what: 'RETURNING old and new',
    since: 18,
    find: oldAndNew,
    instead: 'A CTE that reads the old row FOR UPDATE, joined to the UPDATE ... RETURNING.',
    example: 'create table t (a int); update t set a = 1 returning old.a, new.a',
  },
  'alter-constraint-inherit': {
    what: 'ALTER CONSTRAINT ... [NO] INHERIT',
    since: 18,
    pattern: /\balter constraint \S+ (?:no )?inherit\b/g,
    instead: 'Drop the constraint and add it again.',
    example:
      'create table t (a int constraint a_known not null no inherit); alter table t alter constraint a_known inherit',
  },
  'foreign-table-like': {
    what: 'CREATE FOREIGN TABLE ... (LIKE ...)',
    since: 18,
    pattern: /\bcreate foreign table [^;]*[(,] like\b/g,
    instead: 'Write the columns out.',
    example:
      'create table t (a int); create foreign data wrapper w; create server s foreign data wrapper w; create foreign table f (like t) server s',
  },
  'publish-generated-columns': {
    what: 'a publication of generated columns',
    since: 18,
    pattern: /\bpublish_generated_columns\b/g,
    instead: 'Let the subscriber generate them.',
    example: 'create publication p for all tables with (publish_generated_columns = stored)',
  },
  'large-object-defaults': {
    what: 'ALTER DEFAULT PRIVILEGES ... ON LARGE OBJECTS',
    since: 18,
    pattern: /\balter default privileges [^;]* on large objects\b/g,
    instead: 'GRANT on each large object, or lo_compat_privileges.',
    example: 'alter default privileges grant select on large objects to public',
  },
  'copy-reject-limit': {
    what: 'COPY ... (REJECT_LIMIT ...)',
    since: 18,
    pattern: /\bcopy [^;]*(?:\(|,) reject_limit\b/g,
    instead: 'COPY into a table of text columns, and INSERT what can be cast.',
    example: `create table t (a int); copy t from program 'true' with (on_error ignore, reject_limit 3)`,
  },
  'vacuum-only': {
    what: 'VACUUM or ANALYZE ONLY',
    since: 18,
    pattern: /\b(?:vacuum|analyze) (?:\( [^)]* \) )?only\b/g,
    instead: 'VACUUM or ANALYZE, which goes through the partitions as well.',
    example: 'create table t (a int); analyze only t',
  },

  // ---- taken out
  'unlogged-partitioned': {
    what: 'a partitioned table that is UNLOGGED',
    until: 17,
    pattern: /\bcreate unlogged table [^;]*\) partition by\b/g,
    instead: 'UNLOGGED at each partition: on the partitioned table it never did anything.',
    example: 'create unlogged table t (a int) partition by list (a)',
  },
}

// ---- what takes more than a pattern

/** GENERATED ALWAYS AS (...) and anything but STORED. */
function* virtualColumns({ text }: PlainForm): Iterable<number> {
  for (const { index } of text.matchAll(/\bgenerated always as \(/g)) {
    const end = afterParentheses(text, text.indexOf('(', index))
    if (!text.startsWith('stored', end)) yield index
  }
}

const TAKES_FROM = /\b(?:extract|substring|trim|overlay|position) \([^()]*$/
/** What can follow a subquery that has no name. */
const FOLLOWS =
  /^(?:[);,]|(?:where|join|inner|left|right|full|cross|natural|group|order|limit|having|union|except|intersect|on|using|window|offset|fetch|for|returning)\b|$)/

function* namelessSubqueries({ text }: PlainForm): Iterable<number> {
  for (const { index, 0: match } of text.matchAll(
    /(?<!\bdistinct )\b(?:from|join) (?:lateral )?\( (?=select\b|values\b|with\b)/g,
  )) {
    if (TAKES_FROM.test(text.slice(0, index))) continue
    const open = index + match.lastIndexOf('(')
    if (FOLLOWS.test(text.slice(afterParentheses(text, open)))) yield open
  }
}

/** In a trigger or a rule, OLD and NEW are something else. */
function* oldAndNew({ text, isBody }: PlainForm): Iterable<number> {
  if (isBody || /\bcreate (?:or replace )?rule\b/.test(text)) return
  for (const { index } of text.matchAll(/\breturning (?:with \( (?:old|new) as\b|[^;]*?\b(?:old|new) \.)/g))
    yield index
}
