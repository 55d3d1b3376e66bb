import { createInterface } from 'node:readline'
import { databaseNameOf, environmentName, type InitOptions } from '../index.js'
import type { Terminal } from './terminal.js'

/** What no flag has said already, with the default for Enter. */
export async function askInit(given: InitOptions, terminal: Terminal): Promise<InitOptions> {
  const lines = createInterface({ input: terminal.stdin })
  const answers = lines[Symbol.asyncIterator]()
  const question = async (known: string | undefined, text: string, otherwise: string): Promise<string> => {
    if (known !== undefined) return known
    terminal.stderr.write(`${text} [${otherwise}] `)
    const answer = await answers.next()
    const said = answer.done === true ? '' : answer.value.trim()
    return said === '' ? otherwise : said
  }
  try {
    const database = await question(given.database, 'Name of the database?', databaseNameOf(terminal.cwd()))
    const migrations = await question(
      given.migrations,
      'Folder of the migrations?',
      `sql/${database}/migrations`,
    )
    const urlVariable = await question(
      given.urlVariable,
      "Environment variable of the server's URL?",
      environmentName(database),
    )
    const types = await question(given.types, 'File of the emitted types?', `types/${database}.ts`)
    const ci = await question(given.ci, 'CI workflow: github, gitlab or none?', 'none')
    return {
      database,
      migrations,
      urlVariable,
      types,
      ...(ci === 'github' || ci === 'gitlab' ? { ci } : {}),
    }
  } finally {
    lines.close()
  }
}
