import { clustersOf, type Cluster } from '../clusters.js'
import { diagramOf, type Box, type Diagram, type Link } from '../diagram.js'
import type { Docs } from '../docs.js'
import { markup, type Markup, type Part } from '../html.js'
import { layOut, type PlacedBox } from '../layout.js'
import { fileNameOf, slugOf } from '../slug.js'
import { renderSvg } from '../svg.js'
import { count, grid, pagePath, prose, renderPage, section, type Site } from './shell.js'

/** Beyond it the start page shows groups of tables, and each group has a diagram of its own. */
const LARGEST = 60

/** The start page of a database; a large one has a page a group of tables as well. By their paths in its folder. */
export async function startPages(site: Site, docs: Docs): Promise<ReadonlyMap<string, string>> {
  const diagram = diagramOf(docs, { columns: 'keys' })
  if (docs.tables.length <= LARGEST) {
    const svg = renderSvg(await layOut(diagram), {
      alone: false,
      hrefOf: ({ box }) => pagePath('tables', box.slug),
    })
    return new Map([
      ['index.html', page(site, docs, docs.tables.length === 0 ? undefined : viewer(docs, svg, true))],
    ])
  }
  const clusters = clustersOf(diagram)
  const pages = new Map<string, string>()
  const overview = overviewOf(diagram, clusters)
  const svg = renderSvg(await layOut(overview, { frames: false }), {
    alone: false,
    hrefOf: ({ box }) => pagePath('groups', box.slug),
  })
  pages.set(
    'index.html',
    page(
      site,
      docs,
      viewer(
        docs,
        svg,
        false,
        `${count(docs.tables.length, 'table')} in ${count(clusters.length, 'group')} that have most to do with each other. Choose a group to see its tables.`,
      ),
    ),
  )
  for (const cluster of clusters)
    pages.set(`groups/${groupFile(cluster)}`, await groupPage(site, docs, cluster))
  return pages
}

function groupFile({ name }: Cluster): string {
  return fileNameOf(slugOf(name), '.html')
}

async function groupPage(site: Site, docs: Docs, cluster: Cluster): Promise<string> {
  const keys = new Set(cluster.boxes.map(({ key }) => key))
  const placed = await layOut(diagramOf(docs, { columns: 'keys', keys }), { frames: false })
  const svg = renderSvg(placed, {
    alone: false,
    hrefOf: ({ box }: PlacedBox) => `../${pagePath('tables', box.slug)}`,
  })
  const body = markup`<h1><span class="kind">group</span> ${cluster.name}</h1>
    ${viewer(docs, svg, false)}
    ${section('tables', 'Tables', tableList(docs, keys, '../'), cluster.boxes.length)}`
  return renderPage(site, { docs, title: cluster.name, depth: 1, here: 'group', body })
}

/** A box a group, with the tables in it; a line where any of their tables refer to each other. */
function overviewOf(diagram: Diagram, clusters: readonly Cluster[]): Diagram {
  const most = 10
  const of = new Map(
    clusters.flatMap((cluster, index) => cluster.boxes.map(({ key }) => [key, index] as const)),
  )
  const boxes = clusters.map(({ name, boxes: members }, index): Box => ({
    key: `group ${String(index)}`,
    label: name,
    slug: slugOf(name),
    comment: count(members.length, 'table'),
    rows: members.slice(0, most).map(({ label }) => ({
      name: label,
      type: '',
      keys: [],
      notNull: true,
      mark: undefined,
      note: undefined,
    })),
    more: Math.max(0, members.length - most),
    mark: undefined,
  }))
  const links = new Map<string, Link>()
  for (const { from, to } of diagram.links) {
    const [a, b] = [of.get(from), of.get(to)]
    if (a === undefined || b === undefined || a === b) continue
    const name = `${String(a)} ${String(b)}`
    links.set(name, {
      name,
      from: `group ${String(a)}`,
      to: `group ${String(b)}`,
      fromColumns: [],
      toColumns: [],
      unique: false,
      optional: false,
      mark: undefined,
    })
  }
  return { title: diagram.title, boxes, links: [...links.values()] }
}

function page(site: Site, docs: Docs, diagram: Part): string {
  const { database, tables, views, routines, extensions } = docs
  const body = markup`<h1>${database}</h1>
    <dl class="facts">
      <div>
        <dt>Tables</dt>
        <dd>${tables.length}</dd>
      </div>
      <div>
        <dt>Columns</dt>
        <dd>${tables.reduce((sum, { columns }) => sum + columns.length, 0).toLocaleString('en-US')}</dd>
      </div>
      <div>
        <dt>Views</dt>
        <dd>${views.length}</dd>
      </div>
      <div>
        <dt>Functions</dt>
        <dd>${routines.length}</dd>
      </div>
      ${
        extensions.length > 0 &&
        markup`<div>
          <dt>Extensions</dt>
          <dd>${extensions.join(', ')}</dd>
        </div>`
      }
    </dl>
    ${diagram}
    ${tables.length > 0 && section('tables', 'Tables', tableList(docs, undefined, ''), tables.length)}
    ${
      views.length > 0 &&
      section(
        'views',
        'Views',
        grid(
          'list',
          ['View', 'What it is'],
          views.map(({ label, slug, comment }) => [
            markup`<a href="${pagePath('views', slug)}">${label}</a>`,
            comment,
          ]),
        ),
        views.length,
      )
    }
    ${
      routines.length > 0 &&
      section(
        'functions',
        'Functions',
        grid(
          'list',
          ['Function', 'What it does'],
          routines.map(({ label, slug, comment }) => [
            markup`<a href="${pagePath('functions', slug)}">${label}</a>`,
            comment,
          ]),
        ),
        routines.length,
      )
    }
    ${tables.length + views.length === 0 && prose('There are no tables yet.')}`
  return renderPage(site, { docs, title: database, depth: 0, here: 'start', body })
}

function tableList({ tables }: Docs, keys: ReadonlySet<string> | undefined, up: string): Markup {
  return grid(
    'list',
    ['Table', 'What it is', 'Columns'],
    tables
      .filter(({ key }) => keys === undefined || keys.has(key))
      .map(({ label, slug, comment, columns }) => [
        markup`<a href="${up}${pagePath('tables', slug)}">${label}</a>`,
        comment,
        columns.length,
      ]),
  )
}

/** Frame and buttons; the script brings them to life, and without it the diagram is a picture with links. */
function viewer(docs: Docs, svg: Markup, focus: boolean, note?: string): Markup {
  const choice =
    focus &&
    markup`<label class="focus"
      >Focus
      <select data-focus>
        <option value="">everything</option>
        ${docs.tables.map(({ label, slug }) => markup`<option value="${slug}">${label}</option>`)}
      </select></label
    >`
  return markup`<section class="viewer" aria-labelledby="diagram">
    <div class="bar">
      <h2 id="diagram">Diagram</h2>
      ${note !== undefined && markup`<p class="quiet">${note}</p>`}<span class="grow"></span>
      <div class="tools" data-tools hidden>
        ${choice}<button type="button" data-zoom="out" aria-label="Smaller">−</button
        ><button type="button" data-zoom="in" aria-label="Larger">+</button
        ><button type="button" data-zoom="fit">Fit</button>
      </div>
    </div>
    <div
      class="paper"
      data-paper
      tabindex="0"
      role="region"
      aria-label="Diagram: arrows move it, plus and minus change its size, 0 fits it"
    >
      ${svg}
    </div>
  </section>`
}
