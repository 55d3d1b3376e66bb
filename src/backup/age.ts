import { Readable } from 'node:stream'
import { Decrypter, Encrypter } from 'age-encryption'
import { DbkitError, problem } from '../errors.js'

/** For whom a backup is encrypted: whoever knows the passphrase, or has the identity of one of the recipients (age1...). */
export type Encryption = { readonly passphrase: string } | { readonly recipients: readonly string[] }

/** What opens it: the passphrase, or identities (AGE-SECRET-KEY-1...). */
export type Decryption = { readonly passphrase: string } | { readonly identities: readonly string[] }

/** age's format, https://age-encryption.org/v1, piece by piece: nothing is held but the piece at hand. */
export async function encrypt(source: Readable, how: Encryption): Promise<Readable> {
  const encrypter = new Encrypter()
  if ('passphrase' in how) encrypter.setPassphrase(how.passphrase)
  else
    for (const recipient of how.recipients)
      try {
        encrypter.addRecipient(recipient)
      } catch {
        throw problem('request.bad-option', {
          option: '--recipient',
          value: recipient,
          expected: 'a recipient of age, age1...',
        })
      }
  return fromWeb(await encrypter.encrypt(toWeb(source)))
}

/** Fails with `restore.locked` before anything is read of what is inside, when this does not open it; later, when a piece is not genuine. */
export async function decrypt(source: Readable, how: Decryption): Promise<Readable> {
  const decrypter = new Decrypter()
  if ('passphrase' in how) decrypter.addPassphrase(how.passphrase)
  else
    for (const identity of how.identities)
      try {
        decrypter.addIdentity(identity)
      } catch {
        throw problem('request.bad-option', {
          option: '--identity',
          value: 'a file',
          expected: 'identities of age, AGE-SECRET-KEY-1..., a line each',
        })
      }
  try {
    const opened = await decrypter.decrypt(toWeb(source))
    return Readable.from(genuine(fromWeb(opened)), { objectMode: false })
  } catch (error) {
    source.destroy()
    throw locked(
      error,
      'passphrase' in how
        ? 'this is not its passphrase'
        : 'none of these identities is one of its recipients',
    )
  }
}

async function* genuine(pieces: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of pieces) yield piece as Uint8Array
  } catch (error) {
    throw locked(error, 'a piece of it is not what was encrypted')
  }
}

function locked(error: unknown, reason: string): DbkitError {
  return error instanceof DbkitError ? error : problem('restore.locked', { reason }, { cause: error })
}

// Node's types of a web stream and those of the browser are two, and the same thing.
function toWeb(source: Readable): globalThis.ReadableStream<Uint8Array> {
  return Readable.toWeb(source)
}

function fromWeb(stream: globalThis.ReadableStream<Uint8Array>): Readable {
  return Readable.fromWeb(stream)
}
