import { describe, expect, test } from '@jest/globals'
import { canonicalView } from '../../src/catalog/view-definition.js'

/** As pg_get_viewdef of 15 and of 18 writes one view. */
const VIEWS: Readonly<Record<string, readonly [on15: string, on18: string]>> = {
  'of one table': [' SELECT a.id\n   FROM a\n  WHERE (a.n > 1);', ' SELECT id\n   FROM a\n  WHERE (n > 1);'],
  'with a query of its own': [
    ' WITH c AS (\n         SELECT a.id\n           FROM a\n        )\n SELECT c.id\n   FROM c;',
    ' WITH c AS (\n         SELECT a.id\n           FROM a\n        )\n SELECT id\n   FROM c;',
  ],
}

/** Which both write alike. */
const SET_OPERATIONS = [
  ' SELECT a.id\n   FROM a\nUNION\n SELECT b.id\n   FROM b;',
  ' SELECT a.id\n   FROM a\nUNION ALL\n SELECT b.id\n   FROM b\n  ORDER BY 1;',
  ' WITH c AS (\n         SELECT a.id,\n            a.n\n           FROM a\n        )\n SELECT c.id\n   FROM c\n  WHERE (c.n > 1)\nINTERSECT\n SELECT b.id\n   FROM b;',
  'VALUES (1)\nEXCEPT\n SELECT a.id AS column1\n   FROM a;',
]

describe('the text of a view is the same on every major', () => {
  test.each(Object.entries(VIEWS))('%s', (_, [on15, on18]) => {
    expect(canonicalView(on15, 15)).toBe(canonicalView(on18, 18))
    expect(canonicalView(on15, 15)).not.toBe(canonicalView(on15, 18))
  })

  test.each(SET_OPERATIONS)('of a set operation: %s', (text) => {
    expect(canonicalView(text, 15)).toBe(canonicalView(text, 18))
  })
})
