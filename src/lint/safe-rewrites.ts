import { quoteIfNeeded } from '../database/quote.js'
import type { Statement } from '../workspace/statements.js'
import type { Column, Constraint } from './snapshot.js'

// What does the same without stopping anybody, as SQL to be pasted. "next migration" parts what must not share a transaction.

const OUTSIDE = '-- dbkit: no-transaction'
const NEXT = '\n-- next migration\n'

export function outside(text: string): string {
  return `${OUTSIDE}\n${text};`
}

/** Where the statement is what is meant, once nobody uses the thing any more. */
export function allow(code: string): string {
  return `-- dbkit: allow=${code} <since when nobody uses it>`
}

export function ownMigration(text: string): string {
  return `-- in a migration of its own\n${text};`
}

export function refresh(view: string): string {
  return `-- needs a unique index on plain columns of ${view}\nrefresh materialized view concurrently ${view};`
}

export function indexConcurrently({ text, words }: Statement, definition: string): string {
  const own = words[0] === 'create' && (words[1] === 'index' || words[2] === 'index')
  return outside(insertConcurrently(own ? text : definition))
}

function insertConcurrently(create: string): string {
  return create.replace(/^(create\s+(?:unique\s+)?index)\b/i, (head) =>
    head === head.toUpperCase() ? `${head} CONCURRENTLY` : `${head} concurrently`,
  )
}

export function newIndex(table: string, columns: string): string {
  return outside(`create index concurrently on ${table} (${columns})`)
}

export function partitionedIndex(definition: string): string {
  return [
    '-- for each partition, in a migration that starts with -- dbkit: no-transaction',
    'create index concurrently ... on <partition> ...;',
    NEXT.trim(),
    `${definition.replace(/ ON (?!ONLY)/, ' ON ONLY ')};`,
    'alter index ... attach partition ...;',
  ].join('\n')
}

export function reindex(index: string): string {
  return outside(`reindex index concurrently ${index}`)
}

export function dropIndex(index: string): string {
  return outside(`drop index concurrently ${index}`)
}

export function constraintFromIndex(
  table: string,
  { name, type }: Constraint,
  definition: string,
): { readonly rewrite?: string } {
  if (type === 'x') return {}
  const constraint = quoteIfNeeded(name)
  const kind = type === 'p' ? 'primary key' : 'unique'
  return {
    rewrite:
      outside(insertConcurrently(definition)) +
      NEXT +
      `alter table ${table} add constraint ${constraint} ${kind} using index ${constraint};`,
  }
}

export function constraintLater(table: string, { name, definition }: Constraint): string {
  const constraint = quoteIfNeeded(name)
  return (
    `alter table ${table} add constraint ${constraint} ${definition.replace(/ NOT VALID$/, '')} not valid;` +
    NEXT +
    `alter table ${table} validate constraint ${constraint};`
  )
}

export function notNull(table: string, bare: string, columns: readonly Column[]): string {
  const steps = columns.map(({ name }) => ({
    column: quoteIfNeeded(name),
    check: quoteIfNeeded(`${bare}_${name}_not_null`.slice(0, 63)),
  }))
  return [
    steps.map(
      ({ column, check }) =>
        `alter table ${table} add constraint ${check} check (${column} is not null) not valid;`,
    ),
    steps.map(({ check }) => `alter table ${table} validate constraint ${check};`),
    steps.flatMap(({ column, check }) => [
      `alter table ${table} alter column ${column} set not null;`,
      `alter table ${table} drop constraint ${check};`,
    ]),
  ]
    .map((lines) => lines.join('\n'))
    .join(NEXT)
}

/** For each range of keys, a transaction of its own. */
export function inBatches(text: string): string {
  const range = /\bwhere\b/i.test(text) ? ' and' : ' where'
  return `-- in batches, each a transaction of its own\n${text}${range} <key between ... and ...>;`
}

function batches(table: string, assignment: string, where: string): string {
  return `-- in batches, each a transaction of its own\nupdate ${table} set ${assignment} where ${where} and <key between ... and ...>;`
}

export function typeChange(table: string, was: Column, is: Column): string {
  const old = quoteIfNeeded(was.name)
  const column = quoteIfNeeded(`${is.name}_new`)
  return [
    `alter table ${table} add column ${column} ${is.type};`,
    `-- and a trigger that sets it whenever ${old} is written`,
    NEXT.trim(),
    batches(table, `${column} = ${old}::${is.type}`, `${column} is distinct from ${old}::${is.type}`),
    NEXT.trim(),
    `alter table ${table} rename column ${old} to ${quoteIfNeeded(`${was.name}_old`)};`,
    `alter table ${table} rename column ${column} to ${quoteIfNeeded(is.name)};`,
  ].join('\n')
}

export function volatileDefault(table: string, { name, type, default: given }: Column): string {
  const column = quoteIfNeeded(name)
  return [
    `alter table ${table} add column ${column} ${type};`,
    `alter table ${table} alter column ${column} set default ${given ?? ''};`,
    NEXT.trim(),
    batches(table, `${column} = ${given ?? ''}`, `${column} is null`),
  ].join('\n')
}

export function fillFirst(table: string, { name, type }: Column): string {
  const column = quoteIfNeeded(name)
  return [
    `alter table ${table} add column ${column} ${type} not null default <constant>;`,
    '-- or, where each row has a value of its own:',
    `alter table ${table} add column ${column} ${type};`,
    NEXT.trim(),
    batches(table, `${column} = ...`, `${column} is null`),
  ].join('\n')
}

export function generatedColumn(table: string, { name, type, default: expression }: Column): string {
  const column = quoteIfNeeded(name)
  return [
    `alter table ${table} add column ${column} ${type};`,
    '-- and a trigger that sets it whenever a row is written',
    NEXT.trim(),
    batches(table, `${column} = ${expression ?? ''}`, `${column} is null`),
  ].join('\n')
}

export function renamed(text: string, was: string, is: string): string {
  return `${text};\ncreate view ${was} as select * from ${is};`
}

export function columnBeside(table: string, was: Column, is: Column): string {
  const column = quoteIfNeeded(is.name)
  return [
    `alter table ${table} add column ${column} ${is.type};`,
    `-- and a trigger that keeps ${column} and ${quoteIfNeeded(was.name)} the same`,
    NEXT.trim(),
    batches(table, `${column} = ${quoteIfNeeded(was.name)}`, `${column} is null`),
  ].join('\n')
}

export function newLabel(type: string, label: string): string {
  return `alter type ${type} add value '${label.replaceAll("'", "''")}';`
}
