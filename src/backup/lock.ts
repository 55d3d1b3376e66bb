import type { Readable } from 'node:stream'

/** What encrypts a backup while it is written. */
export interface Lock {
  readonly kind: 'passphrase' | 'recipients'
  encrypt(source: Readable): Promise<Readable>
}

/** What decrypts it while it is read. Fails with `restore.locked` when it is not for this backup. */
export interface Key {
  decrypt(source: Readable): Promise<Readable>
}
