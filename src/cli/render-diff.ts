import type { DatabaseReport, DiffReport } from '../index.js'

/** SQL on stdout that a client can run; all that is said about it is a comment. */
export function renderDiff(report: DatabaseReport, diff: DiffReport): readonly string[] {
  const { database, notes = [], engine } = report
  const told = [
    ...(report.files ?? []).map((file) => `-- the way back: ${file}`),
    ...notes.map((note) => `-- note: ${note}`),
  ]
  // What went wrong is told as an error.
  if (report.error !== undefined) return told
  if (diff.equal) return [`-- ${database}: nothing to do, ${diff.from} and ${diff.to} are the same`, ...told]
  const version = engine?.version === undefined ? '' : ` ${engine.version}`
  const rows = `${diff.rows.toLocaleString('en-US')} ${diff.rows === 1 ? 'row' : 'rows'}`
  return [
    `-- ${database}: from ${diff.from} to ${diff.to}`,
    `-- run on PostgreSQL${version} with ${rows} in the tables: it gets there and keeps them`,
    ...diff.losses.map((loss) => `-- loses ${loss}`),
    ...told,
    ...diff.up.flatMap(({ sql }, index) => [
      ...(diff.up.length > 1 ? ['', `-- transaction ${String(index + 1)} of ${String(diff.up.length)}`] : []),
      '',
      sql.trimEnd(),
    ]),
  ]
}
