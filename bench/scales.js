// Tables of Markdown from what `dbkit bench --json` wrote at several scales:
//
//   node bench/scales.js '10,000=small.json' '1 million=large.json,large-again.json'
//
// Of several files for one scale, each query is told from the run that was best in it: what others do on a machine makes a query slower and
// never faster.
import { readFileSync } from 'node:fs'

const scales = process.argv.slice(2).map((argument) => {
  const [label, files = ''] = argument.split('=')
  return { label, runs: files.split(',').map(read) }
})
const names = scales[0]?.runs[0]?.queries.map(({ name }) => name) ?? []
if (names.length === 0) throw new Error("usage: node bench/scales.js '<scale>=<file>[,<file>...]' ...")

const header = ['query', 'target', ...scales.map(({ label }) => label), 'read by']
print(header)
print(['---', ...Array.from({ length: header.length - 2 }, () => '---:'), '---'])
for (const name of names) {
  const best = scales.map(({ runs }) => bestOf(runs, name))
  const largest = best.at(-1)
  const cells = best.map(({ p50, p95, p99, met }) => {
    const times = [p50, p95, p99].map(readable).join(' / ')
    return met ? times : `**${times}**`
  })
  print([name, String(largest.within), ...cells, readBy(largest)])
}
for (const { label, runs } of scales)
  for (const { storage } of runs.slice(0, 1))
    if (storage !== undefined)
      console.log(
        `\n${label}: ${megabytes(storage.perUnit)} for ${storage.unit.toLocaleString('en')} rows of ${storage.tables.join(' and ')}, ` +
          `${megabytes(storage.ownPerUnit)} by themselves.`,
      )

function read(file) {
  const { databases } = JSON.parse(readFileSync(file, 'utf8'))
  const found = databases[0]?.bench
  if (found === undefined) throw new Error(`${file} is no answer of dbkit bench --json`)
  return found
}

function bestOf(runs, name) {
  const all = runs.map(({ queries }) => queries.find((query) => query.name === name))
  return all.reduce((best, query) => (query.p95 < best.p95 ? query : best))
}

function readBy({ indexes, scans }) {
  const all = scans.length === 0 ? [] : [`all of ${scans.join(', ')}`]
  return [...indexes.map((index) => `\`${index}\``), ...all].join(', ') || 'a function'
}

function readable(ms) {
  return ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en')
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

function print(cells) {
  console.log(`| ${cells.join(' | ')} |`)
}
