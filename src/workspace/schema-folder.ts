import { dirname, join } from 'node:path'
import { readTextFile, textFilesIn } from './text-file.js'

/** The declared schema of a database stands beside its migrations: sql/<database>/schema. */
export function schemaFolderOf({ migrations }: { readonly migrations: string }): string {
  return join(dirname(migrations), 'schema')
}

/** Every .sql file below a folder, by its path there with / between the parts; line ends are \n. Empty where there is no folder. */
export function readSqlFiles(folder: string): ReadonlyMap<string, string> {
  return new Map(
    textFilesIn(folder, ['.sql']).map((name) => [name, readTextFile(join(folder, name)) ?? ''] as const),
  )
}
