import { createServer, type Server, type ServerResponse } from 'node:http'
import { existsSync, watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../config/config.js'
import { DbkitError, problem } from '../errors.js'
import { reportOf, type DatabaseReport, type Report } from '../report.js'
import { makeSite, readSite } from './docs-build.js'
import type { RunOptions } from './with-database.js'

export interface DocsServeOptions extends RunOptions {
  /** Ends the serving. */
  readonly signal: AbortSignal
  /** Default: 127.0.0.1, which nobody reaches from another machine. */
  readonly host?: string
  /** 0: any that is free. Default: 4444 */
  readonly port?: number
  /** A server on which the migrations are run. Default: the embedded engine */
  readonly shadowUrl?: string
  /** After each build: also after one that failed, which the next change may mend. */
  readonly onReport: (report: Report, url: string) => void
}

const PORT = 4444

/** Editors write a file in several steps, and a branch is switched file by file. */
const SETTLED_MS = 200

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

/** Reads the page again when it was built again; only what is served has it. */
const RELOAD = `<script>new EventSource('/dbkit-live').addEventListener('built',function(){location.reload()})</script>`

/**
 * Serves the site from memory, and builds it again whenever migrations, shapes or the configuration change, until the signal.
 *
 * @example
 * await docsServe(() => settleConfig({}, surroundings), { signal, onReport: (report, url) => console.log(url) })
 */
export async function docsServe(settle: () => Promise<Config>, options: DocsServeOptions): Promise<Report> {
  const { signal, host = '127.0.0.1' } = options
  const site = new Served()
  let report = await site.build(settle, options)
  if (site.isEmpty) return report
  const server = createServer((request, response) => {
    site.answer(request.url ?? '/', response)
  })
  const url = await listen(server, host, options.port)
  try {
    options.onReport(report, url)
    while (!isOver(signal)) {
      await changed(await settle().catch(() => undefined), signal)
      if (isOver(signal)) break
      report = await site.build(settle, options)
      options.onReport(report, url)
    }
  } finally {
    site.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return report
}

function isOver({ aborted }: AbortSignal): boolean {
  return aborted
}

class Served {
  private files: ReadonlyMap<string, string> = new Map()
  private readonly watching = new Set<ServerResponse>()

  get isEmpty(): boolean {
    return this.files.size === 0
  }

  /** A build that fails leaves the pages as they were. */
  async build(settle: () => Promise<Config>, options: DocsServeOptions): Promise<Report> {
    try {
      const config = await settle()
      const { databases, made } = await readSite(config, options)
      const ok = databases.every((one) => one.ok)
      if (ok) {
        this.files = await makeSite(config, made)
        for (const response of this.watching) response.write('event: built\ndata:\n\n')
      }
      return { command: 'docs serve', ok, databases: databases satisfies readonly DatabaseReport[] }
    } catch (error) {
      if (!(error instanceof DbkitError)) throw error
      return { command: 'docs serve', ok: false, databases: [], error: reportOf(error) }
    }
  }

  answer(url: string, response: ServerResponse): void {
    const { pathname } = new URL(url, 'http://localhost')
    if (pathname === '/dbkit-live') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.write(':\n\n')
      this.watching.add(response)
      response.on('close', () => this.watching.delete(response))
      return
    }
    const name = nameOf(pathname)
    const text = this.files.get(name)
    if (text === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('There is no such page.\n')
      return
    }
    const ending = name.slice(name.lastIndexOf('.') + 1)
    response.writeHead(200, {
      'content-type': TYPES[ending] ?? 'application/octet-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    response.end(ending === 'html' ? text.replace('</body>', `${RELOAD}</body>`) : text)
  }

  close(): void {
    for (const response of this.watching) response.end()
  }
}

/** Pages are looked up by name, so no path leads out of the site. */
function nameOf(pathname: string): string {
  let name: string
  try {
    name = decodeURIComponent(pathname.slice(1))
  } catch {
    return ''
  }
  return name === '' || name.endsWith('/') ? `${name}index.html` : name
}

async function listen(server: Server, host: string, port = PORT): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        problem(
          'docs.port',
          { host, port, reason: error.code === 'EADDRINUSE' ? 'it is taken' : error.message },
          { cause: error },
        ),
      )
    })
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return `http://${host.includes(':') ? `[${host}]` : host}:${String(bound)}/`
}

/** Resolves when a file that the site is made of has changed, or at the signal. */
async function changed(config: Config | undefined, signal: AbortSignal): Promise<void> {
  const folders = new Set<string>()
  if (config?.file !== undefined) folders.add(dirname(config.file))
  for (const { migrations, codegen } of config?.databases ?? []) {
    folders.add(migrations)
    if (typeof codegen.jsonTypes === 'string') folders.add(dirname(codegen.jsonTypes))
  }
  const watchers: FSWatcher[] = []
  await new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined
    signal.addEventListener(
      'abort',
      () => {
        resolve()
      },
      { once: true },
    )
    if (signal.aborted) resolve()
    for (const folder of folders)
      if (existsSync(folder))
        watchers.push(
          watch(folder, (_, name) => {
            // What dbkit itself writes beside the configuration is no change of it.
            if (name !== null && !/\.(?:sql|json|[cm]?[jt]s)$/.test(name)) return
            clearTimeout(timer)
            timer = setTimeout(resolve, SETTLED_MS)
          }),
        )
  })
  for (const watcher of watchers) watcher.close()
}
