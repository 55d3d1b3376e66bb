import { fileURLToPath } from 'node:url'
import { SqlError } from '../../database/sql-error.js'
import { DbkitError, problem, type SourceLocation } from '../../errors.js'
import { excerptAt, type ScriptText } from '../../workspace/migration-file.js'

/** What stopped a migration as code, at its place in the file. */
export function moduleFailure(error: unknown, script: ScriptText): DbkitError {
  if (error instanceof DbkitError)
    return error.location === undefined ? error.with({ location: stackPlace(error, script) }) : error
  const location = stackPlace(error, script)
  if (error instanceof SqlError)
    return problem(
      'database.refused',
      {
        message: error.message,
        hint: error.sql === undefined ? undefined : `The statement was: ${shortened(error.sql)}`,
      },
      { location, cause: error },
    )
  const message =
    error instanceof Error
      ? error.name === 'Error'
        ? error.message
        : `${error.name}: ${error.message}`
      : String(error)
  return problem('module.failed', { message, hint: undefined }, { location, cause: error })
}

export function shortened(sql: string): string {
  const line = sql.replaceAll(/\s+/g, ' ').trim()
  return line.length <= LONGEST_STATEMENT ? line : `${line.slice(0, LONGEST_STATEMENT - 1)}…`
}

const LONGEST_STATEMENT = 300

/** The first place of a stack that lies in the file of a migration; Node has found it through the map of the bundle. */
export function stackPlace(error: unknown, script: ScriptText): SourceLocation | undefined {
  const path = script.module?.path
  if (!(error instanceof Error) || path === undefined) return undefined
  for (const [, file = '', line, column] of (error.stack ?? '').matchAll(
    /((?:file:\/\/)?[^\s()]*?):(\d+):(\d+)\)?$/gm,
  ))
    if ((file.startsWith('file://') ? fileURLToPath(file) : file) === path)
      return placeAt(script, Number(line), Number(column))
  return undefined
}

function placeAt(script: ScriptText, line: number, column: number): SourceLocation {
  const lines = script.text.split('\n')
  const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0)
  return { file: script.file, line, column, excerpt: excerptAt(script, start) }
}
