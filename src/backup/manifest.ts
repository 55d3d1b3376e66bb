import { readFileSync } from 'node:fs'
import { problem } from '../errors.js'

/** What a backup holds and how that is proved; a JSON file beside it. */
export interface BackupManifest {
  readonly format: 1
  readonly dbkit: string
  readonly createdAt: string
  readonly database: string
  readonly engine: { readonly kind: 'server' | 'embedded'; readonly version: string; readonly major: number }
  /** The name of the file, which lies beside this one. */
  readonly file: string
  readonly bytes: number
  readonly sha256: string
  readonly encryption?: 'passphrase' | 'recipients'
  /** custom and plain: of pg_dump · data-folder: of the embedded engine, a tar of its data */
  readonly kind: BackupKind
  readonly content: BackupContent
  /** Major of the pg_dump that wrote it. */
  readonly toolMajor?: number
  readonly extensions: readonly string[]
  readonly ledger: { readonly head?: string; readonly migrations: number }
  readonly catalogHash: string
  /** How many there are of each kind: { table: 9, view: 3 } */
  readonly objects: Readonly<Record<string, number>>
  readonly tables: readonly TableFingerprint[]
  readonly sequences: Readonly<Record<string, string>>
}

export type BackupKind = 'custom' | 'plain' | 'data-folder'
export type BackupContent = 'all' | 'schema' | 'data'

/** Enough to tell whether a row is another one, and none of the rows. */
export interface TableFingerprint {
  readonly table: string
  readonly rows: number
  /** Of all rows, whatever their order and that of the columns. */
  readonly hash: string
}

export const manifestFileOf = (file: string): string => `${file}.manifest.json`

/** Reads the manifest of a backup. Fails with `restore.no-manifest` or `restore.bad-manifest`. */
export function readManifest(file: string): BackupManifest {
  const place = manifestFileOf(file)
  let text: string
  try {
    text = readFileSync(place, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw problem('restore.no-manifest', { file, manifest: place })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw problem('restore.bad-manifest', { manifest: place, reason: 'it is no JSON' }, { cause: error })
  }
  const wrong = whatIsWrong(value)
  if (wrong !== undefined) throw problem('restore.bad-manifest', { manifest: place, reason: wrong })
  return value as BackupManifest
}

function whatIsWrong(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'it is no object'
  const manifest = value as Readonly<Record<string, unknown>>
  if (manifest['format'] !== 1)
    return `its format is ${JSON.stringify(manifest['format'])}, and this dbkit knows 1`
  const texts = ['database', 'file', 'sha256', 'catalogHash', 'kind', 'content', 'createdAt', 'dbkit']
  const missing = texts.find((key) => typeof manifest[key] !== 'string')
  if (missing !== undefined) return `${missing} is missing`
  if (!['custom', 'plain', 'data-folder'].includes(String(manifest['kind']))) return 'its kind is unknown'
  if (!['all', 'schema', 'data'].includes(String(manifest['content']))) return 'its content is unknown'
  if (typeof manifest['bytes'] !== 'number') return 'bytes is missing'
  if (!Array.isArray(manifest['tables']) || !Array.isArray(manifest['extensions']))
    return 'tables are missing'
  for (const key of ['engine', 'ledger', 'objects', 'sequences'])
    if (typeof manifest[key] !== 'object' || manifest[key] === null) return `${key} is missing`
  return undefined
}
