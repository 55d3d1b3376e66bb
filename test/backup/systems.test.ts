import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import * as dbkit from 'dbkit'
import type { BackupManifest, DatabaseReport } from 'dbkit'
import { makeFolder, type Folder } from '../support/cli.js'
import { sampled } from '../support/prove.js'
import { createServerDatabase, noteEngine, serverUrl } from '../support/server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const environment = { HOME: process.env['HOME'], PATH: process.env['PATH'] }
const SYSTEMS = ['happyrobot', 'smartscheduler', 'escalation', 'delauto'] as const
const ON_A_SERVER = SYSTEMS.flatMap((name) =>
  (['custom', 'plain'] as const).map((format) => [name, format] as const),
)

const only = ({ databases }: dbkit.Report): DatabaseReport => databases[0] as DatabaseReport

/** The four systems with their sample rows: extensions, ledgers and all, there and back. */
async function filled(config: dbkit.Config): Promise<void> {
  expect(await dbkit.migrateUp(config)).toMatchObject({ ok: true })
  expect(await dbkit.seed(config)).toMatchObject({ ok: true })
}

async function backUp(config: dbkit.Config, options: dbkit.BackupOptions): Promise<BackupManifest> {
  const report = only(await dbkit.backup(config, options))
  if (report.backup === undefined) throw new Error(JSON.stringify(report))
  return report.backup.manifest
}

/** What a backup says of the content, and not of the file. */
function contentOf({ catalogHash, objects, tables, sequences, extensions, ledger }: BackupManifest): object {
  return { catalogHash, objects, tables, sequences, extensions, ledger }
}

async function refusals(file: string, restore: () => Promise<dbkit.Report>): Promise<readonly string[]> {
  const bytes = readFileSync(file)
  const codes: string[] = []
  const tried = async (): Promise<void> => {
    const error = await restore().then(
      (report) => only(report).error,
      (thrown: unknown) => thrown as dbkit.DbkitError,
    )
    codes.push(error?.code ?? 'none')
  }
  const altered = Buffer.from(bytes)
  const middle = Math.floor(bytes.length / 2)
  altered.writeUInt8(altered.readUInt8(middle) ^ 1, middle)
  writeFileSync(file, altered)
  await tried()
  writeFileSync(file, bytes)
  truncateSync(file, middle)
  await tried()
  writeFileSync(file, bytes)
  return codes
}

describe('the systems on the embedded engine', () => {
  test.each(sampled(SYSTEMS, 1))(
    '%s comes back the same in catalog and rows, and neither altered nor cut off',
    async (name) => {
      const folder: Folder = makeFolder({})
      try {
        for (const part of ['sql', 'seeds'])
          cpSync(join(root, part, name), join(folder.path, part, name), { recursive: true })
        const config = await dbkit.settleConfig(
          { embedded: true, dir: join(folder.path, 'sql', name, 'migrations'), database: [name] },
          { cwd: folder.path, environment },
        )
        noteEngine('embedded PGlite 0.5.8')
        await filled(config)
        const [file, again] = [join(folder.path, 'first.tar.gz'), join(folder.path, 'again.tar.gz')]
        const manifest = await backUp(config, { out: file })
        expect(manifest.tables.filter(({ rows }) => rows > 0).length).toBeGreaterThan(5)
        expect(await refusals(file, () => dbkit.restore(config, { file, clean: true, yes: true }))).toEqual([
          'restore.tampered',
          'restore.truncated',
        ])
        expect(await dbkit.migrateStatus(config, { strict: true })).toMatchObject({ ok: true })
        expect(await dbkit.dbDrop(config, { yes: true })).toMatchObject({ ok: true })
        expect(only(await dbkit.restore(config, { file }))).toMatchObject({
          restore: { outcome: 'restored' },
        })
        expect(contentOf(await backUp(config, { out: again }))).toEqual(contentOf(manifest))
      } finally {
        folder.remove()
      }
    },
  )
})
;(serverUrl() === undefined ? describe.skip : describe)('the systems on a server', () => {
  test.each(sampled(ON_A_SERVER, 2))(
    '%s comes back the same in catalog and rows from a %s backup, and neither altered nor cut off',
    async (name, format) => {
      const folder = makeFolder({})
      const source = await createServerDatabase(name)
      const target = await createServerDatabase(`${name}_new`)
      const settled = (url: string) =>
        dbkit.settleConfig(
          { url, config: join(root, 'dbkit.config.ts'), database: [name] },
          { cwd: root, environment },
        )
      try {
        await filled(await settled(source.url))
        const [file, again] = [join(folder.path, 'first'), join(folder.path, 'again')]
        const manifest = await backUp(await settled(source.url), { out: file, format })
        expect(manifest.tables.filter(({ rows }) => rows > 0).length).toBeGreaterThan(5)
        const config = await settled(target.url)
        expect(await refusals(file, () => dbkit.restore(config, { file }))).toEqual([
          'restore.tampered',
          'restore.truncated',
        ])
        expect(only(await dbkit.restore(config, { file }))).toMatchObject({
          restore: { outcome: 'restored' },
        })
        expect(contentOf(await backUp(config, { out: again, format }))).toEqual(contentOf(manifest))
      } finally {
        await source.drop()
        await target.drop()
        folder.remove()
      }
    },
  )
})
