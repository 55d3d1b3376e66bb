import { expect, test } from '@jest/globals'
import { extensionsOf, type Workspace } from '../../src/workspace/workspace.js'
import { makeFolder } from '../support/cli.js'

test('the extensions of a workspace are those that are created, not those that comments speak of', () => {
  const folder = makeFolder({
    '1_a.up.sql':
      '-- A bare CREATE EXTENSION names a file.\ncreate extension "uuid-ossp"; -- create extension later\n',
    '2_b.up.sql': 'do $$ begin execute $x$CREATE EXTENSION IF NOT EXISTS PostGIS$x$; end $$;',
  })
  try {
    const migrations = ['1_a', '2_b'].map((name) => ({ up: { path: `${folder.path}/${name}.up.sql` } }))
    expect(extensionsOf({ migrations } as unknown as Workspace)).toEqual(['postgis', 'uuid-ossp'])
  } finally {
    folder.remove()
  }
})
