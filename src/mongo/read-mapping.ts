import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { problem } from '../errors.js'
import { checkMapping } from './check-mapping.js'
import type { Mapping } from './mapping.js'

/** The mapping that a configuration names. Fails with `import.unreadable-mapping` and `import.bad-mapping`. */
export function readMapping(path: string, root: string): Mapping {
  const file = relative(root, path) || path
  return checkMapping(parse(readText(path, file), file), file)
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : (error as Error).message
    throw problem('import.unreadable-mapping', { file, reason }, { cause: error })
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw problem('import.unreadable-mapping', { file, reason: (error as Error).message }, { cause: error })
  }
}
