import type { Session } from '../database/database.js'
import { SqlError } from '../database/sql-error.js'
import { problem, type DbkitError } from '../errors.js'
import type { ImportFinding, ImportReport, ImportTableReport } from '../report.js'
import { bindMapping, tablesOf, type BoundCollection } from './bind-mapping.js'
import { checkStage, type PlaceOf } from './check-stage.js'
import type { MongoFile } from './find-files.js'
import { Findings, type Place } from './findings.js'
import { DocumentMapper } from './map-document.js'
import type { Mapping } from './mapping.js'
import { mergeStage } from './merge-stage.js'
import { openerOf, readDocuments, type DocumentBatch } from './read-documents.js'
import { readTarget } from './read-target.js'
import { Stage, type Guard, type StageCollection } from './stage.js'

export interface ImportRun {
  readonly mapping: Mapping
  readonly files: readonly MongoFile[]
  readonly allowDangling: boolean
  readonly skipBad: boolean
  /** Everything is done, counted, and rolled back. */
  readonly dryRun: boolean
  /** SET LOCAL. */
  readonly settings: {
    readonly searchPath: string
    readonly lockTimeoutMs: number
    readonly statementTimeoutMs: number
  }
  readonly signal: AbortSignal
  /** Makes one call to the database, unless the run is to stop. */
  readonly guard: Guard
  readonly onProgress: (progress: ImportProgress) => void
}

export interface ImportProgress {
  readonly phase: 'reading' | 'checking' | 'writing'
  readonly documents: number
  readonly bytes: number
  readonly totalBytes: number
}

export interface ImportOutcome {
  readonly report: ImportReport
  /** Why nothing was imported, when it is the documents' fault. */
  readonly error: DbkitError | undefined
}

/**
 * Imports the documents of files in one transaction: all of them are there afterwards, or none. They are staged in temporary tables as they
 * are read, looked at together, and then merged into their tables.
 */
export async function importFiles(session: Session, run: ImportRun): Promise<ImportOutcome> {
  const { settings, guard } = run
  await guard(() =>
    session.script(
      [
        'begin isolation level read committed',
        `set local search_path to ${settings.searchPath}`,
        // What a document says of time is UTC wherever it does not say otherwise.
        "set local timezone to 'UTC'",
        `set local lock_timeout=${String(settings.lockTimeoutMs)}`,
        `set local statement_timeout=${String(settings.statementTimeoutMs)}`,
        // A slow disk may leave the transaction waiting for the next documents.
        'set local idle_in_transaction_session_timeout=0',
        // The joins over all documents spill to disk with the few megabytes that are usual.
        "set local work_mem='64MB'",
      ].join(';'),
    ),
  )
  try {
    const outcome = await importStaged(session, run)
    const undone = run.dryRun || outcome.error !== undefined
    await guard(() => session.script(undone ? 'rollback' : 'commit'))
    return outcome
  } catch (error) {
    if (!session.lost) await session.script('rollback')
    throw error instanceof SqlError ? refusal(error) : error
  }
}

async function importStaged(session: Session, run: ImportRun): Promise<ImportOutcome> {
  const target = await run.guard(() => readTarget(session, tablesOf(run.mapping)))
  const known = bindMapping(run.mapping, target)
  const wanted = new Set(run.files.map(({ collection }) => collection))
  const bound = [...known.values()].filter(({ name }) => wanted.has(name))
  const stage = new Stage(session, bound, run.guard)
  try {
    await stage.create()
    return await importThrough(stage, known, bound, run)
  } finally {
    await stage.abandon()
  }
}

async function importThrough(
  stage: Stage,
  known: ReadonlyMap<string, BoundCollection>,
  bound: readonly BoundCollection[],
  run: ImportRun,
): Promise<ImportOutcome> {
  const started = performance.now()
  const findings = new Findings()
  const counts = await readAll(stage, bound, findings, run)
  const documents = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const totalBytes = run.files.reduce((sum, { size }) => sum + size, 0)
  const tell = (phase: ImportProgress['phase']): void => {
    run.onProgress({ phase, documents, bytes: totalBytes, totalBytes })
  }

  tell('checking')
  const placeOf: PlaceOf = (collection, file, at) =>
    placeIn(run.files[file], stage.collections[collection]?.name ?? '', at)
  await checkStage(stage, known, findings, placeOf, run)
  const { bad } = findings
  const refused = bad > 0 && !run.skipBad

  let tables: readonly ImportTableReport[] = []
  if (!refused) {
    tell('writing')
    tables = await mergeStage(stage)
  }
  return {
    report: {
      files: run.files.map(({ file, collection }) => ({
        file,
        collection,
        documents: counts.get(file) ?? 0,
        bad: findings.badByFile.get(file) ?? 0,
      })),
      tables,
      documents,
      bad,
      findings: inOrder(findings.all(), run.files),
      ...(findings.leftOut === 0 ? {} : { findingsLeftOut: findings.leftOut }),
      durationMs: Math.round(performance.now() - started),
    },
    error: refused ? problem('import.bad-documents', { bad, total: documents }) : undefined,
  }
}

