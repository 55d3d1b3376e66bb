import type { DoctorFinding } from './doctor-report.js'
import { advice, finding, type About } from './finding.js'

/** From https://www.postgresql.org/support/versioning/: until when a major gets fixes, and the newest minor when this dbkit was made. */
const MAJORS: Readonly<Record<number, { readonly end: string; readonly minor: number }>> = {
  14: { end: '2026-11-12', minor: 23 },
  15: { end: '2027-11-11', minor: 18 },
  16: { end: '2028-11-09', minor: 14 },
  17: { end: '2029-11-08', minor: 10 },
  18: { end: '2030-11-14', minor: 4 },
}

const OLDEST = 14
const HALF_A_YEAR_MS = 183 * 86_400_000

export function judgeVersion(version: string, { kind, now, major }: About): readonly DoctorFinding[] {
  // Which version the embedded engine is, its package says; a new one comes with a new dbkit.
  if (kind === 'embedded') return []
  const about = MAJORS[major]
  const upgrade = advice(
    'Upgrade to a newer major with pg_upgrade, or through a logical backup: dbkit backup, dbkit restore.',
  )
  if (about === undefined) {
    if (major >= OLDEST) return []
    return [
      finding(
        'server-version',
        'error',
        `PostgreSQL ${version}`,
        `dbkit works with PostgreSQL ${String(OLDEST)} and newer`,
        'Statements that it sends do not exist there.',
        upgrade,
      ),
    ]
  }
  const found: DoctorFinding[] = []
  const left = Date.parse(about.end) - now.getTime()
  if (left < HALF_A_YEAR_MS)
    found.push(
      finding(
        'server-version',
        left < 0 ? 'warning' : 'info',
        `PostgreSQL ${String(major)}`,
        left < 0 ? `has had no fixes since ${about.end}` : `gets its last fixes on ${about.end}`,
        'Holes that are found later stay open.',
        upgrade,
      ),
    )
  const minor = Number(version.split(' ')[0]?.split('.')[1])
  if (minor < about.minor)
    found.push(
      finding(
        'server-version',
        'warning',
        `PostgreSQL ${version.split(' ')[0] ?? version}`,
        `${String(major)}.${String(about.minor)} is out`,
        'A minor version holds nothing but fixes, of holes and of lost data among them.',
        advice('Install the newest minor version and restart the server: the data stay as they are.'),
      ),
    )
  return found
}
