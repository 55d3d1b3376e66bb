import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { deserialize } from 'bson'
import type { MongoFile } from './find-files.js'
import { parseExtended } from './parse-extended.js'
import { JsonSplitter, type JsonPiece } from './split-json.js'
import {
  describeType,
  isDocument,
  openBson,
  openExtended,
  type MongoDocument,
  type Open,
  type Value,
} from './values.js'

/** A document as it stands in its file, or why there is none. `at` is its line, or in a binary file its number; both from 1. */
export interface RawDocument {
  readonly at: number
  readonly document?: MongoDocument
  readonly broken?: string
}

/** The documents that a piece of a file completed; each is parsed when it is asked for. */
export interface DocumentBatch {
  readonly documents: Iterable<RawDocument>
  /** Bytes of the file that were read for it. */
  readonly bytes: number
}

/** How values of a file's documents are to be opened. */
export function openerOf({ format }: MongoFile): Open {
  return format === 'bson' ? openBson : openExtended
}

/** Reads a file piece by piece. What breaks off the file (a zip that is cut short, a disk that fails) is thrown as it is. */
export async function* readDocuments(file: MongoFile, signal: AbortSignal): AsyncGenerator<DocumentBatch> {
  const splitter = file.format === 'bson' ? new BsonReader() : new JsonReader()
  const source = createReadStream(file.path, { highWaterMark: 256 * 1024, signal })
  const stream = (file.zipped ? source.pipe(unzip(source)) : source) as Readable & AsyncIterable<Buffer>
  let before = 0
  const bytesSince = (): number => {
    const bytes = source.bytesRead - before
    before = source.bytesRead
    return bytes
  }
  for await (const chunk of stream) yield { documents: splitter.push(chunk), bytes: bytesSince() }
  yield { documents: splitter.end(), bytes: bytesSince() }
}

/** pipe() does not hand on errors. */
function unzip(source: Readable): ReturnType<typeof createGunzip> {
  const target = createGunzip({ chunkSize: 1024 * 1024 })
  source.on('error', (error) => target.destroy(error))
  return target
}

class JsonReader {
  private readonly splitter = new JsonSplitter()

  push(chunk: Buffer): Iterable<RawDocument> {
    return parsed(this.splitter.push(chunk))
  }

  end(): Iterable<RawDocument> {
    return parsed(this.splitter.end())
  }
}

function* parsed(pieces: readonly JsonPiece[]): Generator<RawDocument> {
  for (const piece of pieces) yield fromJson(piece)
}

function fromJson({ line, text, broken }: JsonPiece): RawDocument {
  if (text === undefined) return { at: line, broken: broken ?? '' }
  try {
    const value = parseExtended(text) as Value
    return isDocument(value)
      ? { at: line, document: value }
      : { at: line, broken: `it is ${describeType(value)}, expected a document` }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { at: line, broken: `it is not JSON${placeIn(error.message)}` }
  }
}

/** Only the place: some versions of Node quote the text around it, which may be anybody's secret. */
function placeIn(message: string): string {
  const position = /\bposition (\d+)/.exec(message)?.[1]
  return position === undefined ? '' : `, from character ${String(Number(position) + 1)} on`
}

/** The largest a server stores is 16 MB and a little; a length beyond this is no length. */
const LARGEST_BSON = 64 * 1024 * 1024
const SMALLEST_BSON = 5

/** A dump is one BSON document after the other, each of which begins with its length. */
class BsonReader {
  private rest: Buffer = Buffer.alloc(0)
  private number = 0
  private lost = false

  end(): Iterable<RawDocument> {
    return this.rest.length === 0 ? [] : [{ at: ++this.number, broken: 'the file ends within this document' }]
  }

  *push(chunk: Buffer): Generator<RawDocument> {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    let start = 0
    while (!this.lost && this.rest.length - start >= 4) {
      const length = this.rest.readInt32LE(start)
      if (length < SMALLEST_BSON || length > LARGEST_BSON) {
        // Without a length nobody knows where the next document begins.
        this.lost = true
        yield {
          at: ++this.number,
          broken: `the length of the document is ${String(length)} bytes; what follows cannot be read`,
        }
        break
      }
      if (this.rest.length - start < length) break
      yield this.parse(this.rest.subarray(start, start + length))
      start += length
    }
    this.rest = this.lost ? Buffer.alloc(0) : this.rest.subarray(start)
  }

  private parse(bytes: Buffer): RawDocument {
    const at = ++this.number
    try {
      return { at, document: deserialize(bytes, AS_STORED) }
    } catch (error) {
      return { at, broken: `it is not BSON: ${(error as Error).message}` }
    }
  }
}

/** Longs as bigint, and nothing made into something else that could not be told apart afterwards. */
const AS_STORED = { useBigInt64: true, promoteBuffers: false, bsonRegExp: true } as const
