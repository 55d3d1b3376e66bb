import type { ChalkInstance } from 'chalk'
import type { PortableFinding, PortableReport } from '../index.js'

/** Each use of what is lacking, with its place, and below it what to write instead. */
export function renderPortable(report: PortableReport, paint: ChalkInstance): readonly string[] {
  const { target, findings, files, statements, proof, from } = report
  const looked = `${String(statements)} statements in ${String(files)} files of the ${from === 'schema' ? 'declared schema' : 'migrations'}`
  return [
    ...findings.flatMap((finding) => renderFinding(finding, paint)),
    ...(proof.outcome === 'not-run'
      ? [`  ${paint.yellow('note')} read only, not run: ${proof.why ?? ''}`]
      : []),
    findings.length === 0
      ? `  ${paint.green('✓')} ${looked}: ${proof.outcome === 'taken' ? `PostgreSQL ${String(target)} takes them, up and down` : `nothing found that PostgreSQL ${String(target)} lacks`}`
      : `  ${paint.dim(`${looked}; ${String(findings.length)} ${findings.length === 1 ? 'place' : 'places'} that PostgreSQL ${String(target)} does not take`)}`,
  ]
}

function renderFinding(finding: PortableFinding, paint: ChalkInstance): readonly string[] {
  const { file, line, column, code, what, needs, instead, excerpt, refused } = finding
  const place = `${file}:${String(line)}:${String(column)}`
  const head =
    code === 'refused'
      ? (refused ?? '')
      : needs === what
        ? `${what} is not among --extensions`
        : `${what}: needs ${needs}`
  return [
    `  ${paint.red('✗')} ${paint.bold(place)}  ${head}  ${paint.dim(code)}`,
    ...(excerpt === undefined ? [] : [`      ${excerpt.trim()}`]),
    ...(instead === undefined ? [] : [`      instead: ${instead}`]),
    ...(refused === undefined || code === 'refused' ? [] : [`      ${paint.dim(`the server: ${refused}`)}`]),
  ]
}
