import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from './make-folder.js'

/**
 * Makes `.dbkit/`, which git is to leave alone: it holds a database and what was compiled, both of this machine only. A
 * project need not know that it exists.
 */
export function makeOwnFolder(folder: string): void {
  makeFolder(folder)
  const ignore = join(folder, '.gitignore')
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n')
}
