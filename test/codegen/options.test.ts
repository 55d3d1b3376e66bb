import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { makeFolder, runCli, startCli, type Folder } from '../support/cli.js'
import { compile } from '../support/emitted-types.js'
import { noteEngine } from '../support/server.js'

const UP = `
create type mood as enum ('fine', 'so so', 'NotFine');
create table cows (
  id bigint generated always as identity primary key,
  sold_on date not null default current_date,
  price numeric(10,2) not null,
  state varchar(10) not null check (state in ('new', 'in stock')),
  grade integer not null default 1 check (grade in (1, 2)),
  feels mood,
  rested interval,
  notes jsonb not null default '{}'
);
comment on table cows is 'Cattle, by the head.';
comment on column cows.grade is 'How good it is: 1=Prime, 2=Choice.';
comment on column cows.notes is 'What was noted. @type { by: string; marks?: number[] }';
create view v_prime_cows as select id, price, state, notes from cows where grade = 1;
create table "herd.book" (page integer primary key, entry jsonb not null);
comment on column "herd.book".entry is 'What it says. @type { line: string }';
create view v_entries as select entry from "herd.book";
create function heaviest(p_most integer, p_state text default 'new') returns table (id bigint, price numeric)
  language sql as 'select id, price from cows limit p_most';
`
const DOWN =
  'drop function heaviest; drop view v_entries, v_prime_cows; drop table "herd.book", cows; drop type mood;'

