import type { FactOf } from '../catalog/catalog.js'
import type { IndexStatistics } from './statistics.js'

/** What an index costs whoever writes, which is known without any rows; and where it is known, how often it was worth it. */
export function indexCost(
  { details, properties }: FactOf<'index'>,
  live: IndexStatistics | undefined,
): string {
  const columns = details.columns.map((column) => column ?? 'an expression')
  const rows = details.partial ? ', of rows that its condition takes' : ''
  return [
    ...(properties.valid ? [] : ['INVALID: no query uses it, and every write still pays for it.']),
    `Written on every INSERT${rows}, and on an UPDATE of ${listed([...new Set(columns)])}.`,
    ...(details.unique ? ['A second writer of the same key waits for the first.'] : []),
    ...(details.method === 'gin' ? ['GIN: an entry for each element, so a write costs many.'] : []),
    ...(live?.scans === 0 && !details.unique ? ['Never used since the statistics were reset.'] : []),
  ].join(' ')
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`
}
