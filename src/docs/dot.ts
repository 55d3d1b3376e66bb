import { escapeXml } from './markup.js'
import type { Box, Diagram, Link } from './diagram.js'
import { clustersOf } from './clusters.js'

/** For Graphviz: a record a table, a frame a cluster. */
export function renderDot(diagram: Diagram): string {
  const ids = new Map(diagram.boxes.map(({ key }, index) => [key, `t${String(index + 1)}`]))
  const clusters = clustersOf(diagram)
  const lines = [
    `digraph ${id(diagram.title)} {`,
    '  graph [rankdir=RL, fontname="Helvetica", nodesep=0.4, ranksep=1]',
    '  node [shape=plain, fontname="Helvetica", fontsize=10]',
    '  edge [color="#5b6b7c", arrowsize=0.7]',
    ...clusters.flatMap(({ name, boxes }, index) => [
      `  subgraph cluster_${String(index + 1)} {`,
      `    label=${id(name)}; color="#c8d0d9"; fontcolor="#5b6b7c"; style=rounded`,
      ...boxes.map(
        (box) =>
          `    ${ids.get(box.key) ?? ''} [label=<${label(box)}>, tooltip=${id(box.comment ?? box.label)}]`,
      ),
      '  }',
    ]),
    ...diagram.links.map((link) => edge(link, diagram, ids)),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

function label({ label: name, rows, more }: Box): string {
  const cells = rows.map(
    (row, index) =>
      `<TR><TD PORT="c${String(index)}" ALIGN="LEFT">${escapeXml(row.name)} <FONT COLOR="#5b6b7c">${escapeXml(row.type)}</FONT></TD></TR>`,
  )
  const rest =
    more === 0 ? '' : `<TR><TD ALIGN="LEFT"><FONT COLOR="#5b6b7c">${String(more)} more</FONT></TD></TR>`
  return `<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="4" COLOR="#c8d0d9"><TR><TD BGCOLOR="#eef1f5"><B>${escapeXml(name)}</B></TD></TR>${cells.join('')}${rest}</TABLE>`
}

function edge(
  { from, to, fromColumns, toColumns, unique, optional }: Link,
  { boxes }: Diagram,
  ids: ReadonlyMap<string, string>,
): string {
  const port = (key: string, column: string | undefined): string => {
    const row = boxes.find((box) => box.key === key)?.rows.findIndex(({ name }) => name === column) ?? -1
    return `${ids.get(key) ?? ''}${row < 0 ? '' : `:c${String(row)}`}`
  }
  return `  ${port(from, fromColumns[0])} -> ${port(to, toColumns[0])} [dir=both, arrowtail=${unique ? 'teeodot' : 'crowodot'}, arrowhead=${optional ? 'teeodot' : 'teetee'}, tooltip=${id(fromColumns.join(', '))}]`
}

function id(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll(/\s+/g, ' ')}"`
}
