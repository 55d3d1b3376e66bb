import { sql, type Kysely, type RawBuilder } from 'kysely'

/** A function or procedure as generated types describe it. */
export interface CallableRoutine<Args, Result> {
  readonly schema: string
  readonly name: string
  readonly kind: 'function' | 'procedure'
  readonly parameters: readonly {
    readonly name: string | undefined
    readonly type: string
    readonly mode: 'in' | 'inout' | 'out' | 'variadic'
  }[]
  readonly returns: 'nothing' | 'value' | 'values' | 'row' | 'rows'
  readonly __args?: (args: Args) => void
  readonly __result?: Result
}

/**
 * Calls a function or procedure of the database by its arguments' names; those with a default may be left out.
 *
 * @example
 * import { routines } from 'dbkit/smartscheduler'
 * const free = await call(db, routines.is_contractor_available, { p_contractor_id, p_start_time, p_end_time })
 */
export async function call<DB, Args extends object, Result>(
  db: Kysely<DB>,
  routine: CallableRoutine<Args, Result>,
  // Inferred from the routine alone, or a misspelt name would be one more argument.
  args: NoInfer<Args>,
): Promise<Result> {
  const { rows } = await callText(routine, args).execute(db)
  return resultOf(routine, rows) as Result
}

function resultOf(
  { returns }: CallableRoutine<never, unknown>,
  rows: readonly Readonly<Record<string, unknown>>[],
): unknown {
  switch (returns) {
    case 'nothing':
      return undefined
    case 'value':
      return rows[0]?.['value']
    case 'values':
      return rows.map(({ value }) => value)
    case 'row':
      return rows[0]
    case 'rows':
      return rows
  }
}

/** Named notation, with each type written out: overloads are told apart, and a parameter is never of an unknown type. */
function callText<Args extends object>(
  { schema, name, kind, parameters, returns }: CallableRoutine<Args, unknown>,
  args: Args,
): RawBuilder<Record<string, unknown>> {
  const given = new Map<string, unknown>(Object.entries(args))
  const list = parameters.flatMap(({ name: parameter, type, mode }, index) => {
    const key = parameter ?? String(index + 1)
    const value = mode === 'out' ? null : given.get(key)
    if (value === undefined) return []
    const typed = sql`${value}::${sql.raw(type)}`
    const variadic = mode === 'variadic' ? sql`variadic ` : sql``
    return [
      parameter === undefined ? sql`${variadic}${typed}` : sql`${variadic}${sql.ref(parameter)} => ${typed}`,
    ]
  })
  const called = sql`${sql.id(schema, name)}(${sql.join(list)})`
  if (kind === 'procedure') return sql`call ${called}`
  if (returns === 'row' || returns === 'rows') return sql`select * from ${called}`
  if (returns === 'values') return sql`select value from ${called} as called (value)`
  return sql`select ${called} as value`
}
