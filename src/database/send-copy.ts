import type { Writable } from 'node:stream'
import type pg from 'pg'
import type { FillPage } from './database.js'
import { COPY_PAGE } from './copy-text.js'

/** CopyData: its letter, and how long it is. */
const HEAD = 5
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4])
/** After so many pages whatever else there is has its turn: an error of the server, Ctrl-C. */
const TURN = 16

/**
 * `COPY ... FROM STDIN` of bytes that are made on the way, in pages that are used again and again: one is filled while the other is being
 * sent, and none is kept for the garbage collector. Returns how many rows PostgreSQL has taken.
 */
export function sendCopy(
  client: pg.Client,
  sql: string,
  fill: FillPage,
  failed: (thrown: unknown) => Error,
): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const settle = {
      resolve,
      reject(thrown: unknown) {
        reject(failed(thrown))
      },
      refuse: reject,
    }
    client.query(new CopyFrom(sql, fill, settle) as unknown as pg.Submittable)
  })
}

/** The half of pg's connection that is needed here. */
interface Connection {
  readonly stream: Writable
  query(sql: string): void
  sendCopyFail(message: string): void
}

interface Settle {
  readonly resolve: (rows: number) => void
  /** The server, or the connection, has failed. */
  readonly reject: (thrown: unknown) => void
  /** What `fill` has thrown. */
  readonly refuse: (thrown: unknown) => void
}

/** What pg hands the answers of the server to. */
class CopyFrom {
  private readonly sql: string
  private readonly fill: FillPage
  private readonly settle: Settle
  private readonly pages: readonly [Buffer, Buffer] = [newPage(), newPage()]
  private turn = 0
  private ready: Buffer | undefined
  private sent = 0
  private over = false
  private failure: { readonly error: unknown } | undefined
  private rows = 0

  constructor(sql: string, fill: FillPage, settle: Settle) {
    this.sql = sql
    this.fill = fill
    this.settle = settle
  }

  submit(connection: Connection): void {
    connection.query(this.sql)
  }

  handleCopyInResponse(connection: Connection): void {
    this.send(connection, this.filled(connection))
  }

  /** While a page is on its way the next one is filled, and sent when that one has left. */
  private send(connection: Connection, page: Buffer | undefined): void {
    if (page === undefined) return
    const onward = (): void => {
      this.send(connection, this.ready)
    }
    connection.stream.write(page, (error) => {
      // That the connection is broken pg tells all that waits for it.
      if (this.over || (error !== null && error !== undefined)) return
      if (++this.sent % TURN === 0) setImmediate(onward)
      else onward()
    })
    this.ready = this.filled(connection)
  }

  /** A page with the next bytes, its head written; undefined when that was all, which the server has been told then. */
  private filled(connection: Connection): Buffer | undefined {
    if (this.over) return undefined
    const page = this.pages[this.turn === 0 ? 0 : 1]
    this.turn ^= 1
    try {
      const length = this.fill(page.subarray(HEAD))
      if (length > 0) {
        page.writeUInt32BE(length + HEAD - 1, 1)
        return page.subarray(0, HEAD + length)
      }
      connection.stream.write(COPY_DONE)
    } catch (error) {
      this.failure = { error }
      connection.sendCopyFail('what was to be copied could not be made')
    }
    this.over = true
    return undefined
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.rows = Number(/^COPY (\d+)$/.exec(text)?.[1] ?? 0)
  }

  handleReadyForQuery(): void {
    this.settle.resolve(this.rows)
  }

  handleError(error: unknown): void {
    this.over = true
    if (this.failure === undefined) this.settle.reject(error)
    else this.settle.refuse(this.failure.error)
  }
}

function newPage(): Buffer {
  const page = Buffer.allocUnsafeSlow(HEAD + COPY_PAGE)
  page[0] = 0x64
  return page
}
