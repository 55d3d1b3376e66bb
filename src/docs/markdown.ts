import { clustersOf } from './clusters.js'
import { diagramOf } from './diagram.js'
import type { ColumnDoc, Docs, Named, TableDoc, Target, Use, ViewDoc } from './docs.js'
import { codeBlock, codeSpan, escapeMarkdown } from './markup.js'
import { renderMermaid } from './mermaid.js'
import { fileNameOf } from './slug.js'

/** Beyond it a diagram is no longer looked at, and GitHub no longer draws it: then there is one a group of tables. */
const LARGEST_DIAGRAM = 40

/** A folder of Markdown: a start page, and a page a table and view. By their names in the folder. */
export function renderMarkdown(docs: Docs): ReadonlyMap<string, string> {
  const pages = new Map([['README.md', startPage(docs)]])
  for (const table of docs.tables) pages.set(pageOf('tables', table.slug), tablePage(table, docs))
  for (const view of docs.views) pages.set(pageOf('views', view.slug), viewPage(view))
  return pages
}

function pageOf(folder: string, slug: string): string {
  return `${folder}/${fileNameOf(slug, '.md')}`
}

/** From the folder of one page to that of another. */
function link(label: string, folder: string, slug: string, from: '' | '../'): string {
  return `[${escapeMarkdown(label)}](${from}${pageOf(folder, slug).replaceAll('~', '%7E')})`
}

function targetLink(target: Target): string {
  const label = target.column === undefined ? target.label : `${target.label}.${target.column}`
  return link(label, target.kind === 'table' ? 'tables' : 'views', target.slug, '../')
}

function startPage(docs: Docs): string {
  const groups = clustersOf(diagramOf(docs, { columns: 'keys' }))
  const diagrams =
    docs.tables.length <= LARGEST_DIAGRAM
      ? [codeBlock('mermaid', renderMermaid(diagramOf(docs, { columns: 'keys' })))]
      : groups.flatMap(({ name, boxes }) => [
          `### Around ${escapeMarkdown(name)}`,
          codeBlock(
            'mermaid',
            renderMermaid(diagramOf(docs, { columns: 'keys', keys: new Set(boxes.map(({ key }) => key)) })),
          ),
        ])
  return page([
    `# ${escapeMarkdown(docs.database)}`,
    ...(docs.tables.length === 0 ? [] : ['## Diagram', ...diagrams]),
    ...list('Tables', docs.tables, 'tables'),
    ...list('Views', docs.views, 'views'),
    ...(docs.routines.length === 0
      ? []
      : [
          '## Functions',
          table(
            ['Function', 'Returns', 'What it does'],
            docs.routines.map(({ label, returns, comment }) => [
              codeSpan(label),
              returns === undefined ? '' : codeSpan(returns),
              says(comment),
            ]),
          ),
        ]),
    ...(docs.types.length === 0
      ? []
      : [
          '## Types',
          table(
            ['Type', 'Form', 'Values or definition', 'Comment'],
            docs.types.map(({ label, form, values, definition, fields, comment }) => [
              codeSpan(label),
              form,
              values.length > 0
                ? values.map(codeSpan).join(' ')
                : fields.length > 0
                  ? fields.map(({ name, type }) => codeSpan(`${name} ${type}`)).join(' ')
                  : codeSpan(definition),
              says(comment),
            ]),
          ),
        ]),
  ])
}

function list(title: string, things: readonly Named[], folder: string): readonly string[] {
  if (things.length === 0) return []
  return [
    `## ${title}`,
    table(
      [title.slice(0, -1), 'What it is'],
      things.map(({ label, slug, comment }) => [link(label, folder, slug, ''), says(comment)]),
    ),
  ]
}

