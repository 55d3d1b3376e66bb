import { diagramOf, type Diagram } from '../diagram.js'
import type { ColumnDoc, Docs, IndexDoc, TableDoc, TriggerDoc, Use } from '../docs.js'
import { markup, sqlMarkup, type Markup, type Part } from '../html.js'
import { layOutAround } from '../layout.js'
import { renderSvg } from '../svg.js'
import {
  bytesText,
  chips,
  columnId,
  count,
  grid,
  madeBy,
  pagePath,
  prose,
  renderPage,
  section,
  targetLink,
  type Site,
} from './shell.js'

export function tablePage(site: Site, docs: Docs, table: TableDoc): string {
  const body = markup`<h1><span class="kind">${table.kind}</span> ${table.label}</h1>
    ${prose(table.comment)} ${facts(site, table)}
    ${table.notes.map((note) => markup`<p class="note">${note}</p>`)} ${around(docs, table)}
    ${section('columns', 'Columns', columns(site, table), table.columns.length)}
    ${table.constraints.length > 0 && section('constraints', 'Keys and constraints', constraints(site, table), table.constraints.length)}
    ${table.indexes.length > 0 && section('indexes', 'Indexes', indexGrid(site, table.indexes), table.indexes.length)}
    ${
      table.triggers.length > 0 &&
      section(
        'triggers',
        'Triggers',
        table.triggers.map((trigger) => triggerPart(site, trigger)),
        table.triggers.length,
      )
    }
    ${
      table.policies.length > 0 &&
      section(
        'policies',
        'Policies',
        grid(
          'policies',
          ['Policy', 'What it lets through', 'Comment'],
          table.policies.map(({ name, text, comment }) => [
            markup`<code>${name}</code>`,
            markup`<code>${text}</code>`,
            comment,
          ]),
        ),
      )
    }
    ${
      table.partitions.length > 0 &&
      section(
        'partitions',
        'Partitions',
        grid(
          'partitions',
          ['Partition', 'Rows'],
          table.partitions.map(({ label, bound }) => [
            markup`<code>${label}</code>`,
            markup`<code>${bound}</code>`,
          ]),
        ),
        table.partitions.length,
      )
    }
    ${table.referencedBy.length > 0 && section('referenced-by', 'Referenced by', referencedBy(table), table.referencedBy.length)}
    ${table.usedBy.length > 0 && section('used-by', 'Used by', uses(table.usedBy), table.usedBy.length)}
    ${table.events.length > 0 && section('history', 'History', history(site, table))}`
  return renderPage(site, { docs, title: table.label, depth: 1, here: table.key, body })
}

function facts(site: Site, { columns: all, size, events, indexes }: TableDoc): Markup {
  const indexed = indexes.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)
  return markup`<dl class="facts">
    <div>
      <dt>Columns</dt>
      <dd>${all.length}</dd>
    </div>
    ${
      size?.rows !== undefined &&
      markup`<div>
        <dt>Rows, about</dt>
        <dd>${size.rows.toLocaleString('en-US')}</dd>
      </div>`
    }${
      size !== undefined &&
      markup`<div>
        <dt>Size</dt>
        <dd>${bytesText(size.bytes)}, indexes ${bytesText(indexed)}</dd>
      </div>`
    }${
      events[0] !== undefined &&
      markup`<div>
        <dt>Made in</dt>
        <dd>${madeBy(events[0], site)}</dd>
      </div>`
    }
  </dl>`
}

/** What it refers to and what refers to it; nothing where there is nothing. */
function around(docs: Docs, table: TableDoc): Part {
  const links = docs.references.filter(
    ({ from, to }) => from !== to && (from === table.key || to === table.key),
  )
  if (links.length === 0) return undefined
  const near = new Set(links.flatMap(({ from, to }) => [from, to]))
  const full = diagramOf(docs, { columns: 'keys', keys: near })
  const shown = new Set(links.map(({ from, name }) => `${from} ${name}`))
  const diagram: Diagram = {
    ...full,
    boxes: full.boxes.map((box) => (box.key === table.key ? box : { ...box, rows: [], more: 0 })),
    links: full.links.filter(({ from, name }) => shown.has(`${from} ${name}`)),
  }
  const { placed, leftOut } = layOutAround(diagram, table.key)
  const svg = renderSvg(placed, { alone: false, hrefOf: ({ box }) => `../${pagePath('tables', box.slug)}` })
  return markup`<figure class="around">
    <div class="scroll" tabindex="0" role="region" aria-label="Neighbours of ${table.label}">${svg}</div>
    <figcaption>
      ${leftOut > 0 && `${String(leftOut)} more are listed below. `}<a
        href="../index.html#focus=${encodeURIComponent(table.slug)}"
        >Show in the whole diagram</a
      >
    </figcaption>
  </figure>`
}

function columns(site: Site, table: TableDoc): Markup {
  return grid(
    'cols',
    ['Column', 'Type', 'Default', 'What it is', 'Made in'],
    table.columns.map((column) => [
      markup`<a class="name" href="#${columnId(column.name)}">${column.name}</a
        >${column.keys.map((key) => markup` <abbr class="key" title="${KEY_WORDS[key]}">${key}</abbr>`)}`,
      type(column),
      defaultOf(column),
      about(column),
      madeBy(column.made, site),
    ]),
    table.columns.map(({ name }) => columnId(name)),
  )
}

const KEY_WORDS = { PK: 'part of the primary key', FK: 'refers to another table', UK: 'unique' } as const

function type(column: ColumnDoc): Markup {
  const name = markup`<code>${column.type}</code>`
  return markup`${column.typeSlug === undefined ? name : markup`<a href="../codes.html#type-${column.typeSlug}">${name}</a>`}<span
      class="null"
      >${column.notNull ? 'not null' : 'null'}</span
    >`
}

