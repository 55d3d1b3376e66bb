import { DBKIT_VERSION, HAZARDS, type LintFinding, type LintedMigration, type Report } from '../index.js'

/** From the folder of the configuration, as reports name files, to the top of the sources; with slashes. */
export type PathOf = (file: string) => string

interface Placed {
  readonly migration: LintedMigration
  readonly finding: LintFinding
  readonly reason?: string
}

function findingsOf(report: Report): readonly Placed[] {
  return report.databases.flatMap(({ lint }) =>
    (lint?.migrations ?? []).flatMap((migration) => [
      ...migration.findings.map((finding) => ({ migration, finding })),
      ...migration.allowed.map(({ reason, ...finding }) => ({ migration, finding, reason })),
    ]),
  )
}

/** SARIF 2.1.0, as GitHub's code scanning and most editors read it. What a file allows is there as suppressed. */
export function renderSarif(report: Report, pathOf: PathOf): string {
  const codes = Object.keys(HAZARDS)
  const failures = report.databases.flatMap(({ error }) => (error === undefined ? [] : [error]))
  const document = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'dbkit',
            version: DBKIT_VERSION,
            rules: Object.entries(HAZARDS).map(([id, { title, traffic, safeWay }]) => ({
              id,
              shortDescription: { text: title },
              fullDescription: { text: traffic },
              help: { text: safeWay },
              defaultConfiguration: { level: 'error' },
            })),
          },
        },
        invocations: [
          {
            executionSuccessful: failures.length === 0,
            toolExecutionNotifications: failures.map(({ message }) => ({
              level: 'error',
              message: { text: message },
            })),
          },
        ],
        originalUriBaseIds: {
          '%SRCROOT%': {
            description: {
              text: 'The top folder of the git repository; the current folder where there is none.',
            },
          },
        },
        columnKind: 'unicodeCodePoints',
        results: findingsOf(report).map(({ migration, finding, reason }) => ({
          ruleId: finding.code,
          ruleIndex: codes.indexOf(finding.code),
          level: 'error',
          message: { text: textOf(finding) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(pathOf(migration.file)), uriBaseId: '%SRCROOT%' },
                region: { startLine: finding.line, startColumn: finding.column },
              },
            },
          ],
          // Where one result has this property, all of them have to.
          suppressions: reason === undefined ? [] : [{ kind: 'inSource', justification: reason }],
        })),
      },
    ],
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

function uriOf(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/')
}

function textOf({ message, traffic, safeWay, rewrite }: LintFinding): string {
  return [message, traffic, `Instead: ${safeWay}`, ...(rewrite === undefined ? [] : ['', rewrite])].join('\n')
}

/** Workflow commands: GitHub shows each beside the line of the pull request. */
export function renderGithub(report: Report, pathOf: PathOf): string {
  return findingsOf(report)
    .filter(({ reason }) => reason === undefined)
    .map(({ migration, finding }) => {
      const about = {
        file: pathOf(migration.file),
        line: String(finding.line),
        col: String(finding.column),
        title: `dbkit ${finding.code}`,
      }
      const properties = Object.entries(about).map(([name, value]) => `${name}=${escapeProperty(value)}`)
      return `::error ${properties.join(',')}::${escapeText(textOf(finding))}\n`
    })
    .join('')
}

function escapeText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeText(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
