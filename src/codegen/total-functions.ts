/** What a proof needs to know of one of PostgreSQL's own functions. */
export interface RoutineFacts {
  readonly name: string
  readonly strict: boolean
  /** Names of its parameters' types. */
  readonly arguments: readonly string[]
  /** It is PostgreSQL's own, and does what its name says. */
  readonly builtIn: boolean
}

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Of these types some operator or function gives NULL for what is not: a missing key, a null within, lines that do not meet. */
const PARTIAL_TYPES = words('json jsonb jsonpath xml point lseg line box path polygon circle refcursor')

const OPERATORS = words(
  '= <> < <= > >= + - * / % ^ || ~~ !~~ ~~* !~~* ~ !~ ~* !~* && @> <@ << >> & | # @@ -|- ^@ @ |/ ||/',
)

/** An operator gives a value for every pair of values. */
export function isTotalOperator(operator: string, routine: RoutineFacts): boolean {
  if (!routine.builtIn) return false
  if (routine.arguments.some((type) => PARTIAL_TYPES.has(type)))
    return (
      JSON_OPERATORS.has(operator) &&
      routine.arguments.every((type) => type !== 'jsonpath' && !GEOMETRIC.has(type))
    )
  return OPERATORS.has(operator)
}

const JSON_OPERATORS = words('= <> < <= > >= @> <@ ? ?| ?& || - #-')
const GEOMETRIC = words('point lseg line box path polygon circle xml')

/** With values for all arguments they give a value, or an error, but never NULL. */
const FUNCTIONS = words(`
  lower upper initcap length char_length character_length octet_length bit_length btrim ltrim rtrim replace substr left right lpad rpad
  repeat reverse md5 sha224 sha256 sha384 sha512 quote_ident quote_literal translate ascii chr strpos starts_with split_part
  to_hex encode decode normalize regexp_replace regexp_count regexp_like
  abs ceil ceiling floor round trunc sign mod div power pow sqrt cbrt exp ln log log10 gcd lcm degrees radians pi random
  sin cos tan asin acos atan atan2
  now transaction_timestamp statement_timestamp clock_timestamp timeofday timezone date_trunc date_bin make_date make_time
  make_timestamp make_interval age justify_days justify_hours justify_interval isfinite to_timestamp to_date
  int2 int4 int8 float4 float8 numeric text varchar bpchar name date timestamp timestamptz time timetz interval bool char oid
  cardinality array_to_string array_append array_prepend array_cat array_remove array_replace string_to_array
  gen_random_uuid uuidv4 uuidv7 pg_typeof width_bucket hashtext isempty lower_inc upper_inc
  int4range int8range numrange tsrange tstzrange daterange
  txid_current pg_backend_pid version current_database
`)

/** They look at NULLs themselves, and always give a value. */
const NEVER_NULL = words(
  'concat json_build_object jsonb_build_object json_build_array jsonb_build_array num_nulls num_nonnulls quote_nullable',
)

const JSON_FUNCTIONS = words(
  'jsonb_typeof json_typeof jsonb_array_length json_array_length jsonb_pretty to_json to_jsonb row_to_json array_to_json jsonb_set jsonb_insert',
)

const NUMBERS = words('int2 int4 int8 float4 float8 numeric')

/** Fields that even infinity has. */
const MONOTONIC_FIELDS = words('epoch year decade century millennium julian isoyear')

/**
 * A call gives a value. `texts` are the arguments that are constant texts; `isNotNull` asks about one argument, of `count`.
 */
export function isTotalFunction(
  routine: RoutineFacts,
  texts: readonly (string | undefined)[],
  isNotNull: (index: number) => boolean,
  count: number,
): boolean {
  const { name } = routine
  if (!routine.builtIn) return false
  if (NEVER_NULL.has(name)) return true
  if (name === 'concat_ws' || name === 'format') return isNotNull(0)
  const every = (): boolean => Array.from({ length: count }, (_, index) => index).every(isNotNull)
  if (name === 'extract' || name === 'date_part') {
    const timeless = routine.arguments[1] === 'time' || routine.arguments[1] === 'timetz'
    return (timeless || MONOTONIC_FIELDS.has((texts[0] ?? '').toLowerCase())) && every()
  }
  // substring(text from pattern) is NULL where nothing matches; by position it never is. Of a range, lower and upper may be missing.
  if (name === 'substring') return routine.arguments.slice(1).every((type) => type === 'int4') && every()
  // to_char is NULL for what is infinite, which a number is not.
  if (name === 'to_char') return NUMBERS.has(routine.arguments[0] ?? '') && every()
  if ((name === 'lower' || name === 'upper') && routine.arguments[0] !== 'text') return false
  if (routine.arguments.some((type) => PARTIAL_TYPES.has(type))) return JSON_FUNCTIONS.has(name) && every()
  return (FUNCTIONS.has(name) || JSON_FUNCTIONS.has(name)) && every()
}

/** always: also over no rows. collects: over one row or more. values: over one row or more, when no input is NULL. */
export function isTotalAggregate(name: string): 'always' | 'collects' | 'values' | 'never' {
  if (name === 'count' || name === 'regr_count') return 'always'
  if (COLLECTING.has(name)) return 'collects'
  return VALUES.has(name) ? 'values' : 'never'
}

const COLLECTING = words('array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg')
const VALUES = words(`
  sum avg min max bool_and bool_or every bit_and bit_or bit_xor string_agg stddev_pop var_pop percentile_cont percentile_disc mode
  any_value range_agg
`)
