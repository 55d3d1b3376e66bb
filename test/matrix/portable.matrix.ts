import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { portable, settleConfig } from 'dbkit'
import type { Session } from '../../src/database/database.js'
import { SqlError } from '../../src/database/sql-error.js'
import {
  EXTENSIONS,
  FUNCTIONS,
  lacks,
  ROLES,
  SETTINGS,
  SYSTEM_RELATIONS,
  type Majors,
} from '../../src/portable/builtins.js'
import { definedFunctions, findLacks } from '../../src/portable/find-features.js'
import { RULES } from '../../src/portable/rules.js'
import { splitStatements } from '../../src/workspace/statements.js'
import type { OpenDatabase } from '../support/databases.js'
import { openMajors, type Major } from '../support/majors.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
let majors: readonly Major[] = []
const databases = new Map<number, OpenDatabase>()

beforeAll(async () => {
  majors = await openMajors()
  for (const major of majors) if (major.url !== undefined) databases.set(major.major, await major.open())
}, 60_000)

afterAll(async () => {
  for (const database of databases.values()) await database.remove()
  for (const { stop } of majors) stop()
})

/** Runs the statements and undoes them; what the server said against them. */
async function refusal(session: Session, sql: string): Promise<string | undefined> {
  try {
    for (const { text } of splitStatements(`begin; ${sql}; rollback`)) await session.script(text)
    return undefined
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    await session.script('rollback')
    return error.message
  }
}

function codesFor(sql: string, major: number): readonly string[] {
  const statements = splitStatements(sql)
  const target = { major, extensions: undefined }
  return statements.flatMap((one) =>
    findLacks(one, target, definedFunctions(statements)).map(({ code }) => code),
  )
}

describe('what a rule says of a major, the server says too', () => {
  test.each(Object.entries(RULES))('%s', async (code, rule) => {
    const told: Record<number, unknown> = {}
    const wanted: Record<number, unknown> = {}
    for (const [major, { session }] of databases) {
      // It has no transaction, and another way to be refused.
      const why =
        code === 'reindex-nameless'
          ? await alone(session, rule.example)
          : await refusal(session, rule.example)
      told[major] = [
        why === undefined ? 'takes it' : 'refuses it',
        codesFor(rule.example, major).includes(code),
      ]
      wanted[major] = lacks(rule, major) ? ['refuses it', true] : ['takes it', false]
      // PostgreSQL 14 reads a number up to where it ends, and takes the rest for a name.
      if (code === 'numeric-literals' && major === 14 && why === undefined) told[major] = wanted[major]
    }
    expect(told).toEqual(wanted)
  })
})

test('what the systems need no extension of somebody else for is taken by every major', async () => {
  const config = await settleConfig(
    { database: ['happyrobot', 'escalation'] },
    { cwd: root, environment: {} },
  )
  for (const { major, url } of majors) {
    if (url === undefined) continue
    const { databases } = await portable(config, { target: major, shadowUrl: url })
    expect([
      major,
      databases.map(({ ok, portable: seen }) => [ok, seen?.proof.outcome, seen?.findings]),
    ]).toEqual([
      major,
      [
        [true, 'taken', []],
        [true, 'taken', []],
      ],
    ])
  }
}, 60_000)

async function alone(session: Session, sql: string): Promise<string | undefined> {
  try {
    await session.script(sql)
    return undefined
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    return error.message
  }
}

/** Names that a server has, of those that the table has. */
const LISTS: readonly (readonly [string, ReadonlyMap<string, Majors>, string])[] = [
  [
    'functions',
    FUNCTIONS,
    `select proname from pg_proc where pronamespace = 'pg_catalog'::regnamespace and prokind <> 'p'
       and not 'internal'::regtype = any (proargtypes::oid[]) and prorettype not in ('internal'::regtype, 'cstring'::regtype)`,
  ],
  ['settings', SETTINGS, `select name from pg_settings`],
  [
    'system views',
    SYSTEM_RELATIONS,
    `select relname from pg_class where relnamespace = 'pg_catalog'::regnamespace`,
  ],
  ['roles', ROLES, `select rolname from pg_roles`],
  ['extensions', EXTENSIONS, `select name from pg_available_extensions`],
]

/** Functions of a server's own: support of types and operators, statistics, upgrades. */
const INTERNAL =
  /^(?:binary_upgrade_|pg_stat_|pg_timezone_|hash|gist_|timestamptz_hash|json.*_(?:strict|unique)$|pg_stop_making)|(?:_larger|_smaller|_inv|_combine|_transfn)$|^bytea$|^system_user$|^(?:close|dist|path|interval)_/

describe('names are there from the major on, and up to the major, that the table says', () => {
  test.each(LISTS)('%s', async (what, table, sql) => {
    const wrong: string[] = []
    const have = new Map<number, ReadonlySet<string>>()
    for (const [major, { session }] of databases)
      have.set(major, new Set((await session.query(sql)).map(([name]) => name ?? '')))
    for (const [name, about] of table)
      for (const [major, names] of have)
        if (names.has(name) === lacks(about, major)) wrong.push(`${name} on ${String(major)}`)
    expect(wrong).toEqual([])
    if (what !== 'functions') return
    const [oldest, newest] = [have.get(14), have.get(18)]
    const all = new Set([...have.values()].flatMap((names) => [...names]))
    const untold = [...all].filter(
      (name) =>
        !(oldest?.has(name) === true && newest?.has(name) === true) &&
        !table.has(name) &&
        !INTERNAL.test(name),
    )
    expect(untold).toEqual([])
  })
})