describe('the settings of codegen', () => {
  let folder: Folder
  const config = (codegen: object): void => {
    folder.write({
      'dbkit.config.json': JSON.stringify({
        databases: { ranch: { codegen: { out: 'ranch.ts', ...codegen } } },
      }),
    })
  }
  const run = (...args: string[]) => runCli(['codegen', ...args], { cwd: folder.path })
  const text = (): string => readFileSync(join(folder.path, 'ranch.ts'), 'utf8')
  /** Emits, and compiles what was emitted. */
  const emit = async (codegen: object, ...args: string[]): Promise<string> => {
    config(codegen)
    const ended = await run(...args)
    expect({ exit: ended.exit, stderr: ended.stderr }).toEqual({ exit: 0, stderr: '' })
    return text()
  }

  beforeAll(async () => {
    noteEngine('embedded PGlite 0.5.8')
    folder = makeFolder({
      'sql/ranch/migrations/0001_ranch.up.sql': UP,
      'sql/ranch/migrations/0001_ranch.down.sql': DOWN,
    })
    await emit({})
  }, 120_000)

  afterAll(() => {
    folder.remove()
  })

  test('by default', () => {
    expect(compile({ 'ranch.ts': text() }).errors).toEqual([])
    expect(text()).toContain(' * Cattle, by the head.\n *\n * Table `cows`, since migration `0001_ranch`.\n')
    expect(text()).toContain('export type CowNotes = { by: string; marks?: number[] }')
    expect(text()).toMatch(/export const CowGrade = \{\n {2}Prime: 1,\n {2}Choice: 2,\n\} as const/)
    expect(text()).toMatch(/id: GeneratedAlways<Int8>|id: GeneratedAlways<string>/)
    expect(text()).toContain("export type CowState = 'new' | 'in stock'")
    expect(text()).toMatch(
      /interface PrimeCowView \{[\s\S]*?price: GeneratedAlways<string>[\s\S]*?state: GeneratedAlways<CowState>/,
    )
    // A dot in a name is not one between names.
    expect(text()).toMatch(/interface EntryView \{[^}]*entry: GeneratedAlways<HerdBookEntry>/)
    expect(text()).toMatch(
      /interface HeaviestArgs \{\n {2}p_most: number \| null\n {2}p_state\?: string \| null\n\}/,
    )
  })

  test.each<[string, object, readonly string[]]>([
    ['camelCase', { camelCase: true }, ['  soldOn: Generated<Timestamp>', '  vPrimeCows: PrimeCowView']],
    ['singularize: false', { singularize: false }, ['export interface CowsTable', 'export type NewCows ']],
    [
      'rules of singular',
      { singularize: { '/^cow(.*)$/i': 'ox' } },
      ['export interface OxTable', 'export type NewOx '],
    ],
    ['names', { names: { cows: 'Head' } }, ['export type NewHead ']],
    [
      'runtimeEnums',
      { runtimeEnums: true },
      [
        "export const Mood = {\n  FINE: 'fine',\n  SO_SO: 'so so',\n  NOT_FINE: 'NotFine',\n} as const\nexport type Mood = (typeof Mood)[keyof typeof Mood]",
        "export const CowState = {\n  NEW: 'new',\n  IN_STOCK: 'in stock',\n} as const",
      ],
    ],
    [
      'runtimeEnums in Pascal',
      { runtimeEnums: 'pascal-case' },
      ["  Fine: 'fine',\n  SoSo: 'so so',\n  NotFine: 'NotFine',"],
    ],
    [
      'numericParser',
      { numericParser: 'number' },
      ['  price: ColumnType<number, number | string, number | string>'],
    ],
    [
      'dateParser',
      { dateParser: 'string' },
      ['  sold_on: Generated<ColumnType<string, Date | string, Date | string>>'],
    ],
    [
      'typeMapping',
      { typeMapping: { interval: 'Temporal' }, customImports: { Temporal: './time.js' } },
      ['  rested: Temporal | null', "import type { Temporal } from './time.js'"],
    ],
    ['overrides', { overrides: { columns: { 'cows.state': "'new'" } } }, ["  state: 'new'\n"]],
    [
      'exclude',
      { exclude: ['v_prime_cows', 'herd.book', 'v_entries'] },
      ['export interface Database {\n  cows: CowTable\n}'],
    ],
  ])('%s', async (_, codegen, expected) => {
    const emitted = await emit(codegen)
    for (const one of expected) expect(emitted).toContain(one)
    expect(
      compile({ 'ranch.ts': emitted, 'time.ts': 'export interface Temporal { days: number }' }).errors,
    ).toEqual([])
  })

  test("kysely-codegen's serializer takes the same ones", async () => {
    const emitted = await emit(
      { camelCase: true, numericParser: 'number', runtimeEnums: true },
      '--emitter',
      'kysely-codegen',
    )
    expect(compile({ 'ranch.ts': emitted }, { erasableSyntaxOnly: false }).errors).toEqual([])
    for (const one of [
      'export interface Cow {',
      'soldOn: Generated<Timestamp>',
      'export enum Mood',
      'export interface DB {',
    ])
      expect(emitted).toContain(one)
    // What it would not have known.
    expect(emitted).toContain('  id: ColumnType<string, never, never>;')
    expect(emitted).toContain("  state: ('new' | 'in stock');")
    const refused = await run('--emitter', 'kysely-codegen', '--validators')
    expect(refused.exit).toBe(2)
    expect(refused.stderr).toContain('Leave out --validators, or --emitter.')
  })

  test('--check shows what differs, and --verify is the same', async () => {
    const before = await emit({})
    config({ names: { cows: 'Head' } })
    for (const flag of ['--check', '--verify']) {
      const { exit, stdout, stderr } = await run(flag)
      expect(exit).toBe(1)
      expect(stdout + stderr).toContain('-export type NewCow = Insertable<CowTable>')
      expect(stdout + stderr).toContain('+export type NewHead = Insertable<HeadTable>')
      expect(text()).toBe(before)
    }
    await emit({ names: { cows: 'Head' } })
    expect((await run('--check')).exit).toBe(0)
  })

  test('--watch emits again after each change, and goes on after a mistake', async () => {
    await emit({})
    const { child, ended } = startCli(['codegen', '--watch'], { cwd: folder.path })
    let shown = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: string) => (shown += chunk))
    const until = async (seen: () => boolean): Promise<void> => {
      const end = Date.now() + 60_000
      while (!seen()) {
        if (Date.now() > end) throw new Error(`not seen; so far: ${shown}`)
        await sleep(50)
      }
    }
    await until(() => shown.includes('ranch.ts is up to date'))
    config({ camelCase: true })
    await until(() => text().includes('soldOn'))
    folder.write({ 'dbkit.config.json': '{ "databases": { "ranch": { "codegen": { "camelCas": true } } } }' })
    await until(() => shown.includes('camelCas'))
    config({ camelCase: false })
    await until(() => text().includes('sold_on'))
    child.kill('SIGINT')
    expect((await ended).exit).toBe(0)
    for (const [option, value] of [['--check'], ['--json'], ['--url', 'postgresql://localhost/x']] as const)
      expect((await run('--watch', option, ...(value === undefined ? [] : [value]))).exit).toBe(2)
  }, 120_000)

  test('a shape for a column that is not there fails the check', async () => {
    config({ jsonTypes: { 'cows.nots': 'string' } })
    const { exit, stdout, stderr } = await run('--check')
    expect(exit).toBe(1)
    expect(stdout + stderr).toContain('no column cows.nots')
    expect(existsSync(join(folder.path, 'ranch.ts'))).toBe(true)
  })
})
