/** What a value is in TypeScript: as it is read, and as it may be written. */
export interface Mapped {
  readonly read: string
  readonly write: string
}

const plain = (type: string): Mapped => ({ read: type, write: type })

/**
 * PostgreSQL's own types as `pg` returns them by default, and takes them as a parameter. Whatever is not here comes as text. The names in
 * capitals (IntervalValue, JsonValue, ...) are declared at the head of the generated file, where they are used.
 */
const SCALARS: Readonly<Record<string, Mapped>> = {
  bool: plain('boolean'),
  int2: plain('number'),
  int4: plain('number'),
  oid: plain('number'),
  float4: plain('number'),
  float8: plain('number'),
  int8: { read: 'string', write: 'bigint | number | string' },
  numeric: { read: 'string', write: 'number | string' },
  date: { read: 'Date', write: 'Date | string' },
  timestamp: { read: 'Date', write: 'Date | string' },
  timestamptz: { read: 'Date', write: 'Date | string' },
  interval: { read: 'IntervalValue', write: 'IntervalValue | string' },
  bytea: { read: 'Buffer', write: 'Uint8Array' },
  json: { read: 'JsonValue', write: 'JsonInput' },
  jsonb: { read: 'JsonValue', write: 'JsonInput' },
  point: { read: 'PointValue', write: 'string' },
  circle: { read: 'CircleValue', write: 'string' },
}

const TEXT = plain('string')

/** Arrays that `pg` takes apart. Any other comes as one text: {a,b}. */
const ARRAYS: Readonly<Record<string, Mapped>> = {
  ...Object.fromEntries(
    'bool int2 int4 oid float4 float8 int8 date timestamp timestamptz interval bytea point json jsonb'
      .split(' ')
      .map((name) => [name, SCALARS[name] ?? TEXT]),
  ),
  // As floating point, other than a single one.
  numeric: { read: 'number', write: 'number | string' },
  ...Object.fromEntries(
    'bpchar varchar text macaddr inet cidr uuid money time timetz numrange regproc'
      .split(' ')
      .map((name) => [name, TEXT]),
  ),
}

export function scalarType(schema: string, name: string): Mapped {
  return (schema === 'pg_catalog' ? SCALARS[name] : undefined) ?? TEXT
}

/** Undefined: it comes as text. */
export function arrayElementType(schema: string, name: string): Mapped | undefined {
  return schema === 'pg_catalog' ? ARRAYS[name] : undefined
}

/** Declarations that generated files may need; each names the others that it needs. */
export const DECLARATIONS: Readonly<
  Record<string, { readonly text: string; readonly needs: readonly string[] }>
> = {
  Generated: {
    text: `/** A column with a default: it may be left out of an insert. */
export type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U>
    ? ColumnType<S, I | undefined, U>
    : ColumnType<T, T | undefined, T>`,
    needs: ['ColumnType'],
  },
  Int8: {
    text: `/** A 64-bit integer: read as a string, because a number cannot hold every one of them. */
export type Int8 = ColumnType<string, bigint | number | string, bigint | number | string>`,
    needs: ['ColumnType'],
  },
  Numeric: {
    text: `/** An exact number: read as a string, with all its digits. */
export type Numeric = ColumnType<string, number | string, number | string>`,
    needs: ['ColumnType'],
  },
  Timestamp: {
    text: `/** A date or a moment. */
export type Timestamp = ColumnType<Date, Date | string, Date | string>`,
    needs: ['ColumnType'],
  },
  IntervalValue: {
    text: `/** An interval as it is read: only the parts that are not zero are there. */
export interface IntervalValue {
  years?: number
  months?: number
  days?: number
  hours?: number
  minutes?: number
  seconds?: number
  milliseconds?: number
  /** As PostgreSQL reads it. */
  toPostgres(): string
  /** ISO 8601. */
  toISOString(): string
}`,
    needs: [],
  },
  Interval: {
    text: `export type Interval = ColumnType<IntervalValue, IntervalValue | string, IntervalValue | string>`,
    needs: ['ColumnType', 'IntervalValue'],
  },
  Bytea: {
    text: `export type Bytea = ColumnType<Buffer, Uint8Array, Uint8Array>`,
    needs: ['ColumnType'],
  },
  PointValue: { text: `export interface PointValue {\n  x: number\n  y: number\n}`, needs: [] },
  Point: {
    text: `/** Written as PostgreSQL writes it: (1,2). */
export type Point = ColumnType<PointValue, string, string>`,
    needs: ['ColumnType', 'PointValue'],
  },
  CircleValue: {
    text: `export interface CircleValue {\n  x: number\n  y: number\n  radius: number\n}`,
    needs: [],
  },
  Circle: {
    text: `/** Written as PostgreSQL writes it: <(1,2),3>. */
export type Circle = ColumnType<CircleValue, string, string>`,
    needs: ['ColumnType', 'CircleValue'],
  },
  JsonPrimitive: { text: `export type JsonPrimitive = boolean | number | string | null`, needs: [] },
  JsonObject: {
    text: `export interface JsonObject {\n  [key: string]: JsonValue | undefined\n}`,
    needs: ['JsonValue'],
  },
  JsonArray: { text: `export type JsonArray = JsonValue[]`, needs: ['JsonValue'] },
  JsonValue: {
    text: `export type JsonValue = JsonArray | JsonObject | JsonPrimitive`,
    needs: ['JsonArray', 'JsonObject', 'JsonPrimitive'],
  },
  JsonText: {
    text: `/**
 * A value as JSON text: json(value) of dbkit/client makes it. Lists and strings have to be written so, because the driver
 * sends an array as an array of PostgreSQL, and a string as it is.
 */
export type JsonText<T> = string & { readonly __json: T }`,
    needs: [],
  },
  JsonInput: {
    text: `export type JsonInput = JsonObject | JsonText<JsonValue> | boolean | number`,
    needs: ['JsonObject', 'JsonText', 'JsonValue'],
  },
  Json: {
    text: `export type Json<T = JsonValue> = ColumnType<T, JsonInputOf<T>, JsonInputOf<T>>`,
    needs: ['ColumnType', 'JsonValue', 'JsonInputOf'],
  },
  JsonInputOf: {
    text: `/** An object is written as it is; anything else as JSON text. */
export type JsonInputOf<T> = JsonText<T> | Exclude<T, JsonArray | readonly unknown[] | string | null>`,
    needs: ['JsonText', 'JsonArray'],
  },
  ArrayColumn: {
    text: `/** An array whose elements are written otherwise than they are read. */
export type ArrayColumn<S, I> = ColumnType<S[], readonly I[], readonly I[]>`,
    needs: ['ColumnType'],
  },
  TextColumn: {
    text: `/** Read as PostgreSQL writes it. */
export type TextColumn<I> = ColumnType<string, I, I>`,
    needs: ['ColumnType'],
  },
  Routine: {
    text: `/** A function or procedure of the database; call(db, routine, args) of dbkit/client calls it. */
export interface Routine<Args, Result> {
  readonly schema: string
  readonly name: string
  readonly kind: 'function' | 'procedure'
  readonly parameters: readonly RoutineParameter[]
  readonly returns: 'nothing' | 'value' | 'values' | 'row' | 'rows'
  readonly __args?: (args: Args) => void
  readonly __result?: Result
}`,
    needs: ['RoutineParameter'],
  },
  RoutineParameter: {
    text: `export interface RoutineParameter {
  readonly name: string | undefined
  readonly type: string
  readonly mode: 'in' | 'inout' | 'out' | 'variadic'
}`,
    needs: [],
  },
}
