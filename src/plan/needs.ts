import { locationIn } from '../workspace/migration-file.js'
import { splitStatements, tokensOf, type Statement } from '../workspace/statements.js'
import type { Step } from './plan.js'

/** A right that a statement needs, as far as its text says so: what a block of code does is seen when it is run. */
export interface Need {
  /** What the statement wants to do, for people: "create a table in schema app". */
  readonly what: string
  readonly right: Right
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Names are as they stand in the file. */
export type Right =
  | { readonly kind: 'create in database' }
  /** To make the ledger: in a schema that is there, or with it. */
  | { readonly kind: 'make ledger'; readonly schema: string }
  | { readonly kind: 'create in schema'; readonly schema: string | undefined }
  | { readonly kind: 'own'; readonly relation: string }
  | {
      readonly kind: 'privilege'
      readonly relation: string
      readonly privilege: 'insert' | 'update' | 'delete' | 'truncate' | 'references'
    }
  | { readonly kind: 'create extension'; readonly extension: string }
  | { readonly kind: 'create role' }

/** The rights that a plan needs of the database as it is now: what it makes itself it owns. */
export function needsOf(steps: readonly Pick<Step, 'script'>[]): readonly Need[] {
  const needs: Need[] = []
  const made = new Set<string>()
  for (const { script } of steps) {
    if (script.module !== undefined || BECOMES_ANOTHER.test(script.text)) continue
    for (const statement of splitStatements(script.text)) {
      const text = normal(statement)
      for (const { what, right } of rightsOf(text)) {
        if (right.kind === 'create in schema' && made.has(lower(right.schema ?? ''))) continue
        const { file, line, column } = locationIn(script, statement.start)
        needs.push({ what, right, file, line, column })
      }
      const schema = new RegExp(`^create schema (?:if not exists )?(${NAME})`, 'i').exec(text)?.[1]
      if (schema !== undefined) made.add(lower(schema))
    }
  }
  return needs
}

/** Another role, or another place for names without a schema: then the text does not say whose rights count. */
const BECOMES_ANOTHER =
  /\bset\s+(?:local\s+|session\s+)?(?:role|session\s+authorization|search_path)\b|\bset_config\b/i

const PART = `(?:"(?:[^"]|"")+"|[\\w$]+)`
const NAME = `${PART}(?:\\.${PART})?`

/** Without comments, one blank between two tokens, and no values. */
export function normal({ text }: Pick<Statement, 'text'>): string {
  return tokensOf(text)
    .map(({ kind, start, end }) => (kind === 'string' ? "''" : text.slice(start, end)))
    .join(' ')
    .replaceAll(/ ?\. ?/g, '.')
}

function lower(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()
}

type Rule = readonly [pattern: RegExp, rights: (name: string, kind: string) => readonly Found[]]

interface Found {
  readonly what: string
  readonly right: Right
}

const rule = (pattern: string, rights: Rule[1]): Rule => [
  new RegExp(`^${pattern.replaceAll('NAME', `(?<name>${NAME})`)}`, 'i'),
  rights,
]

const CREATED = [
  '(?:unlogged )?table',
  '(?:or replace )?(?:recursive )?view',
  'materialized view',
  'sequence',
  'type',
  'domain',
  '(?:or replace )?function',
  '(?:or replace )?procedure',
  '(?:or replace )?aggregate',
  'collation',
].join('|')

const RULES: readonly Rule[] = [
  rule('create schema\\b', () => [{ what: 'create a schema', right: { kind: 'create in database' } }]),
  rule('create extension (?:if not exists )?NAME', (extension) => [
    {
      what: `create extension ${extension}`,
      right: { kind: 'create extension', extension: lower(extension) },
    },
  ]),
  rule('create (?:role|user|group)(?! mapping)\\b', () => [
    { what: 'create a role', right: { kind: 'create role' } },
  ]),
  rule(`create (?<kind>${CREATED}) (?:if not exists )?NAME`, (name, kind) => {
    const parts = name.match(new RegExp(PART, 'g')) ?? []
    const schema = parts.length > 1 ? parts[0] : undefined
    const thing = kind.toLowerCase().replace(/^(?:or replace )?(?:recursive |unlogged )?/, '')
    const where = schema === undefined ? '' : ` in schema ${schema}`
    return [{ what: `create a ${thing}${where}`, right: { kind: 'create in schema', schema } }]
  }),
  rule(
    '(?:alter|drop) (?:table|view|materialized view|sequence|index)(?: concurrently)? (?:if exists )?(?:only )?NAME',
    (relation) => [{ what: `change ${relation}`, right: { kind: 'own', relation } }],
  ),
  rule(
    `create (?:unique )?index (?:concurrently )?(?:if not exists )?(?:${PART} )?on (?:only )?NAME`,
    (relation) => [{ what: `create an index on ${relation}`, right: { kind: 'own', relation } }],
  ),
  rule('comment on (?:table|view|materialized view|sequence|index) NAME', (relation) => [
    { what: `comment on ${relation}`, right: { kind: 'own', relation } },
  ]),
  rule('create policy NAME'.replace('NAME', PART) + ' on NAME', (relation) => [
    { what: `create a policy on ${relation}`, right: { kind: 'own', relation } },
  ]),
  rule('insert into NAME', (relation) => [
    { what: `insert into ${relation}`, right: { kind: 'privilege', privilege: 'insert', relation } },
  ]),
  rule('update (?:only )?NAME', (relation) => [
    { what: `update ${relation}`, right: { kind: 'privilege', privilege: 'update', relation } },
  ]),
  rule('delete from (?:only )?NAME', (relation) => [
    { what: `delete from ${relation}`, right: { kind: 'privilege', privilege: 'delete', relation } },
  ]),
  rule('truncate (?:table )?(?:only )?NAME', (relation) => [
    { what: `truncate ${relation}`, right: { kind: 'privilege', privilege: 'truncate', relation } },
  ]),
]

function rightsOf(text: string): readonly Found[] {
  const found = RULES.flatMap(([pattern, rights]) => {
    const match = pattern.exec(text)
    return match === null ? [] : rights(match.groups?.['name'] ?? '', match.groups?.['kind'] ?? '')
  })
  const references = /^(?:create|alter)\b/i.test(text)
    ? [...text.matchAll(new RegExp(`\\breferences (${NAME})`, 'gi'))]
    : []
  return [
    ...found,
    ...references.map(([, relation = '']) => ({
      what: `refer to ${relation}`,
      right: { kind: 'privilege', privilege: 'references', relation } as const,
    })),
  ]
}
