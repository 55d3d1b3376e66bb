import type { Command } from 'commander'
import type { RenameChoice } from '../index.js'
import type { GlobalOptions } from './options.js'
import type { Terminal } from './terminal.js'

export interface ChangeFlags {
  readonly rename?: readonly string[]
  readonly allowDataLoss?: boolean
  readonly shadowUrl?: string
}

/** What every command takes that plans a change. */
export function changeOptions(command: Command): Command {
  return command
    .option(
      '--rename <what>',
      'something has another name and keeps its rows: "kind old name = new name" (repeat it for more)',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .option('--allow-data-loss', 'also drop tables and columns, and change types so that values are lost')
    .option(
      '--shadow-url <url>',
      'a server to try the change on, in a database of its own (default: the embedded engine)',
    )
}

export function changeChoices(
  options: GlobalOptions & ChangeFlags,
  terminal: Terminal,
): {
  readonly renames: readonly string[]
  readonly allowDataLoss: boolean
  readonly shadowUrl?: string
  readonly askRenames?: (candidates: readonly RenameChoice[]) => Promise<readonly RenameChoice[]>
} {
  return {
    renames: options.rename ?? [],
    allowDataLoss: options.allowDataLoss === true,
    ...(options.shadowUrl === undefined ? {} : { shadowUrl: options.shadowUrl }),
    ...(canAsk(options, terminal) ? { askRenames: (candidates) => askRenames(candidates, terminal) } : {}),
  }
}

function canAsk(options: GlobalOptions, { env, stdin, stderr }: Terminal): boolean {
  if (options.json === true || options.yes === true || (env['CI'] ?? '') !== '') return false
  return 'isTTY' in stdin && stdin.isTTY === true && stderr.isTTY === true
}

/** One question for each pair, on stderr: stdout is for the SQL. What has its name already is not asked about again. */
async function askRenames(
  candidates: readonly RenameChoice[],
  terminal: Terminal,
): Promise<readonly RenameChoice[]> {
  // Loaded for a question: importing it costs every other command a millisecond.
  const { createInterface } = process.getBuiltinModule('node:readline')
  const lines = createInterface({ input: terminal.stdin })
  const answers = lines[Symbol.asyncIterator]()
  const chosen: RenameChoice[] = []
  try {
    for (const candidate of candidates) {
      if (chosen.some(({ from, to }) => from === candidate.from || to === candidate.to)) continue
      terminal.stderr.write(`Is ${candidate.to} the former ${candidate.from}? [y/N] `)
      const answer = await answers.next()
      if (answer.done === true) break
      if (/^y(?:es)?$/i.test(answer.value.trim())) chosen.push(candidate)
    }
  } finally {
    lines.close()
  }
  return chosen
}
