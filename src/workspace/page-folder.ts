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

/** Every file below a folder with one of these endings, by its path there with / between the parts. Empty where there is no folder. */
export function pagesIn(folder: string, endings: readonly string[]): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => name.split(sep).join('/'))
    .sort()
}

/** Undefined where there is none. A checkout on Windows is no difference. */
export function readPage(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n') : undefined
}

/** Writes a page whole, unless it says so already; true when it did. */
export function writePage(file: string, text: string): boolean {
  if (readPage(file) === text) return false
  mkdirSync(dirname(file), { recursive: true })
  const aside = `${file}.${String(process.pid)}.tmp`
  writeFileSync(aside, text)
  renameSync(aside, file)
  return true
}

/** Removes a page, and its folder when that held nothing else. */
export function removePage(folder: string, page: string): void {
  const file = join(folder, page)
  rmSync(file)
  if (readdirSync(dirname(file)).length === 0) rmdirSync(dirname(file))
}
