import { parseDuration } from '../duration.js'
import { nearestName, problem, throwProblems, type DbkitError } from '../errors.js'
import { LAYOUTS } from '../workspace/layouts/names.js'
import type { CommittedFormat, DbkitConfig } from './define-config.js'

interface Rule {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

/** Keys and what they hold; `each`: any keys, each holding the same. */
interface Keys {
  readonly [key: string]: Shape
}
interface Each {
  readonly each: Keys
  readonly required: readonly string[]
}
type Shape = Rule | Keys | Each

const text: Rule = {
  expected: 'a non-empty string',
  holds: (value) => typeof value === 'string' && value !== '',
}
const flag: Rule = { expected: 'true or false', holds: (value) => typeof value === 'boolean' }
const wholeNumber: Rule = {
  expected: 'a whole number from 0',
  holds: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0,
}
const time: Rule = {
  expected: 'a time like "5s", "500ms" or milliseconds',
  holds: (value) =>
    typeof value === 'string' ? parseDuration(value) !== undefined : wholeNumber.holds(value),
}
const name: Rule = {
  expected: 'a name of at most 63 bytes',
  holds: (value) =>
    typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= 63 && !value.includes('\0'),
}
/** Names schemas and nothing else: the value stands in SET LOCAL search_path. */
const schemas: Rule = {
  expected: 'a list of schema names like "$user", public',
  holds: (value) =>
    typeof value === 'string' &&
    /^\s*(?:"[^"\0]+"|[a-z_][\w$]*)(?:\s*,\s*(?:"[^"\0]+"|[a-z_][\w$]*))*\s*$/i.test(value),
}

const typeName = /^[\p{L}_$][\p{L}\p{N}_$]*$/u
const isTextMap = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((one) => typeof one === 'string' && one !== '')
const rowNames: Rule = {
  expected: 'an object of names that TypeScript takes',
  holds: (value) =>
    isObject(value) && Object.values(value).every((one) => typeof one === 'string' && typeName.test(one)),
}
const imports: Rule = {
  expected: 'an object of type names and the modules they come from',
  holds: (value) => isTextMap(value) && Object.keys(value as object).every((key) => typeName.test(key)),
}
const overrides: Rule = {
  expected: "an object like { columns: { 'table.column': 'Type' } }",
  holds: (value) =>
    isObject(value) &&
    Object.entries(value).every(([key, columns]) => key === 'columns' && isTextMap(columns)),
}
const oneOf = (...values: readonly (string | boolean)[]): Rule => ({
  expected: `one of ${values.map(String).join(', ')}`,
  holds: (value) => values.includes(value as string | boolean),
})
const types: Rule = {
  expected: 'an object of TypeScript types by the names of PostgreSQL types',
  holds: isTextMap,
}
const isPatternOrWord = (key: string): boolean => {
  const [, source, flags] = /^\/(.*)\/(.*)$/.exec(key) ?? []
  if (source === undefined) return key !== ''
  try {
    return new RegExp(source, flags) instanceof RegExp
  } catch {
    return false
  }
}
const singularRules: Rule = {
  expected:
    "true, false, or an object of plural words or /patterns/ and what they become, like { beeves: 'beef' }",
  holds: (value) =>
    typeof value === 'boolean' || (isTextMap(value) && Object.keys(value as object).every(isPatternOrWord)),
}
const shapes: Rule = {
  expected: 'a file, or an object of TypeScript types and JSON Schemas by "table.column"',
  holds: (value) => text.holds(value) || isShapes(value),
}
const versions: Rule = {
  expected: "an object of seed sets and versions like { reference: '0002' }",
  holds: (value) =>
    isObject(value) &&
    Object.values(value).every((one) => typeof one === 'string' && /^\d+(?:[_-][A-Za-z0-9_-]+)?$/.test(one)),
}
const textList: Rule = {
  expected: 'a list of names',
  holds: (value) => Array.isArray(value) && value.every((one) => text.holds(one)),
}