/** Stages the documents of all files; returns how many each has. */
async function readAll(
  stage: Stage,
  bound: readonly BoundCollection[],
  findings: Findings,
  run: ImportRun,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  const progress = { documents: 0, bytes: 0 }
  const totalBytes = run.files.reduce((sum, { size }) => sum + size, 0)
  for (const [number, file] of run.files.entries()) {
    const index = bound.findIndex(({ name }) => name === file.collection)
    const [collection, staged] = [bound[index], stage.collections[index]]
    if (collection === undefined || staged === undefined) continue
    const mapper = new DocumentMapper(collection, findings, openerOf(file))
    let count = 0
    try {
      for await (const batch of readDocuments(file, run.signal)) {
        count += stageBatch(batch, { stage, staged, mapper, findings, file, number })
        progress.bytes += batch.bytes
        run.onProgress({
          phase: 'reading',
          documents: progress.documents + count,
          bytes: progress.bytes,
          totalBytes,
        })
        await stage.drain()
      }
    } catch (error) {
      throw run.signal.aborted || !isFileError(error)
        ? error
        : problem('import.unreadable-file', { file: file.file, reason: error.message }, { cause: error })
    }
    progress.documents += count
    counts.set(file.file, (counts.get(file.file) ?? 0) + count)
  }
  await stage.finish()
  return counts
}

function stageBatch(
  { documents }: DocumentBatch,
  to: {
    readonly stage: Stage
    readonly staged: StageCollection
    readonly mapper: DocumentMapper
    readonly findings: Findings
    readonly file: MongoFile
    readonly number: number
  },
): number {
  const { stage, staged, mapper, findings, file, number } = to
  let count = 0
  for (const { at, document, broken } of documents) {
    count++
    const place = placeIn(file, staged.name, at)
    if (document === undefined) {
      findings.add(place, 'unreadable', { message: broken ?? 'it cannot be read' })
      findings.reject(file.file)
      continue
    }
    const mapped = mapper.map(document, place, `${String(number)}\t${String(at)}`)
    if ('rejected' in mapped) {
      if (mapped.rejected !== undefined) stage.reject(staged, mapped.rejected)
      continue
    }
    stage.add(staged.main, mapped.line)
    for (const { list, line } of mapped.lists) {
      const table = staged.lists[list]
      if (table !== undefined) stage.add(table, line)
    }
  }
  return count
}

function placeIn(file: MongoFile | undefined, collection: string, at: number): Place {
  const name = file?.file ?? ''
  return file?.format === 'bson'
    ? { file: name, collection, document: at }
    : { file: name, collection, line: at }
}

/** By file and place: the order in which somebody goes through them. Sorting keeps the order of what is at the same place. */
function inOrder(findings: readonly ImportFinding[], files: readonly MongoFile[]): readonly ImportFinding[] {
  const rank = new Map(files.map(({ file }, index) => [file, index]))
  const fileOf = ({ file }: ImportFinding): number => rank.get(file) ?? 0
  const placeOf = ({ line, document }: ImportFinding): number => line ?? document ?? 0
  return [...findings].sort((a, b) => fileOf(a) - fileOf(b) || placeOf(a) - placeOf(b))
}

/** Of the disk or of a zip: a code of the system, or of zlib. */
function isFileError(error: unknown): error is NodeJS.ErrnoException {
  const code = (error as { code?: unknown } | undefined)?.code
  return !(error instanceof SqlError) && typeof code === 'string' && /^(?:E[A-Z]+|Z_[A-Z_]+)$/.test(code)
}

/**
 * What the database refused although the checks let it pass: a constraint that the mapping does not know. PostgreSQL adds the row that
 * failed, with whatever secrets stand in it; only the names are kept.
 */
function refusal(error: SqlError): DbkitError {
  const { detail: _detail, where: _where, hint, ...fields } = error.fields
  const nameless = new SqlError(error.message, fields, undefined, error.connectionLost)
  return problem('import.refused', { message: error.message, hint }, { cause: nameless })
}
