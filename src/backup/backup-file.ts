import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { problem } from '../errors.js'
import { manifestFileOf, type BackupManifest } from './manifest.js'

/** Only its owner reads it: it holds everything. */
const MODE = 0o600

export interface Written {
  readonly bytes: number
  readonly sha256: string
}

/** Writes a stream aside and counts it; nobody meets half a backup under its name before `publish`. */
export async function writeAside(file: string, source: Readable): Promise<Written> {
  const hash = createHash('sha256')
  let bytes = 0
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  await pipeline(source, count, createWriteStream(asideOf(file), { mode: MODE, flags: 'w' }))
  return { bytes, sha256: hash.digest('hex') }
}

/** Gives it its name, the manifest last: without one it is no backup. */
export async function publish(file: string, manifest: BackupManifest): Promise<void> {
  const handle = await open(asideOf(file), 'r+')
  await handle.sync()
  await handle.close()
  await rename(asideOf(file), file)
  const place = manifestFileOf(file)
  await writeFile(`${place}.partial`, JSON.stringify(manifest, undefined, 2) + '\n', {
    mode: MODE,
    flush: true,
  })
  await rename(`${place}.partial`, place)
}

export async function discard(file: string): Promise<void> {
  await rm(asideOf(file), { force: true })
}

const asideOf = (file: string): string => `${file}.partial`

/** Reads a backup from end to end before anything is done with it. Fails with `restore.truncated` or `restore.tampered`. */
export async function checkFile(file: string, { bytes, sha256 }: BackupManifest): Promise<void> {
  const { size } = await stat(file)
  if (size !== bytes)
    throw problem('restore.truncated', { file: basename(file), bytes: size, promised: bytes })
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  if (hash.digest('hex') !== sha256) throw problem('restore.tampered', { file: basename(file) })
}