const COMMITTED: readonly CommittedFormat[] = ['markdown', 'mermaid', 'dbml', 'dot', 'svg']
const formats: Rule = {
  expected: `a list of ${COMMITTED.join(', ')}`,
  holds: (value) =>
    Array.isArray(value) && value.every((one) => (COMMITTED as readonly unknown[]).includes(one)),
}
const percent: Rule = {
  expected: 'true, false, or a percentage from 0 to 100',
  holds: (value) => typeof value === 'boolean' || (typeof value === 'number' && value >= 0 && value <= 100),
}

/** Shapes of JSON columns, as a configuration or a file of its own gives them. */
export function isShapes(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((one) => text.holds(one) || isObject(one))
}

const pool: Rule = {
  expected: 'an object like { size: 20, overflow: 10, instances: 4 }',
  holds: (value) =>
    isObject(value) &&
    value['size'] !== undefined &&
    Object.entries(value).every(
      ([key, number]) => ['size', 'overflow', 'instances'].includes(key) && wholeNumber.holds(number),
    ),
}
const span: Rule = {
  expected: 'a span like "90 days" or "1 month"',
  holds: (value) => typeof value === 'string' && /^[1-9]\d{0,4} (?:hour|day|week|month|year)s?$/.test(value),
}
const positive: Rule = {
  expected: 'a whole number from 1',
  holds: (value) => wholeNumber.holds(value) && value !== 0,
}
const byTable = (each: Keys, required: readonly string[]): Each => ({ each, required })
const upkeep = { every: span, tables: textList }
const reasons: Rule = {
  expected: "an object of findings and reasons like { 'redundant-index public.loads_status': 'documented' }",
  holds: (value) => isTextMap(value) && Object.keys(value as object).every((key) => /^[a-z-]+ ./.test(key)),
}

const variables: Rule = {
  expected: 'a list of names of environment variables',
  holds: (value) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string' && /^[A-Za-z_]\w*$/.test(one)),
}
const SOURCES = ['targets', 'env', 'file', 'query', 'schemas', 'schemaQuery']
const fleet: Rule = {
  expected: `an object with one of ${SOURCES.join(', ')}, and canaries and concurrency if wanted`,
  holds: (value) =>
    isObject(value) &&
    SOURCES.filter((key) => value[key] !== undefined).length === 1 &&
    Object.entries(value).every(([key, one]) =>
      key === 'concurrency'
        ? wholeNumber.holds(one) && one !== 0
        : ['targets', 'schemas', 'canaries'].includes(key)
          ? textList.holds(one)
          : SOURCES.includes(key) && text.holds(one),
    ),
}
const isHook = (value: unknown): boolean =>
  isTextMap(value) && ['sql', 'file', 'command'].includes(Object.keys(value as object).join())
const hook: Rule = {
  expected: "{ sql: '...' }, { file: '...' } or { command: '...' }, or a list of them",
  holds: (value) => (Array.isArray(value) ? value.every(isHook) : isHook(value)),
}

const DATABASE_KEYS: Keys = {
  migrations: text,
  substitute: variables,
  hooks: { beforeRun: hook, afterRun: hook, beforeMigration: hook, afterMigration: hook },
  fleet,
  layout: oneOf('auto', ...LAYOUTS),
  placeholders: {
    expected: 'an object of texts',
    holds: (value) => isObject(value) && Object.values(value).every((one) => typeof one === 'string'),
  },
  seeds: text,
  seedsFrom: versions,
  bench: text,
  generate: text,
  mongo: text,
  url: text,
  databaseName: name,
  embedded: flag,
  ledger: { schema: name, table: name },
  searchPath: schemas,
  timeZone: text,
  lockTimeout: time,
  lockRetries: wholeNumber,
  statementTimeout: time,
  lockWait: time,
  templates: wholeNumber,
  pool,
  doctor: { accept: reasons },
  maintenance: {
    vacuum: upkeep,
    analyze: upkeep,
    reindex: upkeep,
    refresh: upkeep,
    archive: byTable({ into: text, column: text, olderThan: span, batch: positive }, [
      'into',
      'column',
      'olderThan',
    ]),
    retention: byTable({ column: text, olderThan: span, batch: positive, cascade: flag }, [
      'column',
      'olderThan',
    ]),
    partitions: byTable({ every: oneOf('day', 'week', 'month', 'year'), ahead: wholeNumber, keep: span }, [
      'every',
    ]),
  },
  codegen: {
    out: text,
    camelCase: flag,
    names: rowNames,
    overrides,
    customImports: imports,
    jsonTypes: shapes,
    exclude: textList,
    infinity: flag,
    emitter: oneOf('dbkit', 'kysely-codegen'),
    validators: flag,
    singularize: singularRules,
    runtimeEnums: oneOf(true, false, 'pascal-case', 'screaming-snake-case'),
    typeMapping: types,
    numericParser: oneOf('string', 'number', 'number-or-string'),
    dateParser: oneOf('timestamp', 'string'),
  },
  docs: { out: text, formats, requireComments: percent },
}

