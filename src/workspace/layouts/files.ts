import type { CreateContext, Folder, NewTexts, Section, TransactionRule } from './layout.js'

/** A file all of which is one script. */
export function wholeFile(folder: Folder, file: string, transaction: TransactionRule): Section {
  return {
    file,
    from: 0,
    to: folder.text(file).length,
    transaction: /\.autocommit\./.test(file) ? 'none' : transaction,
  }
}

/** A line that says what the lines below it are. */
export interface Marker {
  /** Index of its first character, and of the first one of the line below it. */
  readonly start: number
  readonly end: number
  readonly text: string
  readonly line: number
}

/** The lines of a text that a pattern matches. */
export function markersIn(text: string, pattern: RegExp): readonly Marker[] {
  const markers: Marker[] = []
  let start = 0
  for (let line = 1; start < text.length; line++) {
    const next = text.indexOf('\n', start)
    const end = next < 0 ? text.length : next + 1
    const one = text.slice(start, next < 0 ? undefined : next).replace(/\r$/, '')
    if (pattern.test(one)) markers.push({ start, end, text: one, line })
    start = end
  }
  return markers
}

/** The one file of several for different databases that is for PostgreSQL: "0001_users.postgres.up.sql" beside "0001_users.mysql.up.sql". */
export function withoutDialects(
  folder: Folder,
  names: readonly string[],
): {
  readonly names: readonly string[]
  readonly notes: readonly string[]
} {
  const others = names.filter((name) => OTHER_DIALECT.test(name))
  if (others.length === 0 && !names.some((name) => OWN_DIALECT.test(name))) return { names, notes: [] }
  const own = new Set(
    names.filter((name) => OWN_DIALECT.test(name)).map((name) => name.replace(OWN_DIALECT, '.')),
  )
  const left = new Set(others)
  // A file without a dialect is for all that have none of their own.
  for (const name of names) if (!OWN_DIALECT.test(name) && own.has(name)) left.add(name)
  const [first] = left
  return {
    names: names.filter((name) => !left.has(name)),
    notes:
      first === undefined
        ? []
        : [`${String(left.size)} files for other databases are left out, ${folder.show(first)} first`],
  }
}

const OTHER_DIALECT =
  /\.(?:mysql|mariadb|sqlite3?|cockroach(?:db)?|crdb|mssql|sqlserver|oracle|clickhouse|spanner|yugabyte)\./i
const OWN_DIALECT = /\.(?:postgres(?:ql)?|pg|pgsql)\./i

/** Of a tool that says in one place how both ways are run. */
export function isOutside(texts: NewTexts | undefined): boolean {
  return texts !== undefined && !(texts.transaction.up && texts.transaction.down)
}

/** SQL whose statements a tool that splits at semicolons would tear apart, between marks that keep it whole. */
export function keptWhole(sql: string | undefined, mark: string): string {
  if (sql === undefined) return '\n'
  return /\$|begin\s+atomic/i.test(sql) ? `-- ${mark} StatementBegin\n${sql}-- ${mark} StatementEnd\n` : sql
}

/** The version of a new file: goes on as the folder began, with a number of the same width or the time. */
export function nextNumber(
  { known, now, timestamp }: Pick<CreateContext, 'known' | 'now' | 'timestamp'>,
  width: number | 'timestamp',
): string {
  const digits = known.map(({ name }) => /^\d+/.exec(name)?.[0] ?? '').filter((one) => one !== '')
  const last = digits.at(-1)
  if (
    timestamp === true ||
    (timestamp === undefined && (last === undefined ? width === 'timestamp' : last.length >= 12))
  )
    return timestampOf(now)
  const highest = digits.reduce((high, one) => (BigInt(one) > high ? BigInt(one) : high), 0n)
  return String(highest + 1n).padStart(last?.length ?? (width === 'timestamp' ? 1 : width), '0')
}

export function timestampOf(now: Date): string {
  return now.toISOString().replaceAll(/\D/g, '').slice(0, 14)
}
