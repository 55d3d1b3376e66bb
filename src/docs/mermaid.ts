import type { Box, Diagram, Link, Row } from './diagram.js'

/** An entity-relationship diagram as Mermaid writes it, which GitHub and GitLab draw in Markdown. */
export function renderMermaid({ boxes, links }: Diagram): string {
  const ids = idsOf(boxes)
  const lines = [
    'erDiagram',
    ...boxes.flatMap((box) => entity(box, ids.get(box.key) ?? '')),
    ...links.map((link) => relationship(link, ids)),
  ]
  return `${lines.join('\n')}\n`
}

/** Words of its grammar, which no entity may be called. */
const RESERVED = new Set([
  'erdiagram',
  'title',
  'direction',
  'style',
  'class',
  'classdef',
  'one',
  'many',
  'zero',
  'only',
  'to',
  'optionally',
  'u',
])

function idsOf(boxes: readonly Box[]): ReadonlyMap<string, string> {
  const taken = new Set<string>()
  return new Map(
    boxes.map(({ key, label }) => {
      const word = label.replaceAll(/[^A-Za-z0-9_]/g, '_')
      const start = /^[A-Za-z]/.test(word) && !RESERVED.has(word.toLowerCase()) ? word : `t_${word}`
      let id = start
      for (let number = 2; taken.has(id.toLowerCase()); number++) id = `${start}_${String(number)}`
      taken.add(id.toLowerCase())
      return [key, id]
    }),
  )
}

function entity({ label, rows, mark, more }: Box, id: string): readonly string[] {
  const shown = mark === undefined || mark === 'neighbour' ? label : `${label} (${mark})`
  const head = shown === id ? id : `${id}["${quoted(shown)}"]`
  if (rows.length === 0) return [`  ${head}`]
  return [
    `  ${head} {`,
    ...rows.map((row) => `    ${attribute(row)}`),
    ...(more === 0 ? [] : [`    etc and_${String(more)}_more`]),
    '  }',
  ]
}

function attribute({ name, type, keys, mark, note }: Row): string {
  const said = [
    ...(/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? [] : [name]),
    ...(mark === undefined ? [] : [mark]),
    ...(note === undefined ? [] : [note]),
  ]
  return [
    word(type),
    word(name),
    ...(keys.length === 0 ? [] : [keys.join(', ')]),
    ...(said.length === 0 ? [] : [`"${quoted(said.join(': '))}"`]),
  ].join(' ')
}

/** What its grammar takes for a type and a name; a comma is none of it, so "numeric(12,2)" is written numeric(12_2). */
function word(text: string): string {
  const plain = text.replaceAll(/[^A-Za-z0-9_()[\]]/g, '_')
  return /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`
}

/** Between quotes nothing but letters, digits and harmless signs: there is no escape that every renderer knows. */
function quoted(text: string): string {
  return text
    .replaceAll('"', "'")
    .replaceAll(/[\\%<>{}#;\r\n`]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function relationship(
  { from, to, fromColumns, unique, optional, mark }: Link,
  ids: ReadonlyMap<string, string>,
): string {
  const one = optional ? '|o' : '||'
  const many = unique ? 'o|' : 'o{'
  const label = [fromColumns.join(', '), ...(mark === undefined ? [] : [mark])].join(': ')
  return `  ${ids.get(to) ?? ''} ${one}--${many} ${ids.get(from) ?? ''} : "${quoted(label)}"`
}
