import { problem, type DbkitError } from '../../errors.js'
import { locationIn, type ScriptText } from '../migration-file.js'
import { splitStatements, transactionality, type Statement } from '../statements.js'
import type { TransactionRule } from './layout.js'

/** How dbkit runs a script whose tool leaves transactions to the file. */
export interface SettledTransaction {
  readonly transaction: boolean
  /** BEGIN and COMMIT, whose place dbkit's own transaction takes. */
  readonly blank: readonly { readonly start: number; readonly end: number }[]
  readonly problems: readonly DbkitError[]
}

const OPENS = /^(?:begin|begin work|begin transaction|start transaction)$/
const COMMITS = /^(?:commit|end)(?: (?:work|transaction))?$/
/** What only means something in the transaction that a file has opened. */
const BOUND =
  /^(?:rollback|abort|savepoint|release|set local|set constraints|lock|prepare transaction|declare)\b/

/**
 * Many files hold a transaction of their own. Where that is the whole of the file, dbkit's takes its place, with the ledger's row inside.
 * Where it is only a part, what the file means is that one part is done for good before the next one is tried: its statements run
 * one by one, each with its entry in the journal. What would not mean the same then is refused.
 */
export function settleTransaction(script: ScriptText, rule: TransactionRule): SettledTransaction {
  const { text } = script
  const alone = (statements: readonly Statement[]): boolean =>
    statements.some((statement) => transactionality(statement) === 'outside-only')
  if (!MAY_CONTROL.test(text)) {
    const transaction =
      rule === 'one' ||
      rule === 'check' ||
      (rule === 'sent' && !(MAY_BE_ALONE.test(text) && alone(splitStatements(text))))
    return { transaction, blank: [], problems: [] }
  }
  const statements = splitStatements(text)
  const kinds = statements.map((statement) => kindOf(statement))
  const spansOf = (chosen: readonly Statement[]): SettledTransaction['blank'] =>
    chosen.map(({ start, end }) => ({ start, end: text[end] === ';' ? end + 1 : end }))
  if (rule === 'check') {
    const ends = (statement: Statement): boolean => /^(?:rollback|abort)$/.test(statement.words.join(' '))
    const blank = spansOf(
      statements.filter((statement, index) => kinds[index] !== 'other' || ends(statement)),
    )
    return { transaction: true, blank, problems: [] }
  }
  if (!kinds.includes('open') || !kinds.includes('commit')) {
    // A COMMIT without a BEGIN, or the other way round, is told as it is in a file of dbkit's own.
    const transaction = rule === 'one' || (rule === 'sent' && !alone(statements))
    return { transaction, blank: [], problems: [] }
  }
  const blank = spansOf(statements.filter((_, index) => kinds[index] !== 'other'))
  const first = kinds.indexOf('open')
  const isWhole =
    kinds.filter((kind) => kind !== 'other').length === 2 &&
    kinds.at(-1) === 'commit' &&
    statements.slice(0, first).every(({ words: [verb] }) => verb === 'set' || verb === 'select')
  if (isWhole) return { transaction: true, blank, problems: [] }
  const bound = statements.filter(({ words }) => BOUND.test(words.join(' ')))
  return {
    transaction: false,
    blank,
    problems: bound.map(({ start, words }) =>
      problem(
        'layout.transaction-parts',
        {
          what: words
            .slice(0, words[0] === 'set' ? 2 : 1)
            .join(' ')
            .toUpperCase(),
        },
        { location: locationIn(script, start) },
      ),
    ),
  }
}

const MAY_CONTROL = /\b(?:begin|start\s+transaction)\b/i
const MAY_BE_ALONE =
  /\b(?:concurrently|vacuum|database|tablespace|system|reindex|cluster|subscription|discard)\b/i

function kindOf({ words }: Statement): 'open' | 'commit' | 'other' {
  const all = words.join(' ')
  if (OPENS.test(all)) return 'open'
  return COMMITS.test(all) ? 'commit' : 'other'
}