/** A loaded configuration, checked key by key. Fails with `config.invalid` naming each key, what it is and what was expected. */
export function checkConfig(value: unknown, file: string): DbkitConfig {
  const problems: DbkitError[] = []
  const refuse = (key: string, seen: unknown, expected: string, nearest?: string): void => {
    problems.push(problem('config.invalid', { file, key, seen: describe(seen), expected, nearest }))
  }
  const unknownKeys = (path: string, seen: object, known: readonly string[]): void => {
    for (const key of Object.keys(seen))
      if (!known.includes(key))
        problems.push(
          problem('config.invalid', {
            file,
            key: path === '' ? key : `${path}.${key}`,
            seen: 'an unknown key',
            expected: `one of ${known.join(', ')}`,
            nearest: nearestName(key, known),
          }),
        )
  }
  const check = (path: string, seen: unknown, rule: Shape): void => {
    if (seen === undefined) return
    if (isRule(rule)) {
      if (!rule.holds(seen)) refuse(path, seen, rule.expected)
    } else if (isEach(rule)) {
      if (!isObject(seen))
        refuse(path, seen, `an object by table, with ${Object.keys(rule.each).join(', ')} in each`)
      else
        for (const [key, inner] of Object.entries(seen)) {
          check(`${path}.${key}`, inner, rule.each)
          for (const needed of isObject(inner) ? rule.required : [])
            if ((inner as Record<string, unknown>)[needed] === undefined)
              refuse(`${path}.${key}.${needed}`, undefined, expectedOf(rule.each[needed]))
        }
    } else if (isObject(seen)) {
      unknownKeys(path, seen, Object.keys(rule))
      for (const [key, inner] of Object.entries(rule)) check(`${path}.${key}`, seen[key], inner)
    } else refuse(path, seen, `an object with ${Object.keys(rule).join(', ')}`)
  }

  if (!isObject(value)) {
    refuse('the default export', value, 'an object: export default defineConfig({ databases: { ... } })')
  } else {
    unknownKeys('', value, ['databases'])
    const databases = value['databases']
    if (!isObject(databases) || Object.keys(databases).length === 0)
      refuse('databases', databases, 'an object with a key for each database')
    else
      for (const [database, options] of Object.entries(databases)) {
        // The name becomes a folder of .dbkit/ and an environment variable.
        if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(database))
          refuse(
            `databases.${database}`,
            database,
            'a name of letters, digits, - and _ that starts with a letter',
          )
        check(`databases.${database}`, options, DATABASE_KEYS)
      }
  }
  throwProblems(problems)
  return value as DbkitConfig
}

function isRule(rule: Shape): rule is Rule {
  return 'holds' in rule && typeof rule.holds === 'function'
}

function isEach(rule: Keys | Each): rule is Each {
  return Array.isArray(rule.required)
}

function expectedOf(rule: Shape | undefined): string {
  return rule !== undefined && isRule(rule) ? rule.expected : 'an object'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing'
  if (typeof value === 'string') return `"${value.replace(/:\/\/([^:@/]*):[^@/]*@/, '://$1:***@')}"`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'number' || typeof value === 'boolean' || value === null
    ? String(value)
    : `a ${typeof value}`
}
