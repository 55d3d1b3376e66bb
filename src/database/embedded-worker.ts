import { parentPort, workerData } from 'node:worker_threads'
import type { PGlite } from '@electric-sql/pglite'
import { decodeReply, encodeQuery } from './simple-query.js'

/**
 * The embedded engine, on a thread of its own: a statement in WASM blocks its event loop until it ends, so only a thread
 * that can be terminated lets Ctrl-C and timeouts work.
 */

export interface WorkerSettings {
  readonly dataDir: string
  /** Names of PostgreSQL extensions whose files the engine has to carry; each costs time at every start. */
  readonly extensions: readonly string[]
  /** A tar of a data folder that a new database starts from. */
  readonly load?: Uint8Array | undefined
}

export type WorkerRequest =
  | {
      readonly id: number
      readonly do: 'query'
      readonly sql: string
      readonly parameters: readonly (string | null)[]
    }
  | {
      readonly id: number
      readonly do: 'execute'
      readonly sql: string
      readonly parameters: readonly (string | null)[]
    }
  | { readonly id: number; readonly do: 'script'; readonly sql: string }
  | { readonly id: number; readonly do: 'copy'; readonly sql: string; readonly chunks: readonly Uint8Array[] }
  | {
      readonly id: number
      readonly do: 'protocol'
      readonly message: Uint8Array
      /** What a `COPY ... FROM '/dev/blob'` in the message reads. */
      readonly blob: readonly Uint8Array[]
    }
  | { readonly id: number; readonly do: 'dump' }
  | { readonly id: number; readonly do: 'close' }

export interface WorkerError {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Text, and the types that it is of. */
export interface UntypedResult {
  readonly rows: readonly (readonly (string | null)[])[]
  readonly fields: readonly { readonly name: string; readonly type: number }[]
  readonly affected: number
}

export type WorkerReply =
  | ({ readonly id: number } & UntypedResult)
  | { readonly id: number; readonly rows: readonly (readonly (string | null)[])[] }
  | { readonly id: number; readonly count: number }
  | { readonly id: number; readonly bytes: Uint8Array }
  | { readonly id: number; readonly error: WorkerError }
  | { readonly notice: string }

/**
 * For each function that an extension defines, PGlite lists the names of everything in its library, to tell a position that nobody reads.
 * PostGIS defines a thousand of tens of thousands, and half of the time of CREATE EXTENSION went there. So the list of a library is kept;
 * this thread runs nothing but the engine.
 */
function listLibrariesOnce(): void {
  const list = Object.keys.bind(Object)
  const lists = new WeakMap<object, string[]>()
  Object.keys = (from: object) => {
    const known = lists.get(from)
    if (known !== undefined) return known
    const names = list(from)
    if (
      names.length > 1_000 &&
      names.slice(0, 100).some((name) => Reflect.get(from, name) instanceof Function)
    )
      lists.set(from, names)
    return names
  }
}

/** Where PGlite's extensions come from; PostgreSQL's name is not always a JavaScript name. */
async function loadExtension(name: string): Promise<unknown> {
  if (name === 'postgis') return (await import('@electric-sql/pglite-postgis')).postgis
  const module = name.replaceAll('-', '_')
  return ((await import(`@electric-sql/pglite/contrib/${module}`)) as Record<string, unknown>)[module]
}

async function start(settings: WorkerSettings): Promise<PGlite> {
  if (settings.extensions.length > 0) listLibrariesOnce()
  const { PGlite } = await import('@electric-sql/pglite')
  const extensions: Record<string, never> = {}
  for (const name of settings.extensions)
    extensions[name.replaceAll('-', '_')] = (await loadExtension(name)) as never
  const { load, dataDir } = settings
  return PGlite.create({
    dataDir,
    extensions,
    ...(load === undefined ? {} : { loadDataDir: new Blob([load as Uint8Array<ArrayBuffer>]) }),
  })
}

/** Values cross as PostgreSQL's text, in both directions, as they do on the server's side of the port. */
const asIs = (value: unknown): string => value as string

function identities(known: object): Record<string, typeof asIs> {
  return Object.fromEntries(Object.keys(known).map((oid) => [oid, asIs]))
}

function toError(thrown: unknown): WorkerError {
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as Error &
    Record<string, unknown>
  const names = [
    'code',
    'severity',
    'detail',
    'hint',
    'position',
    'where',
    'schema',
    'table',
    'column',
    'constraint',
    'dataType',
  ]
  return { message: error.message, fields: Object.fromEntries(names.map((name) => [name, error[name]])) }
}

const port = parentPort
if (port === null) throw new Error('embedded-worker.js is a worker thread of dbkit, not a program')
const send = (reply: WorkerReply): void => {
  port.postMessage(reply)
}

try {
  const db = await start(workerData as WorkerSettings)
  const parsers = identities(db.parsers)
  const serializers = identities(db.serializers)

  /**
   * The answer to protocol messages, collected here: execProtocolRaw also parses every answer and keeps all it has parsed, for ever.
   */
  const exchange = async (message: Uint8Array): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = []
    // The chunk is a view into the engine's memory, which the next one overwrites.
    await db.execProtocolRawStream(message, { onRawData: (chunk) => chunks.push(chunk.slice()) })
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
  }

  const onNotice = (notice: { message?: string | undefined }): void => {
    send({ notice: notice.message ?? '' })
  }

  const answer = async (request: WorkerRequest): Promise<WorkerReply> => {
    switch (request.do) {
      case 'query': {
        const result = await db.query<(string | null)[]>(request.sql, [...request.parameters], {
          rowMode: 'array',
          parsers,
          serializers,
          onNotice,
        })
        return { id: request.id, rows: result.rows }
      }
      case 'execute': {
        const result = await db.query<(string | null)[]>(request.sql, [...request.parameters], {
          rowMode: 'array',
          parsers,
          serializers,
          onNotice,
        })
        const fields = result.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID }))
        return { id: request.id, rows: result.rows, fields, affected: result.affectedRows ?? 0 }
      }
      case 'script': {
        const reply = decodeReply(await exchange(encodeQuery(request.sql)))
        for (const notice of reply.notices) send({ notice })
        return reply.error === undefined
          ? { id: request.id, rows: reply.rows }
          : {
              id: request.id,
              error: {
                message: reply.error['message'] ?? '',
                fields: { ...reply.error, completed: reply.completed },
              },
            }
      }
      case 'copy': {
        // COPY FROM STDIN hangs this engine; it reads the same bytes from a device of its own.
        const blob = new Blob(request.chunks as Uint8Array<ArrayBuffer>[])
        const result = await db.query(request.sql.replace(/\bfrom\s+stdin\b/i, "from '/dev/blob'"), [], {
          blob,
        })
        return { id: request.id, count: result.affectedRows ?? 0 }
      }
      case 'protocol': {
        // Always given, be it empty: a COPY that finds none there leaves the engine unusable.
        await db._handleBlob(new Blob(request.blob as Uint8Array<ArrayBuffer>[]))
        return { id: request.id, bytes: await exchange(request.message) }
      }
      case 'dump': {
        const tar = await db.dumpDataDir('gzip')
        return { id: request.id, bytes: new Uint8Array(await tar.arrayBuffer()) }
      }
      case 'close':
        await db.close()
        return { id: request.id, rows: [] }
    }
  }

  port.on('message', (request: WorkerRequest) => {
    answer(request).then(send, (thrown: unknown) => {
      send({ id: request.id, error: toError(thrown) })
    })
  })
  send({ id: 0, rows: [] })
} catch (thrown) {
  send({ id: 0, error: toError(thrown) })
}
