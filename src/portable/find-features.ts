import { tokensOf, type Statement } from '../workspace/statements.js'
import {
  describeMajors,
  EXTENSIONS,
  FUNCTIONS,
  lacks,
  ROLES,
  SETTINGS,
  SYSTEM_RELATIONS,
  type Majors,
} from './builtins.js'
import { EXTENSION_USES, instead as insteadOf } from './extensions.js'
import { plainForms, type PlainForm } from './plain-form.js'
import { RULES } from './rules.js'

/** A use of something that the target lacks. */
export interface Lack {
  readonly code: string
  /** "MERGE" */
  readonly what: string
  /** "PostgreSQL 15 or later", "the extension pg_trgm" */
  readonly needs: string
  readonly instead: string
  /** UTF-16 index in the file. */
  readonly index: number
}

export interface PortableTarget {
  readonly major: number
  /** Those that can be had there; undefined: any. */
  readonly extensions: ReadonlySet<string> | undefined
}

/** What the files define themselves: a function of that name is theirs. */
export function definedFunctions(statements: readonly Statement[]): ReadonlySet<string> {
  const names = statements.flatMap(({ words }) => {
    const found = /^create (?:or replace )?(?:function|procedure|aggregate) (.*)$/.exec(words.join(' '))
    return found?.[1]?.split(' ').slice(0, 2) ?? []
  })
  return new Set(names)
}

export function findLacks(
  statement: Statement,
  target: PortableTarget,
  defined: ReadonlySet<string>,
): readonly Lack[] {
  const forms = plainForms(statement)
  const lacking = [
    ...forms.flatMap((form) => [
      ...languageLacks(form, target.major),
      ...functionLacks(form, target.major, defined),
      ...namedLacks(form, target.major),
      ...usesOfExtensions(form, target.extensions, defined),
    ]),
    ...extensionLacks(statement, target),
  ]
  const seen = new Set<string>()
  return lacking
    .sort((a, b) => a.index - b.index)
    .filter(({ code, index }) => {
      const id = `${code} ${String(index)}`
      if (seen.has(id)) return false
      seen.add(id)
      return true
    })
}

function languageLacks(form: PlainForm, major: number): readonly Lack[] {
  return Object.entries(RULES).flatMap(([code, rule]) => {
    if (!lacks(rule, major)) return []
    const matches = rule.pattern === undefined ? [] : [...form.text.matchAll(rule.pattern)]
    const found = [...matches.map(({ index }) => index), ...(rule.find?.(form) ?? [])]
    return found.map((index) => ({
      code,
      what: rule.what,
      needs: describeMajors(rule),
      instead: rule.instead,
      index: form.place(index),
    }))
  })
}

