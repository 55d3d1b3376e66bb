import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'

/** The declared schema of a database stands beside its migrations: sql/<database>/schema. */
export function schemaFolderOf({ migrations }: { readonly migrations: string }): string {
  return join(dirname(migrations), 'schema')
}

/** Every .sql file below a folder, by its path there with / between the parts; line ends are \n. Empty where there is no folder. */
export function readSqlFiles(folder: string): ReadonlyMap<string, string> {
  if (!existsSync(folder)) return new Map()
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return new Map(names.map((name) => [name.split(sep).join('/'), readSqlFile(join(folder, name)) ?? '']))
}

/** The text of a file, or undefined where there is none. A checkout on Windows is no difference. */
export function readSqlFile(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n') : undefined
}

/** Writes a file whole: whoever reads it meanwhile sees the old text or the new one. */
export function writeSqlFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const aside = `${file}.${String(process.pid)}.tmp`
  writeFileSync(aside, text)
  renameSync(aside, file)
}

/** Removes a file, and its folder when that held nothing else. */
export function removeSqlFile(file: string): void {
  rmSync(file)
  if (readdirSync(dirname(file)).length === 0) rmdirSync(dirname(file))
}
