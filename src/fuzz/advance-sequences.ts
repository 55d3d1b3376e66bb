import { factsOf, partsOfKind, type Catalog } from '../catalog/catalog.js'
import { quoteLiteral, quoteName } from '../database/quote.js'

/**
 * Statements that put each sequence behind the keys that were given by hand: what a migration inserts then gets the next one, as it
 * would where the rows had been made by an application.
 */
export function sequencesBehindRows(catalog: Catalog): readonly string[] {
  return factsOf(catalog, 'table').flatMap(({ key, identity }) =>
    partsOfKind(catalog, key, 'column').flatMap(({ name, properties }) => {
      const named = /\bnextval\('((?:[^']|'')*)'::regclass\)/.exec(properties.default ?? '')?.[1]
      const sequence =
        properties.identity !== undefined
          ? `pg_catalog.pg_get_serial_sequence(${quoteLiteral(identity)}, ${quoteLiteral(name)})`
          : named === undefined
            ? undefined
            : `'${named}'`
      return sequence === undefined
        ? []
        : [
            `select pg_catalog.setval(${sequence}::pg_catalog.regclass, last) from (select max(${quoteName(name)})::int8 as last from ${identity}) as keys where last >= 1`,
          ]
    }),
  )
}
