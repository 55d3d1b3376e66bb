import { createServer, connect, type Server, type Socket } from 'node:net'

/** One message of the PostgreSQL protocol on its way. */
export interface Message {
  /** Counted from 0 in the order in which clients connected. */
  readonly connection: number
  /** The letter of the protocol; '' is what opens a connection. */
  readonly type: string
  /** The body; of a Query the SQL, of a CommandComplete the tag. */
  readonly text: string
  /** Cuts this connection on both sides, as a broken cable does. */
  cut(): void
}

/** What becomes of a message. */
export type Verdict = 'forward' | 'swallow'

export interface Watch {
  /** Sees what clients send before the server does. */
  readonly onClient?: (message: Message) => Verdict
  /** Sees what the server answers before the client does. */
  readonly onServer?: (message: Message) => Verdict
  /** True: the server is not told that the client of this connection is gone, as when a network dies. */
  readonly silent?: (connection: number) => boolean
}

export interface Proxy {
  readonly port: number
  url(database: string): string
  /** Connections that were opened for work; a cancel request is none. */
  connections(): number
  /** Everything that asked the server to run something, in order. */
  queries(): readonly string[]
  close(): Promise<void>
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const CANCEL_REQUEST = 80_877_102

/** A TCP proxy in front of a server that understands the protocol, so that a test can act between two messages. */
export async function startProxy(serverPort: number, watch: Watch = {}): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const queries: string[] = []
  let connections = 0
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1')
    const both = [client, upstream]
    let connection = -1
    const cut = (): void => {
      for (const socket of both) {
        socket.destroy()
        sockets.delete(socket)
      }
    }
    for (const socket of both) {
      sockets.add(socket)
      socket.setNoDelay(true)
      // A side that breaks off ends the other one; what broke is what the test is about.
      const gone = (): void => {
        if (socket === client && watch.silent?.(connection) === true) sockets.delete(client)
        else cut()
      }
      socket.on('error', gone).on('close', gone)
    }
    const see = (type: string, text: string, ask: Watch['onClient']): Verdict =>
      ask === undefined ? 'forward' : ask({ connection, type, text, cut })

    pump(client, upstream, true, (type, body) => {
      if (type === '') {
        if (body.readInt32BE(0) === CANCEL_REQUEST) return 'forward'
        connection = connections++
      }
      const text = body.toString('utf8').replace(/\0+$/, '')
      const query = type === 'Q' ? text : type === 'P' ? (text.split('\0')[1] ?? '') : undefined
      if (query !== undefined) queries.push(query)
      return see(type, query ?? text, watch.onClient)
    })
    pump(upstream, client, false, (type, body) =>
      see(type, body.toString('utf8').replace(/\0+$/, ''), watch.onServer),
    )
  })
  const port = await listen(server)
  return {
    port,
    url: urlAt(port),
    connections: () => connections,
    queries: () => queries,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Passes on whole messages, each after it was looked at. Only the first one of a client has no letter. */
function pump(
  from: Socket,
  to: Socket,
  untypedFirst: boolean,
  look: (type: string, body: Buffer) => Verdict,
): void {
  let buffer = Buffer.alloc(0)
  let untyped = untypedFirst
  from.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk])
    for (;;) {
      const head = untyped ? 0 : 1
      if (buffer.length < head + 4) return
      const end = head + buffer.readInt32BE(head)
      if (buffer.length < end) return
      const whole = buffer.subarray(0, end)
      buffer = buffer.subarray(end)
      const type = untyped ? '' : String.fromCharCode(whole[0] ?? 0)
      untyped = false
      if (look(type, whole.subarray(head + 4)) === 'forward' && !to.destroyed) to.write(whole)
    }
  })
}

/**
 * A link that passes on what a client sends write by write, each some time after the one before: whatever must arrive together has to
 * be sent together.
 */
export async function startSlowLink(
  serverPort: number,
  delayMs: number,
): Promise<Pick<Proxy, 'url' | 'close'>> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1')
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      const gone = (): void => {
        other.destroy()
        sockets.delete(socket)
      }
      socket.on('error', gone).on('close', gone)
    }
    let passed = Promise.resolve()
    client.on('data', (chunk: Buffer) => {
      passed = passed.then(async () => {
        if (!upstream.destroyed) upstream.write(chunk)
        await new Promise((resolve) => setTimeout(resolve, delayMs))
      })
    })
    upstream.pipe(client)
  })
  const port = await listen(server)
  return {
    url: urlAt(port),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return address.port
}

const urlAt =
  (port: number) =>
  (database: string): string =>
    `postgresql://postgres@127.0.0.1:${String(port)}/${database}?sslmode=disable`
