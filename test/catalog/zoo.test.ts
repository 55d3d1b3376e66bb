import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { factsOf, type Catalog, type FactKind } from '../../src/catalog/catalog.js'
import { compareCatalogs, describeDifference } from '../../src/catalog/compare.js'
import { declaredFiles, notWritten, singleFile } from '../../src/catalog/declared-schema.js'
import { canonicalText, catalogHash } from '../../src/catalog/hash.js'
import { readCatalog } from '../../src/catalog/read-catalog.js'
import type { Session } from '../../src/database/database.js'
import {
  canDump,
  dumpSchema,
  makeRoles,
  openOnEmbedded,
  openOnServer,
  type OpenDatabase,
} from '../support/databases.js'
import { serverUrl } from '../support/server.js'

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/catalog/${name}`, import.meta.url), 'utf8')
const ROLES = ['zoo_keeper', 'zoo_visitor']

/** Kinds that the zoo cannot hold everywhere. */
const NOT_EMBEDDED: readonly FactKind[] = ['subscription']

const KINDS: readonly FactKind[] = [
  'access method',
  'aggregate',
  'cast',
  'collation',
  'column',
  'constraint',
  'conversion',
  'default privileges',
  'domain',
  'event trigger',
  'extension',
  'foreign data wrapper',
  'foreign table',
  'function',
  'grant',
  'index',
  'language',
  'materialized view',
  'operator',
  'operator class',
  'operator family',
  'policy',
  'procedure',
  'publication',
  'rule',
  'schema',
  'sequence',
  'server',
  'statistics',
  'subscription',
  'table',
  'text search configuration',
  'text search dictionary',
  'text search parser',
  'text search template',
  'transform',
  'trigger',
  'type',
  'user mapping',
  'view',
]

function differences(before: Catalog, after: Catalog): readonly string[] {
  const { differences: all, notes } = compareCatalogs(before, after)
  return [...all.flatMap(describeDifference), ...notes]
}

/** Loads what is written of a catalog, and the one thing that is not written: a password. */
async function load(session: Session, catalog: Catalog): Promise<void> {
  await session.script(singleFile(catalog))
  await session.script('reset all')
  await session.script(`alter user mapping for public server remote options (add password 'hidden')`)
}

async function fill(session: Session, ...files: readonly string[]): Promise<void> {
  await makeRoles(session, ROLES)
  for (const file of files) await session.script(fixture(file))
}

describe('a database with one object of every kind on PGlite', () => {
  let zoo: OpenDatabase
  let copy: OpenDatabase
  let catalog: Catalog
  beforeAll(async () => {
    zoo = await openOnEmbedded(['pg_trgm'])
    await fill(zoo.session, 'zoo.sql')
    catalog = await readCatalog(zoo.session)
    copy = await openOnEmbedded(['pg_trgm'])
    await makeRoles(copy.session, ROLES)
  }, 180_000)
  afterAll(async () => {
    await zoo.remove()
    await copy.remove()
  })

  test('every object is a fact', () => {
    expect(catalog.unmodelled).toEqual([])
    const kinds = KINDS.filter((kind) => factsOf(catalog, kind).length > 0)
    expect(kinds).toEqual(KINDS.filter((kind) => !NOT_EMBEDDED.includes(kind)))
  })

  test('reading it again gives the same hash', async () => {
    expect(catalogHash(await readCatalog(zoo.session))).toBe(catalogHash(catalog))
  })

  test('what is written of it makes the same database', async () => {
    await load(copy.session, catalog)
    const again = await readCatalog(copy.session)
    expect(differences(catalog, again)).toEqual([])
    expect(catalogHash(again)).toBe(catalogHash(catalog))
    expect(singleFile(again)).toBe(singleFile(catalog))
  })

  test('what cannot be written is said', () => {
    expect(notWritten(catalog)).toEqual([
      'written without its password: user mapping for public server remote',
    ])
  })
})

const onServer = serverUrl() === undefined ? describe.skip : describe
onServer('a database with one object of every kind on a server', () => {
  let zoo: OpenDatabase
  let copy: OpenDatabase
  let catalog: Catalog
  beforeAll(async () => {
    zoo = await openOnServer('zoo')
    await fill(zoo.session, 'zoo.sql', 'zoo.server.sql')
    catalog = await readCatalog(zoo.session)
    copy = await openOnServer('zoo')
    await load(copy.session, catalog)
  })
  afterAll(async () => {
    await zoo.session.script('drop subscription news')
    await zoo.remove()
    await copy.remove()
  })

  test('every object is a fact', () => {
    expect(catalog.unmodelled).toEqual([])
    expect(KINDS.filter((kind) => factsOf(catalog, kind).length === 0)).toEqual([])
  })

  test('what is written of it makes the same database, but for subscriptions', async () => {
    const again = await readCatalog(copy.session)
    expect(differences(catalog, again)).toEqual(['removed subscription news'])
    await copy.session.script(fixture('zoo.server.sql'))
    expect(catalogHash(await readCatalog(copy.session))).toBe(catalogHash(catalog))
    if (canDump()) expect(dumpSchema(copy.url ?? '')).toBe(dumpSchema(zoo.url ?? ''))
    await copy.session.script('drop subscription news')
  })

  test('the number of queries does not depend on the number of tables', async () => {
    const few = await countQueries(copy.session)
    await copy.session.script(`do $$ begin for i in 1..200 loop
      execute format('create table public.many_%s (id bigint primary key, name text not null, at timestamptz default now())', i);
      execute format('create index on public.many_%s (name)', i);
    end loop; end $$`)
    expect(await countQueries(copy.session)).toBe(few)
  })
})

async function countQueries(session: Session): Promise<number> {
  let count = 0
  const counting: Session = {
    get lost() {
      return session.lost
    },
    query: (sql, parameters) => {
      count++
      return session.query(sql, parameters)
    },
    execute: (sql, parameters) => {
      count++
      return session.execute(sql, parameters)
    },
    script: (sql) => {
      count++
      return session.script(sql)
    },
    alone: (before, sql, after) => session.alone(before, sql, after),
    copyIn: (sql, source) => session.copyIn(sql, source),
    copyMade: (sql, fill) => session.copyMade(sql, fill),
    cancel: () => session.cancel(),
    close: () => Promise.resolve(),
  }
  await readCatalog(counting)
  return count
}

onServer('a database of another major', () => {
  test('is brought over by making its definitions again', async () => {
    const [old, now] = [await openOnServer('zoo'), await openOnEmbedded(['pg_trgm'])]
    const direct = await openOnEmbedded(['pg_trgm'])
    try {
      await fill(old.session, 'zoo.sql')
      await makeRoles(now.session, ROLES)
      await load(now.session, await readCatalog(old.session))
      await fill(direct.session, 'zoo.sql')
      const [over, wanted] = [await readCatalog(now.session), await readCatalog(direct.session)]
      expect(differences(wanted, over)).toEqual([])
      expect(canonicalText(over)).toBe(canonicalText(wanted))
    } finally {
      await Promise.all([old.remove(), now.remove(), direct.remove()])
    }
  }, 180_000)
})

test('files of the declared schema have an object each, and a path that every file system takes', async () => {
  const zoo = await openOnEmbedded(['pg_trgm'])
  try {
    await fill(zoo.session, 'zoo.sql')
    const files = declaredFiles(await readCatalog(zoo.session))
    const paths = [...files.keys()]
    expect(paths).toContain('tables/zoo.animals.sql')
    expect(paths).toContain('triggers/zoo.animals.touch.sql')
    expect(paths.filter((path) => !/^[a-z_]+\/[\p{L}\p{N}_.%~-]+\.sql$/u.test(path))).toEqual([])
    expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(paths.length)
  } finally {
    await zoo.remove()
  }
}, 120_000)
