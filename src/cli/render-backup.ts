import type { ChalkInstance } from 'chalk'
import type { BackupManifest, BackupReport, RestoreReport } from '../index.js'

interface Options {
  readonly paint: ChalkInstance
  readonly time: (milliseconds: number) => string
}

export function renderBackup(
  { file, manifest, durationMs }: BackupReport,
  { paint, time }: Options,
): readonly string[] {
  return [
    `  ${paint.green('✓')} ${file}  ${paint.dim(`${size(manifest.bytes)}  ${time(durationMs)}`)}`,
    `      ${paint.dim(describe(manifest))}`,
    `      ${paint.dim(`sha256 ${manifest.sha256}`)}`,
  ]
}

const WORDS = {
  verified: 'proved in a scratch database, which is gone again',
  restored: 'restored and proved',
  replaced: 'restored beside what was there, proved, and put in its place',
} as const

export function renderRestore(
  { file, manifest, outcome, durationMs }: RestoreReport,
  { paint, time }: Options,
): readonly string[] {
  return [
    `  ${paint.green('✓')} ${file}: ${WORDS[outcome]}  ${paint.dim(time(durationMs))}`,
    `      ${paint.dim(`of ${manifest.createdAt.slice(0, 19).replace('T', ' ')} UTC, ${describe(manifest)}`)}`,
  ]
}

function describe({ tables, content, ledger, encryption, engine }: BackupManifest): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  return [
    content === 'schema'
      ? 'schema alone'
      : `${rows.toLocaleString('en-US')} rows in ${String(tables.length)} tables`,
    content === 'data' ? 'rows alone' : '',
    `at ${ledger.head ?? 'no migration'}`,
    `PostgreSQL ${engine.version}`,
    encryption === undefined ? '' : `encrypted (${encryption})`,
  ]
    .filter((part) => part !== '')
    .join(', ')
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${String(Math.ceil(bytes / 1_000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
