import { readdirSync, readFileSync } from 'node:fs'
import type { Catalog } from '../../src/catalog/catalog.js'
import { compareCatalogs, describeDifference } from '../../src/catalog/compare.js'
import { readCatalog } from '../../src/catalog/read-catalog.js'
import type { Session } from '../../src/database/database.js'
import { isHiddenDifference } from '../../src/diff/plan.js'
import type { Rename } from '../../src/diff/renames.js'
import { carryOut, judgeRows, type Change } from '../../src/prove/prove-diff.js'
import { readRowState, type RowState } from '../../src/prove/row-state.js'
import { dumpSchema, makeRoles, openOnEmbedded, openOnServer, type OpenDatabase } from './databases.js'

/** What a database is before and after, with rows, from fixtures/diff. */
export interface Pair {
  readonly name: string
  readonly before: string
  readonly after: string
  readonly rows: string
  readonly renames: readonly Rename[]
  /** Beginnings of what is told to be lost, on the way up and down. */
  readonly loses: readonly string[]
  readonly losesDown: readonly string[]
  /** Objects that cannot be changed, by name. */
  readonly refused: readonly string[]
  /** Two schemas that have nothing to do with each other: whatever is lost or refused, nothing may be wrong and not told. */
  readonly strangers?: boolean
}

const folder = new URL('../../fixtures/diff/', import.meta.url)

export function readPairs(): readonly Pair[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => parsePair(name.replace(/\.sql$/, ''), readFileSync(new URL(name, folder), 'utf8')))
}

function parsePair(name: string, text: string): Pair {
  const sections = new Map<string, string>()
  const notes: [string, string][] = []
  let section = ''
  for (const line of text.split('\n').slice(1)) {
    const head = /^-- (both|before|rows|after)$/.exec(line)
    const note = /^-- (renames|loses|loses down|refused): (.*)$/.exec(line)
    if (head?.[1] !== undefined) section = head[1]
    else if (note?.[1] !== undefined) notes.push([note[1], note[2] ?? ''])
    else sections.set(section, `${sections.get(section) ?? ''}${line}\n`)
  }
  const noted = (kind: string): readonly string[] =>
    notes.flatMap(([of, what]) => (of === kind ? [what] : []))
  const both = sections.get('both') ?? ''
  return {
    name,
    before: both + (sections.get('before') ?? ''),
    after: both + (sections.get('after') ?? ''),
    rows: sections.get('rows') ?? '',
    renames: noted('renames').map((one) => {
      const [from = '', to = ''] = one.split(' = ')
      return { from, to }
    }),
    loses: noted('loses'),
    losesDown: noted('loses down'),
    refused: noted('refused'),
  }
}

type Engine = 'server' | 'embedded'

async function open(engine: Engine): Promise<OpenDatabase> {
  const database =
    engine === 'server'
      ? await openOnServer('pair')
      : await openOnEmbedded(['pg_trgm', 'hstore', 'citext', 'btree_gist'])
  await makeRoles(database.session, ['pair_reader', 'pair_owner', 'zoo_keeper', 'zoo_visitor'])
  return database
}

/**
 * Everything that is wrong with what the differ makes of a pair, both ways: by the catalog, by the rows, by pg_dump where there is one,
 * and once more with the text of the plan alone, on a database that no plan was made on.
 */
export async function tryPair(pair: Pair, engine: Engine): Promise<readonly string[]> {
  const wrong: string[] = []
  const opened: OpenDatabase[] = []
  const fresh = async (...texts: readonly string[]): Promise<OpenDatabase> => {
    const database = await open(engine)
    opened.push(database)
    for (const text of texts) if (text.trim() !== '') await database.session.script(text)
    return database
  }
  try {
    const [one, other] = [await fresh(pair.before, pair.rows), await fresh(pair.after)]
    const [from, to] = [await readCatalog(one.session), await readCatalog(other.session)]
    const [dumpBefore, dumpAfter] = [dumpOf(one), dumpOf(other)]
    const rowsBefore = await readRowState(one.session, from)
    const up = await carryOut(one.session, from, to, { renames: pair.renames })
    if (pair.strangers === true && up.faults.length > 0) return refusedByName(pair.name, up)
    if (pair.refused.length > 0) {
      const objects = up.faults.map(({ object }) => object)
      return pair.refused
        .filter((object) => !objects.includes(object))
        .map((object) => `${object} was not refused`)
    }
    wrong.push(...faultsOf('up', up), ...(pair.strangers === true ? [] : lossesOf('up', up, pair.loses)))
    if (wrong.length > 0) return wrong
    wrong.push(
      ...dumpDiff('up', dumpAfter, dumpOf(one)),
      ...different('up', to, await readCatalog(one.session)),
    )
    const rowsAfter = await readRowState(one.session, to)
    wrong.push(...rowFaults('up', { catalog: from, rows: rowsBefore }, { catalog: to, rows: rowsAfter }, up))
    const downs: Change[] = []
    for (const part of [...up.parts].reverse()) {
      const now = await readCatalog(one.session)
      const back = pair.renames.map((rename) => reversed(rename, up))
      const down = await carryOut(one.session, now, part.from, { renames: back })
      downs.push(down)
      if (pair.strangers === true && down.faults.length > 0)
        return [...wrong, ...refusedByName(`${pair.name} and back`, down)]
      wrong.push(...faultsOf('down', down))
      if (wrong.length > 0) return [...wrong, textOf(up), textOf(...downs)]
    }
    const lost = downs.flatMap((down) => lossesOf('down', down, pair.losesDown, true))
    const missing = pair.losesDown.filter(
      (loss) => !downs.some((down) => told(down).some((one) => one.startsWith(loss))),
    )
    wrong.push(...lost, ...missing.map((loss) => `down does not tell ${loss}`))
    wrong.push(
      ...dumpDiff('down', dumpBefore, dumpOf(one)),
      ...different('down', from, await readCatalog(one.session)),
    )
    const rowsDown = await readRowState(one.session, from)
    const last = downs.at(-1)
    if (last !== undefined)
      wrong.push(
        ...rowFaults('down', { catalog: to, rows: rowsAfter }, { catalog: from, rows: rowsDown }, last),
      )
    if (engine === 'embedded') return wrong.length === 0 ? [] : [...wrong, textOf(up), textOf(...downs)]
    // The text alone; on the embedded engine a start more than it is worth.
    const copy = await fresh(pair.before, pair.rows)
    await runText(copy.session, up)
    wrong.push(
      ...dumpDiff('text of the up', dumpAfter, dumpOf(copy)),
      ...different('text of the up', to, await readCatalog(copy.session)),
    )
    await runText(copy.session, ...downs)
    wrong.push(
      ...dumpDiff('text of the down', dumpBefore, dumpOf(copy)),
      ...different('text of the down', from, await readCatalog(copy.session)),
    )
    return wrong.length === 0 ? [] : [...wrong, textOf(up), textOf(...downs)]
  } catch (error) {
    return [...wrong, `failed: ${error instanceof Error ? error.message : String(error)}`]
  } finally {
    for (const database of opened) await database.remove()
  }
}

