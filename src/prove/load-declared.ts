import { cancellable } from '../apply/run-transaction.js'
import { sqlFailure } from '../apply/sql-failure.js'
import type { DatabaseConfig } from '../config/config.js'
import type { Session } from '../database/database.js'
import { BEGIN } from '../database/ledger.js'
import { quoteLiteral } from '../database/quote.js'
import { SqlError } from '../database/sql-error.js'
import { throwProblems, type DbkitError } from '../errors.js'
import { refuseObstacles, type ScriptText } from '../workspace/migration-file.js'
import { splitStatements, type Statement } from '../workspace/statements.js'

interface Waiting {
  readonly script: ScriptText
  readonly statement: Statement
}

/** pg_dump puts its output between two lines for psql, and so does whatever keeps it as a file, as Rails keeps structure.sql. */
function withoutDumpGuard(script: ScriptText): ScriptText {
  const blank = (line: string): string => ' '.repeat(line.length)
  return { ...script, text: script.text.replaceAll(/^\\(?:un)?restrict\b.*$/gm, blank) }
}

/** The last part of a name, as PostgreSQL understands it. */
const NAME = String.raw`(?:(?:"(?:[^"]|"")*"|[\w$\u0080-\uffff]+)\s*\.\s*)*("(?:[^"]|"")*"|[\w$\u0080-\uffff]+)`
/** What may stand before the first word of a statement. */
const LEAD = String.raw`^(?:\s|--[^\n]*\n|/\*[\s\S]*?\*/)*`
const PARTITION_OF = new RegExp(String.raw`\bpartition\s+of\s+${NAME}`, 'gi')
const ATTACH_TO = new RegExp(String.raw`\balter\s+table\s+(?:only\s+)?${NAME}\s+attach\s+partition\b`, 'gi')
const KEY = String.raw`add\s+(?:constraint|primary|unique|exclude|foreign|check)\b`
const ADDED_TO = new RegExp(
  String.raw`${LEAD}(?:alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?${NAME}\s+${KEY}|create\s+(?:unique\s+)?index\b[^;(]*?\bon\s+(?:only\s+)?${NAME})`,
  'i',
)

/**
 * Whether a statement gives a partitioned table a key or an index. PostgreSQL gives each partition that is made after it one of the same
 * kind, where a file of that partition declares its own: so it waits until no partition can be made any more.
 */
function waitsForPartitions(waiting: readonly Waiting[]): (one: Waiting) => boolean {
  const parents = new Set(
    waiting.flatMap(({ statement: { text } }) =>
      [PARTITION_OF, ATTACH_TO].flatMap((pattern) =>
        [...text.matchAll(pattern)].map(([, name = '']) => folded(name)),
      ),
    ),
  )
  return ({ statement }) => {
    const [, altered, indexed] = parents.size === 0 ? [] : (ADDED_TO.exec(statement.text) ?? [])
    const table = altered ?? indexed
    return table !== undefined && parents.has(folded(table))
  }
}

function folded(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()
}

/**
 * Runs the files of a declared schema in an empty database, whatever their order: a statement that needs what another file makes is
 * tried again after it. Fails with the statements that nothing helps.
 */
export async function loadDeclared(
  session: Session,
  files: readonly ScriptText[],
  config: DatabaseConfig,
  signal: AbortSignal,
): Promise<void> {
  const scripts = files.map(withoutDumpGuard)
  throwProblems(scripts.flatMap((script) => refuseObstacles(script)))
  let waiting: readonly Waiting[] = scripts.flatMap((script) =>
    splitStatements(script.text).map((statement) => ({ script, statement })),
  )
  const isLate = waitsForPartitions(waiting)
  // They say what becomes of what is made after them; what is declared here says its own grants.
  const last = waiting.filter(({ statement }) => DEFAULTS.test(statement.words.join(' ')))
  waiting = waiting.filter((one) => !last.includes(one))
  // Bodies may name what no edge leads to, and what comes later.
  const begin = [
    BEGIN,
    'set local check_function_bodies to off',
    `set local search_path to ${config.searchPath}`,
    `set local timezone to ${quoteLiteral(config.timeZone)}`,
  ]
  await session.script(begin.join(';'))
  try {
    while (waiting.length > 0) {
      const late = waiting.filter(isLate)
      const soon = late.length === 0 ? waiting : waiting.filter((one) => !isLate(one))
      const refused = await cancellable(session, signal, () => runAll(session, soon))
      if (refused.length < soon.length) {
        waiting = [...refused, ...late]
        continue
      }
      const refusedLate = await cancellable(session, signal, () => runAll(session, late))
      const all = [...refused, ...refusedLate]
      if (all.length === waiting.length) throwProblems(all.map(({ why }) => why))
      waiting = all
    }
    throwProblems((await runAll(session, last)).map(({ why }) => why))
    await session.script('set constraints all immediate;commit')
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error
  }
}

const DEFAULTS = /^alter default privileges\b/

/** CREATE TYPE without a body: the announcement of a base type, which its functions have to name before it can be made. */
const SHELL_TYPE = new RegExp(String.raw`${LEAD}create\s+type\s+${NAME}\s*$`, 'i')

/** One round over what is left; returns what was refused, and why. */
async function runAll(
  session: Session,
  waiting: readonly Waiting[],
): Promise<readonly (Waiting & { readonly why: DbkitError })[]> {
  const refused: (Waiting & { why: DbkitError })[] = []
  for (const one of waiting) {
    const { script, statement } = one
    const before = 'savepoint dbkit_declared;'
    try {
      await session.script(`${before}${statement.text}\n;release savepoint dbkit_declared`)
    } catch (error) {
      if (!(error instanceof SqlError) || error.connectionLost || error.sqlstate === '57014') throw error
      await session.script('rollback to savepoint dbkit_declared;release savepoint dbkit_declared')
      // A function of another file that speaks of the type has announced it.
      if (error.sqlstate === '42710' && SHELL_TYPE.test(statement.text)) continue
      const sent = { start: statement.start, charactersBefore: before.length, statementsBefore: 1 }
      refused.push({ ...one, why: sqlFailure(error, script, sent) })
    }
  }
  return refused
}
