import { basename } from 'node:path'

/** What `dbkit init` would call the database of a folder. */
export function databaseNameOf(folder: string): string {
  const name = basename(folder)
    .replaceAll(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^[^A-Za-z]+/, '')
  return name === '' ? 'app' : name
}
