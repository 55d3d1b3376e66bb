import { Chalk } from 'chalk'
import type { Observer, RunEvent } from '../index.js'
import { inert, redact } from './redact.js'
import type { Terminal } from './terminal.js'

/** Shows a run while it goes on: one line that is rewritten on a terminal; in pipes only what explains a wait. */
export function showProgress(
  { stderr }: Terminal,
  { color }: { readonly color: boolean },
): { readonly observer: Observer; clear(): void } {
  const paint = new Chalk({ level: color ? 1 : 0 })
  const live = stderr.isTTY === true
  let shown = false
  const clear = (): void => {
    if (shown) stderr.write('\r\u001b[2K')
    shown = false
  }
  const line = (text: string): void => {
    clear()
    // Cut to the width: a line that wraps cannot be rewritten.
    stderr.write(paint.dim(inert(text).slice(0, Math.max(20, (stderr.columns ?? 80) - 1))))
    shown = true
  }
  const say = (text: string): void => {
    clear()
    stderr.write(`${inert(redact(text))}\n`)
  }
  let current = ''
  let saidAt = Date.now()
  // A back-fill may run for hours: in a log, a line every ten seconds says that it does.
  const sayBackfill = (event: Extract<RunEvent, { kind: 'backfill-progress' }>): void => {
    const text = `${event.database}: ${event.table}, ${describeBackfill(event)}`
    if (live) line(text)
    else if (Date.now() - saidAt >= LOG_EVERY_MS) {
      saidAt = Date.now()
      say(text)
    }
  }
  const observer = (event: RunEvent): void => {
    switch (event.kind) {
      case 'opening':
        // A cold start of the embedded engine takes seconds, in which nothing else is said.
        if (live)
          line(
            `${event.database}: ${event.engine === 'embedded' ? 'starting the embedded engine' : 'connecting'}`,
          )
        break
      case 'step-started':
        current = `${event.database}: ${event.direction === 'up' ? 'applying' : 'rolling back'} ${event.name} (${String(event.index + 1)} of ${String(event.total)})`
        if (live) line(current)
        break
      case 'statement-started':
        if (live) line(`${current}, statement ${String(event.index + 1)} of ${String(event.total)}`)
        break
      case 'step-ended':
        clear()
        break
      case 'backfill-progress':
        sayBackfill(event)
        break
      case 'fleet-progress':
        if (live)
          line(
            `${event.database}: ${String(event.done)} of ${String(event.total)}${event.failed === 0 ? '' : `, ${String(event.failed)} failed`}`,
          )
        break
      case 'seed-progress':
        if (live)
          line(
            `${event.database}: ${event.file}, ${formatBytes(event.bytes)} of ${formatBytes(event.totalBytes)}`,
          )
        break
      case 'import-progress':
        if (live) line(`${event.database}: ${describeImport(event)}`)
        break
      case 'generate-progress': {
        const rows = `${event.rows.toLocaleString('en-US')} of ${event.totalRows.toLocaleString('en-US')} rows`
        if (live) line(`${event.database}: ${event.table} ${bar(event.rows, event.totalRows)}, ${rows}`)
        break
      }
      case 'proof':
        current = `${event.database}: proving ${event.what} (${String(event.index + 1)} of ${String(event.total)})`
        if (live) line(current)
        break
      case 'maintain-progress':
        if (live) line(`${event.database}: ${describeMaintenance(event)}`)
        break
      case 'lock-wait':
        say(`${paint.yellow('waiting')} ${event.database}: the migration lock is held by ${event.holder}`)
        break
      case 'lock-retry':
        say(
          `${paint.yellow('retrying')} ${event.database}: ${event.name} did not get a lock in time, try ${String(event.attempt + 1)} in ${String(event.delayMs)} ms`,
        )
        break
      case 'engine-wait':
        say(`${paint.yellow('waiting')} ${event.database}: ${event.reason}`)
        break
      case 'notice':
        say(`${paint.dim('notice')} ${event.database}: ${event.message}`)
        break
    }
  }
  return { observer, clear }
}

/** A bar while files are read; then what is going on, because nobody knows how long the database will take. */
function describeImport(event: Extract<RunEvent, { kind: 'import-progress' }>): string {
  const documents = `${event.documents.toLocaleString('en-US')} documents`
  if (event.phase !== 'reading') return `${event.phase} ${documents}`
  return `reading ${bar(event.bytes, event.totalBytes)}, ${documents}`
}

function bar(part: number, whole: number): string {
  const share = whole === 0 ? 1 : Math.min(1, part / whole)
  const done = Math.round(share * BAR_WIDTH)
  return `${'█'.repeat(done)}${'░'.repeat(BAR_WIDTH - done)} ${String(Math.floor(share * 100)).padStart(3)} %`
}

/** The statistics know about how many rows there are; a bar would promise more. */
function describeBackfill({ rows, estimate }: Extract<RunEvent, { kind: 'backfill-progress' }>): string {
  const done = `${rows.toLocaleString('en-US')} rows done`
  return estimate === undefined || estimate < rows
    ? done
    : `${done} of about ${estimate.toLocaleString('en-US')}`
}

const LOG_EVERY_MS = 10_000
function describeMaintenance(event: Extract<RunEvent, { kind: 'maintain-progress' }>): string {
  const { task, object, done, total, phase } = event
  if (total === 0) return `${task} ${object}${phase === '' ? '' : `, ${phase}`}`
  const share = Math.min(1, done / total)
  const filled = Math.round(share * BAR_WIDTH)
  return `${task} ${object} ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${String(Math.floor(share * 100)).padStart(3)} %, ${phase}`
}

const BAR_WIDTH = 24

function formatBytes(bytes: number): string {
  return bytes < 1_000_000
    ? `${String(Math.round(bytes / 1_000))} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`
}
