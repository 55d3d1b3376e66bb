import { problem } from '../../errors.js'
import { lineAround } from '../migration-file.js'
import { lineColumnAt } from '../statements.js'

/** Where a variable stands in its file. */
export interface VariablePlace {
  readonly file: string
  readonly text: string
  readonly start: number
}

/**
 * The value of a variable of the environment. One that is not set is refused: the tools put nothing in its place, and SQL with a hole in
 * it may still run.
 */
export function readVariable(
  environment: Readonly<Record<string, string | undefined>>,
  {
    name,
    operator,
    otherwise,
  }: { readonly name: string; readonly operator?: string | undefined; readonly otherwise?: string },
  place: VariablePlace,
): string {
  const value = environment[name]
  // With a colon the empty one counts as not set.
  if (value !== undefined && (value !== '' || operator?.startsWith(':') !== true)) return value
  if (operator?.endsWith('-') === true) return otherwise ?? ''
  throw problem(
    'layout.unset-variable',
    { name, what: 'environment variable' },
    { location: locationOf(place) },
  )
}

export function locationOf({ file, text, start }: VariablePlace): {
  file: string
  line: number
  column: number
  excerpt: string
} {
  return { file, ...lineColumnAt(text, start), excerpt: lineAround(text, start) }
}
