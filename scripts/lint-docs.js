// Writes the part of docs/lint.md that has a section for each hazard, from the list of hazards and the examples that test it.
// node scripts/lint-docs.js [--check]
import { readFileSync, writeFileSync } from 'node:fs'
import { HAZARDS } from '../dist/lib/index.js'

const page = new URL('../docs/lint.md', import.meta.url)
const START = '<!-- The sections below are written by scripts/lint-docs.js. -->\n'
const GROUPS = [
  ['Tables written anew', 'type-change-rewrite'],
  ['Indexes', 'index-not-concurrent'],
  ['Rows read under a lock', 'foreign-key-scan'],
  ['What fails, or has no way back', 'not-null-without-default'],
  ['What other code misses', 'drop-table'],
]

const fixture = (name) => readFileSync(new URL(`../fixtures/lint/${name}`, import.meta.url), 'utf8').trimEnd()
const sql = (text) => ['```sql', text, '```']

function section([code, { title, traffic, safeWay }]) {
  const group = GROUPS.find(([, first]) => first === code)
  return [
    ...(group === undefined ? [] : [`## ${group[0]}`, '']),
    `### ${code}`,
    '',
    `${title}. ${traffic}`,
    '',
    ...sql(fixture(`${code}/bad.sql`)),
    '',
    `**Instead:** ${safeWay}`,
    '',
    ...sql(fixture(`${code}/good.sql`)),
    '',
  ]
}

const given = ['## What the examples start from', '', ...sql(fixture('setup.sql'))]
const text = readFileSync(page, 'utf8')
const end = text.indexOf(START)
if (end < 0) throw new Error(`docs/lint.md lacks the line ${START}`)
const wanted = `${text.slice(0, end)}${START}\n${[...Object.entries(HAZARDS).flatMap(section), ...given].join('\n')}\n`
if (!process.argv.includes('--check')) writeFileSync(page, wanted)
else if (wanted !== text) {
  process.stderr.write(
    'docs/lint.md is not what the hazards and their examples say: node scripts/lint-docs.js\n',
  )
  process.exitCode = 1
}
