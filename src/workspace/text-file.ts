import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { makeFolder } from '../make-folder.js'

/** Every file below a folder with one of these endings, by its path there with / between the parts. Empty where there is no folder. */
export function textFilesIn(folder: string, endings: readonly string[]): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => name.split(sep).join('/'))
    .sort()
}

/** Undefined where there is none. A checkout on Windows is no difference. */
export function readTextFile(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n') : undefined
}

/** Writes a file, unless it says so already; true when it did. Whoever reads it meanwhile sees the old text or the new one. */
export function writeTextFile(file: string, text: string): boolean {
  if (readTextFile(file) === text) return false
  makeFolder(dirname(file))
  const aside = `${file}.${String(process.pid)}.tmp`
  writeFileSync(aside, text)
  renameSync(aside, file)
  return true
}

/** Removes a file, and its folder when that held nothing else. */
export function removeTextFile(file: string): void {
  rmSync(file)
  if (readdirSync(dirname(file)).length === 0) rmdirSync(dirname(file))
}