const CALL = /(?<=(\S+) )(?:pg_catalog \. )?\b([a-z_][a-z_0-9]*) \(/g
/** Before a name with parentheses that is no call. */
const NO_CALL =
  /^(?:\.|function|procedure|routine|aggregate|table|into|references|on|only|exists|view|update|type|as|index|trigger|constraint|key|unique)$/

function* callsIn({ text }: PlainForm): Iterable<{ readonly name: string; readonly index: number }> {
  for (const match of ` ${text}`.matchAll(new RegExp(CALL, 'g'))) {
    const [, previous = '', name = ''] = match
    if (!NO_CALL.test(previous)) yield { name, index: Math.max(0, match.index - 1) }
  }
}

function functionLacks(form: PlainForm, major: number, defined: ReadonlySet<string>): readonly Lack[] {
  return [...callsIn(form)].flatMap(({ name, index }) => {
    const majors = FUNCTIONS.get(name)
    if (majors === undefined || !lacks(majors, major) || defined.has(name)) return []
    return [missing('function', `the function ${name}()`, majors, FUNCTION_INSTEAD[name], form.place(index))]
  })
}

const FUNCTION_INSTEAD: Readonly<Record<string, string>> = {
  uuidv7: 'gen_random_uuid(), or a function of your own that puts the time in front.',
  uuidv4: 'gen_random_uuid().',
  any_value: 'min() or max(), or (array_agg(x))[1].',
  date_add: 'timestamptz + interval, with the time zone set.',
  date_subtract: 'timestamptz - interval, with the time zone set.',
  regexp_like: 'The operator ~.',
  regexp_count: `(SELECT count(*) FROM regexp_matches(text, pattern, 'g')).`,
  regexp_substr: 'substring(text FROM pattern).',
  pg_backup_start: 'pg_start_backup().',
  pg_backup_stop: 'pg_stop_backup().',
  pg_start_backup: 'pg_backup_start().',
  pg_stop_backup: 'pg_backup_stop().',
  array_sort: 'ARRAY(SELECT x FROM unnest(array) AS x ORDER BY x).',
  array_reverse: 'ARRAY(SELECT x FROM unnest(array) WITH ORDINALITY AS u(x, n) ORDER BY n DESC).',
  casefold: 'lower().',
}

/** Settings, roles and system views, which have nothing around them to go by but their names. */
function namedLacks(form: PlainForm, major: number): readonly Lack[] {
  const found: Lack[] = []
  for (const { index, 1: name = '' } of form.text.matchAll(
    /\bset (?:local |session )?([a-z_]+) (?:=|to|from)(?= )/g,
  )) {
    const majors = SETTINGS.get(name)
    if (majors !== undefined && lacks(majors, major))
      found.push(missing('setting', `the setting ${name}`, majors, undefined, form.place(index)))
  }
  for (const { index, 0: name } of form.text.matchAll(/\bpg_[a-z_]+\b(?! \()/g)) {
    const isRole = ROLES.has(name)
    const majors = ROLES.get(name) ?? SYSTEM_RELATIONS.get(name)
    if (majors === undefined || !lacks(majors, major)) continue
    const code = isRole ? 'role' : 'system-view'
    found.push(missing(code, `the ${code.replace('-', ' ')} ${name}`, majors, undefined, form.place(index)))
  }
  return found
}

function missing(
  code: string,
  what: string,
  majors: Majors,
  instead: string | undefined,
  index: number,
): Lack {
  const needs = describeMajors(majors)
  return {
    code,
    what,
    needs,
    instead: instead ?? `There is nothing of its kind there: ask for ${needs}.`,
    index,
  }
}

function extensionLacks(statement: Statement, { major, extensions }: PortableTarget): readonly Lack[] {
  if (!/^create extension\b/.test(statement.words.join(' '))) return []
  for (const { kind, start, end, text } of tokensOf(statement.text)) {
    if (kind !== 'name' || /^(?:create|extension|if|not|exists)$/.test(text)) continue
    const name = statement.text.slice(start, end).replaceAll('"', '').toLowerCase()
    const majors = EXTENSIONS.get(name)
    const index = statement.start + start
    const what = `the extension ${name}`
    if (majors !== undefined && lacks(majors, major))
      return [{ code: 'extension', what, needs: describeMajors(majors), instead: insteadOf(name), index }]
    if (name === 'plpgsql' || extensions === undefined || extensions.has(name)) return []
    return [{ code: 'extension', what, needs: what, instead: insteadOf(name), index }]
  }
  return []
}

/** What an extension that cannot be had would have brought. */
function usesOfExtensions(
  form: PlainForm,
  extensions: ReadonlySet<string> | undefined,
  defined: ReadonlySet<string>,
): readonly Lack[] {
  if (extensions === undefined) return []
  const missed = [...EXTENSION_USES].filter(([name]) => !extensions.has(name))
  const uses: Lack[] = []
  const add = (extension: string, what: string, index: number): void => {
    const needs = `the extension ${extension}`
    uses.push({ code: 'extension', what, needs, instead: insteadOf(extension), index: form.place(index) })
  }
  for (const { name, index } of callsIn(form))
    for (const [extension, { functions = [] }] of missed)
      if (functions.includes(name) && !defined.has(name)) add(extension, `the function ${name}()`, index)
  for (const { index, 0: name } of form.text.matchAll(
    /(?<!\bextension (?:if not exists )?)\b[a-z_][a-z_0-9]*\b(?! \.)/g,
  ))
    for (const [extension, { names = [] }] of missed) if (names.includes(name)) add(extension, name, index)
  return uses
}
