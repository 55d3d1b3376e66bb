import type { FactOf } from './catalog.js'
import { create, type Statement } from './ddl-statement.js'
import { block, small } from './ddl-text.js'

export function routineStatements(routine: FactOf<'function'> | FactOf<'procedure'>): readonly Statement[] {
  return [create(routine, small(routine.details.definition))]
}

export function aggregateStatements(aggregate: FactOf<'aggregate'>): readonly Statement[] {
  const { arguments: inputs, options, parallel } = aggregate.properties
  const head = `create aggregate ${aggregate.identity.slice(0, aggregate.identity.indexOf('('))}(${small(inputs)})`
  return [
    create(
      aggregate,
      `${head} ${block([...options, ...(parallel === 'unsafe' ? [] : [`parallel = ${parallel}`])])}`,
    ),
  ]
}