/** Strangers that could not be brought over, each with the object that is in the way. */
export const refusals: string[] = []

function refusedByName(name: string, { faults }: Change): readonly string[] {
  refusals.push(`${name}: ${faults.map(({ object, why }) => `${object} ${why}`).join('; ')}`)
  return []
}

function reversed({ from, to }: Rename, up: Change): Rename {
  const now = up.renamed.get(from) ?? ''
  const old = /(?:"((?:[^"]|"")*)"|([^".]+))$/.exec(from)
  return { from: now, to: old?.[1] ?? old?.[2] ?? to }
}

async function runText(session: Session, ...changes: readonly Change[]): Promise<void> {
  for (const change of changes)
    for (const part of change.parts) {
      await session.script(`begin;\n${part.steps.map(({ sql }) => `${sql};\n`).join('')}commit`)
    }
}

export function textOf(...changes: readonly Change[]): string {
  return changes
    .flatMap(({ parts }) => parts.map(({ steps }) => steps.map(({ sql }) => `    ${sql};`).join('\n')))
    .join('\n    ----\n')
}

function faultsOf(way: string, { faults, parts }: Change): readonly string[] {
  return faults.length === 0
    ? []
    : [
        ...faults.map(({ object, why }) => `${way}: ${object} ${why}`),
        ...parts.flatMap(({ steps }) => steps.map(({ sql }) => `    ${sql};`)),
      ]
}

function told({ parts }: Change): readonly string[] {
  return parts.flatMap(({ steps }) => steps.flatMap(({ loss }) => (loss === undefined ? [] : [loss])))
}

/** What goes is what was said to go. */
function lossesOf(
  way: string,
  change: Change,
  expected: readonly string[],
  partly = false,
): readonly string[] {
  const losses = told(change)
  // What the up adds is lost on the way down, without being worth a word.
  const unexpected = partly ? [] : losses.filter((loss) => !expected.some((one) => loss.startsWith(one)))
  const missing = partly ? [] : expected.filter((one) => !losses.some((loss) => loss.startsWith(one)))
  return [
    ...unexpected.map((loss) => `${way} tells ${loss}`),
    ...missing.map((loss) => `${way} does not tell ${loss}`),
  ]
}

function rowFaults(
  way: string,
  before: { readonly catalog: Catalog; readonly rows: RowState },
  after: { readonly catalog: Catalog; readonly rows: RowState },
  { renamed }: Change,
): readonly string[] {
  return judgeRows(before, after, renamed).map(({ object, why }) => `${way}: ${object} ${why}`)
}

function different(way: string, wanted: Catalog, found: Catalog): readonly string[] {
  return compareCatalogs(wanted, found)
    .differences.filter((one) => !isHiddenDifference(one))
    .flatMap(describeDifference)
    .map((line) => `${way}: ${line}`)
}

/** A statement a line, and columns in the order of their names: where a new column stands is nobody's choice. */
function dumpOf({ url }: OpenDatabase): readonly string[] {
  if (url === undefined) return []
  return dumpSchema(url)
    .split(/;\n/)
    .map((statement) =>
      statement
        .replaceAll(/^--.*\n?/gm, '')
        .trim()
        .replace(
          /^(CREATE (?:UNLOGGED |FOREIGN )?T(?:ABLE|YPE)[^(]*\()\n([^]*)\n(\)[^\n]*(?:\n[^]*)?)$/,
          (_, head: string, body: string, tail: string) =>
            [head, ...body.split(/,?\n/).sort(), tail].join('\n'),
        ),
    )
    .filter((statement) => statement !== '')
    .sort()
}

function dumpDiff(way: string, wanted: readonly string[], found: readonly string[]): readonly string[] {
  const missing = wanted.filter((statement) => !found.includes(statement))
  const extra = found.filter((statement) => !wanted.includes(statement))
  return [
    ...missing.map((statement) => `${way}: pg_dump misses ${statement}`),
    ...extra.map((statement) => `${way}: pg_dump has instead ${statement}`),
  ]
}
