// Prints what CHANGELOG.md says of one version, for the page of its release.
// node scripts/release-notes.js v1.2.0 [CHANGELOG.md]
import { readFileSync } from 'node:fs'

const [tag, file = 'CHANGELOG.md'] = process.argv.slice(2)

function notesOf(changelog, version) {
  const lines = changelog.split(/\r?\n/)
  const headings = lines.flatMap((line, at) => {
    const found = /^## \[?([^\]\s]+)\]?/.exec(line)
    return found ? [{ at, version: found[1] }] : []
  })
  const index = headings.findIndex((heading) => heading.version === version)
  if (index === -1) {
    const known = headings.map((heading) => heading.version).join(', ') || 'none'
    throw new Error(`${file} has no section for ${version} (it has: ${known}).`)
  }
  const { at } = headings[index]
  if (!/ - \d{4}-\d{2}-\d{2}$/.test(lines[at].trimEnd())) {
    throw new Error(`The section for ${version} in ${file} needs its date: ## [${version}] - YYYY-MM-DD`)
  }
  // Link definitions at the end of the file belong to no version.
  const isLink = (line) => /^\[[^\]]+\]:\s/.test(line)
  const body = lines.slice(at + 1, headings[index + 1]?.at).filter((line) => !isLink(line))
  const notes = body.join('\n').trim()
  if (notes === '') throw new Error(`The section for ${version} in ${file} is empty.`)
  return notes
}

try {
  if (!tag) throw new Error('Usage: node scripts/release-notes.js <tag> [changelog]')
  console.log(notesOf(readFileSync(file, 'utf8'), tag.replace(/^v/, '')))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