function defaultOf(column: ColumnDoc): Part {
  if (column.generated !== undefined)
    return markup`<span class="quiet">computed</span> <code>${column.generated}</code>`
  if (column.identity !== undefined) return markup`<span class="quiet">identity, ${column.identity}</span>`
  return column.default === undefined ? undefined : markup`<code>${column.default}</code>`
}

function about(column: ColumnDoc): Part {
  const { comment, values, references, shape, shownBy } = column
  return [
    ...(comment === undefined ? [] : [markup`<p class="prose">${comment}</p>`]),
    ...(values === undefined ? [] : [chips(values)]),
    ...(references.length === 0
      ? []
      : [markup`<p class="leads">→ ${joined(references.map((target) => targetLink(target)))}</p>`]),
    ...(shape === undefined
      ? []
      : [
          markup`<details>
            <summary>Shape of the JSON</summary>
            <pre tabindex="0"><code>${shape}</code></pre>
          </details>`,
        ]),
    ...(shownBy.length === 0
      ? []
      : [markup`<p class="shown">shown by ${joined(shownBy.map((target) => targetLink(target)))}</p>`]),
  ]
}

export function joined(parts: readonly Markup[]): Part {
  return parts.map((part, index) => (index === 0 ? part : markup`, ${part}`))
}

function constraints(site: Site, table: TableDoc): Markup {
  const order = ['primary key', 'unique', 'foreign key', 'exclude', 'check']
  const sorted = [...table.constraints].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type))
  return grid(
    'keys',
    ['Constraint', 'Definition', 'Notes', 'Made in'],
    sorted.map(({ name, definition, comment, remarks, made, references }) => [
      markup`<code>${name}</code>`,
      markup`<code>${sqlMarkup(definition)}</code
        >${references !== undefined && markup` <span class="leads">→ ${targetLink(references)}</span>`}`,
      [comment, ...remarks].filter((text) => text !== undefined).join('; '),
      madeBy(made, site),
    ]),
  )
}

export function indexGrid(site: Site, indexes: readonly IndexDoc[]): Markup {
  const live = indexes.some(({ bytes }) => bytes !== undefined)
  return grid(
    'indexes',
    ['Index', 'Definition', 'What it costs', ...(live ? ['Size, uses'] : []), 'Made in'],
    indexes.map((index) => [
      markup`<code>${index.name}</code
        >${index.constraint !== undefined && markup` <abbr class="key" title="behind the constraint ${index.constraint}">key</abbr>`}`,
      markup`<code
          >${sqlMarkup(index.definition.replace(/^CREATE /, '').replace(/INDEX .*? ON (?:ONLY )?.*? USING /, 'INDEX USING '))}</code
        >${index.comment !== undefined && markup`<p class="prose">${index.comment}</p>`}`,
      index.cost,
      ...(live ? [`${bytesText(index.bytes ?? 0)}, ${count(index.scans ?? 0, 'scan')}`] : []),
      madeBy(index.made, site),
    ]),
  )
}

function triggerPart(site: Site, trigger: TriggerDoc): Markup {
  const { name, definition, comment, enabled, function: called, hasPage, made } = trigger
  return markup`<div class="trigger">
    <h3><code>${name}</code>${!enabled && markup` <span class="key">disabled</span>`}</h3>
    ${prose(comment)}
    <pre tabindex="0"><code>${sqlMarkup(definition)}</code></pre>
    <p>
      Runs
      ${hasPage ? markup`<a href="../${pagePath('functions', called.slug)}">${called.label}</a>` : markup`<code>${called.label}</code>`}.
      ${madeBy(made, site)}
    </p>
    ${
      hasPage &&
      markup`<details>
        <summary>Source of ${called.label}</summary>
        <pre tabindex="0"><code>${sqlMarkup(called.source)}</code></pre>
      </details>`
    }
  </div>`
}

function referencedBy({ referencedBy: all }: TableDoc): Markup {
  return grid(
    'refs',
    ['Table', 'By', 'When a row here goes'],
    all.map(({ fromLabel, fromSlug, columns: own, toColumns, onDelete, onUpdate }) => [
      markup`<a href="../${pagePath('tables', fromSlug)}">${fromLabel}</a>`,
      markup`<a href="../${pagePath('tables', fromSlug)}#${columnId(own[0] ?? '')}">${own.join(', ')}</a>
        <span class="quiet">→ ${toColumns.join(', ')}</span>`,
      `${ON_DELETE[onDelete ?? ''] ?? 'It cannot while they refer to it'}${onUpdate === undefined ? '' : `; on update ${onUpdate}`}`,
    ]),
  )
}

const ON_DELETE: Readonly<Record<string, string>> = {
  cascade: 'They go as well (cascade)',
  'set null': 'They lose the reference (set null)',
  'set default': 'They get the default',
  restrict: 'It cannot while they refer to it',
}

export function uses(all: readonly Use[]): Markup {
  return markup`<ul class="uses">
    ${all.map(
      ({ kind, label, slug, inText }) =>
        markup`<li>
          <span class="kind">${kind}</span>
          <a
            href="../${pagePath(kind === 'view' ? 'views' : kind === 'function' ? 'functions' : 'tables', slug)}"
            >${label}</a
          >${inText && markup` <span class="quiet">named in its text</span>`}
        </li>`,
    )}
  </ul>`
}

export function history(site: Site, { events }: Pick<TableDoc, 'events'>): Markup {
  return markup`<ol class="history">
    ${events.map((event) => markup`<li>${event.what} ${madeBy(event, site)}</li>`)}
  </ol>`
}