function tablePage(doc: TableDoc, docs: Docs): string {
  const near = new Set([
    doc.key,
    ...docs.references.flatMap(({ from, to }) => (from === doc.key || to === doc.key ? [from, to] : [])),
  ])
  const around = diagramOf(docs, { columns: 'none', keys: near })
  return page([
    `# ${escapeMarkdown(doc.label)}`,
    ...(doc.comment === undefined ? [] : [escapeMarkdown(doc.comment)]),
    ...doc.notes.map(escapeMarkdown),
    ...(near.size === 1
      ? []
      : [
          '## Diagram',
          codeBlock(
            'mermaid',
            renderMermaid({
              ...around,
              links: around.links.filter(({ from, to }) => from === doc.key || to === doc.key),
            }),
          ),
        ]),
    '## Columns',
    table(
      ['Column', 'Type', 'Null', 'Default', 'What it is'],
      doc.columns.map((column) => [
        `${codeSpan(column.name)}${column.keys.length === 0 ? '' : ` ${column.keys.join(' ')}`}`,
        codeSpan(column.type),
        column.notNull ? 'no' : 'yes',
        defaultOf(column),
        columnText(column),
      ]),
    ),
    ...(doc.constraints.length === 0
      ? []
      : [
          '## Constraints',
          table(
            ['Constraint', 'Definition', 'Comment'],
            doc.constraints.map(({ name, definition, remarks, comment }) => [
              codeSpan(name),
              codeSpan(definition),
              [says(comment), ...remarks].filter(Boolean).join('; '),
            ]),
          ),
        ]),
    ...(doc.indexes.length === 0
      ? []
      : [
          '## Indexes',
          table(
            ['Index', 'Definition', 'What it costs'],
            doc.indexes.map(({ name, definition, cost }) => [
              codeSpan(name),
              codeSpan(definition),
              escapeMarkdown(cost),
            ]),
          ),
        ]),
    ...(doc.triggers.length === 0
      ? []
      : [
          '## Triggers',
          table(
            ['Trigger', 'Definition', 'Comment'],
            doc.triggers.map(({ name, definition, comment }) => [
              codeSpan(name),
              codeSpan(definition),
              says(comment),
            ]),
          ),
        ]),
    ...(doc.policies.length === 0
      ? []
      : [
          '## Policies',
          table(
            ['Policy', 'What it lets through'],
            doc.policies.map(({ name, text }) => [codeSpan(name), codeSpan(text)]),
          ),
        ]),
    ...(doc.referencedBy.length === 0
      ? []
      : [
          '## Referenced by',
          doc.referencedBy
            .map(
              ({ fromLabel, fromSlug, columns, onDelete }) =>
                `- ${link(fromLabel, 'tables', fromSlug, '../')} by ${columns.map(codeSpan).join(', ')}${onDelete === undefined ? '' : `, on delete ${onDelete}`}`,
            )
            .join('\n'),
        ]),
    ...used(doc.usedBy),
  ])
}

function defaultOf(column: ColumnDoc): string {
  if (column.generated !== undefined) return `computed: ${codeSpan(column.generated)}`
  if (column.identity !== undefined) return `identity, ${column.identity}`
  return column.default === undefined ? '' : codeSpan(column.default)
}

function columnText(column: ColumnDoc): string {
  return [
    says(column.comment),
    column.values === undefined ? '' : `One of ${column.values.map(codeSpan).join(' ')}`,
    column.references.length === 0 ? '' : `→ ${column.references.map(targetLink).join(', ')}`,
    column.shape === undefined ? '' : `Shape: ${codeSpan(column.shape)}`,
  ]
    .filter(Boolean)
    .join('<br>')
}

function viewPage(view: ViewDoc): string {
  return page([
    `# ${escapeMarkdown(view.label)}`,
    ...(view.comment === undefined ? [] : [escapeMarkdown(view.comment)]),
    '## Columns',
    table(
      ['Column', 'Type', 'Comes from', 'What it is'],
      view.columns.map(({ name, type, sources, direct, comment }) => [
        codeSpan(name),
        codeSpan(type),
        `${direct || sources.length === 0 ? '' : 'computed from '}${sources.map(targetLink).join(', ')}`,
        says(comment),
      ]),
    ),
    '## Definition',
    codeBlock('sql', view.definition),
    ...used(view.usedBy),
  ])
}

function used(uses: readonly Use[]): readonly string[] {
  if (uses.length === 0) return []
  const lines = uses.map(
    ({ kind, label, slug, inText }) =>
      `- ${kind} ${kind === 'view' ? link(label, 'views', slug, '../') : codeSpan(label)}${inText ? ' (named in its text)' : ''}`,
  )
  return ['## Used by', lines.join('\n')]
}

function says(comment: string | undefined): string {
  return comment === undefined ? '' : escapeMarkdown(comment)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function page(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`
}
