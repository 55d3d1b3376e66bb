import { problem, type DbkitError } from '../errors.js'
import { editText } from './layouts/compose.js'
import type { Edit } from './layouts/layout.js'
import { lineAround, type ScriptText } from './migration-file.js'
import { lineColumnAt } from './statements.js'

export interface Substitution {
  /** The names that the configuration allows; a file may ask for more in its head. */
  readonly names: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Puts variables of the environment where a file names them inside quotes: '${TENANT}' is a text and "${APP_ROLE}" a name, and the value
 * is written so that it cannot end either. Only the names that were allowed; all else stays as it is written. Problems are at their place.
 */
export function substitute(
  script: ScriptText,
  { names, environment }: Substitution,
): ScriptText | readonly DbkitError[] {
  const allowed = new Set([...names, ...script.directives.substitute])
  if (allowed.size === 0 || !script.text.includes('${')) return script
  const problems: DbkitError[] = []
  const edits: Edit[] = []
  for (const { start, end, name, quote } of variablesIn(script.text)) {
    if (!allowed.has(name)) continue
    const location = {
      file: script.file,
      ...lineColumnAt(script.text, start),
      excerpt: lineAround(script.text, start),
    }
    const value = environment[name]
    if (value === undefined) problems.push(problem('workspace.unset-variable', { name }, { location }))
    else if (quote === undefined)
      problems.push(problem('workspace.unquoted-variable', { name }, { location }))
    else if (value.includes('\0') || value.includes('$$') || (quote === '"' && value === ''))
      problems.push(problem('workspace.unusable-variable', { name }, { location }))
    else edits.push({ from: start, to: end, text: escaped(value, quote) })
  }
  if (problems.length > 0) return problems
  return edits.length === 0 ? script : { ...script, ...editText(script.text, 0, script.text.length, edits) }
}

type Quote = "'" | '"' | 'e'

interface Variable {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly quote: Quote | undefined
}

function escaped(value: string, quote: Quote): string {
  if (quote === '"') return value.replaceAll('"', '""')
  const doubled = value.replaceAll("'", "''")
  return quote === 'e' ? doubled.replaceAll('\\', '\\\\') : doubled
}

/**
 * Comments, quotes, and variables. What stands between dollar quotes is read as well: the body of a function has strings and names of its
 * own.
 */
const TOKEN = /--[^\n]*|\/\*[^]*?\*\/|\$\{([A-Za-z_]\w*)\}|(\b[eE])?'(?:[^']|'')*'|"(?:[^"]|"")*"/g

function variablesIn(text: string): readonly Variable[] {
  const found: Variable[] = []
  for (const { 0: token, 1: bare, 2: escape, index } of text.matchAll(TOKEN)) {
    if (bare !== undefined) {
      found.push({ start: index, end: index + token.length, name: bare, quote: undefined })
      continue
    }
    if (token.startsWith('--') || token.startsWith('/*')) continue
    const quote: Quote = escape !== undefined ? 'e' : token.startsWith('"') ? '"' : "'"
    for (const { 0: variable, 1: name = '', index: at } of token.matchAll(/\$\{([A-Za-z_]\w*)\}/g))
      found.push({ start: index + at, end: index + at + variable.length, name, quote })
  }
  return found
}
