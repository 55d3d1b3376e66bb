import type { Fact } from '../catalog/catalog.js'
import { nameInStatement } from '../catalog/ddl-statement.js'
import { foreignOptions, splitOption, storageOptions } from '../catalog/ddl-text.js'
import { quoteIfNeeded } from '../database/quote.js'
import type { Answer } from './rules.js'
import { alter, type Step } from './step.js'
import type { World } from './world.js'

/** The answers that many rules give. */
export const remake = (): Answer => ({ kind: 'remake' })
export const replace = (): Answer => ({ kind: 'replace' })
export const follows = (): Answer => ({ kind: 'follows' })
export const refused = (why: string) => (): Answer => ({ kind: 'refused', why })

export function steps(...all: readonly Step[]): Answer {
  return { kind: 'steps', steps: all }
}

/** One ALTER of the fact itself. */
export function altered(fact: Fact, what: string, more: Partial<Step> = {}): Answer {
  return steps(alter(fact, `alter ${fact.key} ${what}`, more))
}

type Owned = Fact & { readonly properties: { readonly owner: string | undefined } }

export function ownerRule(_: Fact, after: Owned): Answer {
  const { owner } = after.properties
  // A sequence that goes with a column has the owner of its table.
  if (after.kind === 'sequence' && after.properties.ownedBy !== undefined) return { kind: 'follows' }
  const usual = after.key === 'schema public' ? 'pg_database_owner' : 'current_user'
  return altered(after, `owner to ${owner === undefined ? usual : quoteIfNeeded(owner)}`, { releases: [] })
}

type Tied = Fact & { readonly properties: { readonly extensions: readonly string[] } }

export function tieRule(before: Tied, after: Tied, { after: catalog }: World): Answer {
  const [old, now] = [before.properties.extensions, after.properties.extensions]
  const name = nameInStatement(after, catalog)
  const tie = (extension: string, no: string): Step =>
    alter(after, `alter ${name} ${no}depends on extension ${quoteIfNeeded(extension)}`)
  return steps(
    ...old.filter((one) => !now.includes(one)).map((one) => tie(one, 'no ')),
    ...now.filter((one) => !old.includes(one)).map((one) => tie(one, '')),
  )
}

/** "set (a = 1)" and "reset (b)", for storage options. */
export function optionChanges(
  old: readonly string[],
  now: readonly string[],
  prefix = '',
): readonly string[] {
  const names = new Set(now.map((option) => splitOption(option)[0]))
  const gone = old.map((option) => splitOption(option)[0]).filter((name) => !names.has(name))
  const come = now.filter((option) => !old.includes(option))
  return [
    ...(gone.length === 0 ? [] : [`reset (${gone.map((name) => prefix + name).join(', ')})`]),
    ...(come.length === 0 ? [] : [`set (${storageOptions(come, prefix).join(', ')})`]),
  ]
}

/** "options (add ..., set ..., drop ...)" of foreign data; undefined where there is nothing to say. */
export function foreignOptionChanges(old: readonly string[], now: readonly string[]): string | undefined {
  const was = new Map(old.map(splitOption))
  const is = new Map(now.map(splitOption))
  const clause = (option: string): string =>
    foreignOptions([option])
      .replace(/^ options \(/, '')
      .replace(/\)$/, '')
  const changes = [
    ...[...was.keys()].filter((name) => !is.has(name)).map((name) => `drop ${quoteIfNeeded(name)}`),
    ...[...is].flatMap(([name, value]) => {
      // A password that was hidden when it was read.
      if (value === '***' || was.get(name) === value) return []
      return [`${was.has(name) ? 'set' : 'add'} ${clause(`${name}=${value}`)}`]
    }),
  ]
  return changes.length === 0 ? undefined : `options (${changes.join(', ')})`
}

export function foreignOptionsRule(
  before: Fact & { readonly properties: { readonly options: readonly string[] } },
  after: Fact & { readonly properties: { readonly options: readonly string[] } },
): Answer {
  const clause = foreignOptionChanges(before.properties.options, after.properties.options)
  return clause === undefined ? { kind: 'follows' } : altered(after, clause)
}
