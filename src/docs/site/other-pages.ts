import type { Docs, MigrationDoc, RoutineDoc, TypeDoc, ViewDoc } from '../docs.js'
import { markup, Markup, sqlMarkup, type Part } from '../html.js'
import {
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
import { history, indexGrid, joined, uses } from './table-page.js'

export function viewPage(site: Site, docs: Docs, view: ViewDoc): string {
  const body = markup`<h1><span class="kind">${view.kind}</span> ${view.label}</h1>
    ${prose(view.comment)}
    <dl class="facts">
      <div>
        <dt>Columns</dt>
        <dd>${view.columns.length}</dd>
      </div>
      ${
        view.reads.length > 0 &&
        markup`<div>
          <dt>Reads</dt>
          <dd>${joined(view.reads.map((target) => targetLink(target)))}</dd>
        </div>`
      }${
        view.made !== undefined &&
        markup`<div>
          <dt>Made in</dt>
          <dd>${madeBy(view.made, site)}</dd>
        </div>`
      }
    </dl>
    ${section(
      'columns',
      'Columns',
      grid(
        'lineage',
        ['Column', 'Type', 'Comes from', 'What it is'],
        view.columns.map(({ name, type, sources, direct, comment }) => [
          markup`<a class="name" href="#${columnId(name)}">${name}</a>`,
          markup`<code>${type}</code>`,
          sources.length === 0
            ? markup`<span class="quiet">no column of a table</span>`
            : markup`${!direct && markup`<span class="quiet">computed from</span> `}${joined(sources.map((target) => targetLink(target)))}`,
          comment ?? describedBy(docs, sources, direct),
        ]),
        view.columns.map(({ name }) => columnId(name)),
      ),
      view.columns.length,
    )}
    ${view.filters.length > 0 && section('filters', 'Decides which rows there are', markup`<p>${joined(view.filters.map((target) => targetLink(target)))}</p>`)}
    ${section('definition', 'Definition', markup`<pre tabindex="0"><code>${sqlMarkup(view.definition)}</code></pre>`)}
    ${view.indexes.length > 0 && section('indexes', 'Indexes', indexGrid(site, view.indexes), view.indexes.length)}
    ${view.usedBy.length > 0 && section('used-by', 'Used by', uses(view.usedBy), view.usedBy.length)}
    ${view.events.length > 0 && section('history', 'History', history(site, view))}`
  return renderPage(site, { docs, title: view.label, depth: 1, here: view.key, body })
}

/** What a view shows as it is, is what the table says that it is. */
function describedBy(docs: Docs, sources: ViewDoc['columns'][number]['sources'], direct: boolean): Part {
  const [source] = sources
  if (!direct || source === undefined) return undefined
  const table = docs.tables.find(({ key }) => key === source.key)
  const comment = table?.columns.find(({ name }) => name === source.column)?.comment
  return comment === undefined ? undefined : markup`<span class="quiet">${comment}</span>`
}

export function routinePage(site: Site, docs: Docs, routine: RoutineDoc): string {
  const body = markup`<h1><span class="kind">${routine.kind}</span> ${routine.label}</h1>
    ${prose(routine.comment)}
    <pre
      tabindex="0"
      class="signature"
    ><code>${sqlMarkup(`${routine.name}(${routine.arguments})${routine.returns === undefined ? '' : ` returns ${routine.returns}`}`)}</code></pre>
    <dl class="facts">
      <div>
        <dt>Language</dt>
        <dd>${routine.language}</dd>
      </div>
      ${
        routine.traits.length > 0 &&
        markup`<div>
          <dt>Traits</dt>
          <dd>${routine.traits.join(', ')}</dd>
        </div>`
      }${
        routine.made !== undefined &&
        markup`<div>
          <dt>Defined in</dt>
          <dd>${madeBy(routine.made, site)}</dd>
        </div>`
      }
    </dl>
    ${section('source', 'Source', markup`<pre tabindex="0"><code>${sqlMarkup(routine.source)}</code></pre>`)}
    ${routine.mentions.length > 0 && section('mentions', 'Names in its text', markup`<p>${joined(routine.mentions.map((target) => targetLink(target)))}</p>`)}
    ${
      routine.usedBy.length > 0 &&
      section(
        'used-by',
        'Used by',
        markup`<ul class="uses">
          ${routine.usedBy.map(({ what, target }) => markup`<li>${what}${target !== undefined && markup` of ${targetLink(target)}`}</li>`)}
        </ul>`,
        routine.usedBy.length,
      )
    }`
  return renderPage(site, { docs, title: routine.label, depth: 1, here: routine.key, body })
}

/** Enums, domains and other types, and the lists of values that CHECKs have. One page, with a place for each. */
export function codesPage(site: Site, docs: Docs): string {
  const body = markup`<h1>Enums and codes</h1>
    ${
      docs.types.length > 0 &&
      section(
        'types',
        'Types',
        docs.types.map((type) => typePart(site, type)),
        docs.types.length,
      )
    }
    ${
      docs.codes.length > 0 &&
      section(
        'codes',
        'Values that checks allow',
        grid(
          'codes',
          ['Columns', 'Values'],
          docs.codes.map(({ columns, values }) => [
            markup`${lines(columns.map((target) => below(targetLink(target))))}`,
            chips(values),
          ]),
          docs.codes.map(({ slug }) => `code-${slug}`),
        ),
        docs.codes.length,
      )
    }
    ${docs.types.length + docs.codes.length === 0 && markup`<p class="quiet">No enum, no domain, and no check with a list of values.</p>`}`
  return renderPage(site, { docs, title: 'Enums and codes', depth: 0, here: 'codes', body })
}

function lines(parts: readonly Markup[]): Part {
  return parts.map((part, index) => (index === 0 ? part : markup`<br />${part}`))
}

/** On a page that lies in the database's own folder. */
function below(link: Markup): Markup {
  return new Markup(link.text.replaceAll('href="../', 'href="'))
}

function typePart(site: Site, type: TypeDoc): Markup {
  return markup`<div class="type" id="type-${type.slug}">
    <h3><span class="kind">${type.form}</span> ${type.label}</h3>
    ${prose(type.comment)}${type.values.length > 0 && chips(type.values)}${type.definition !== '' && markup`<p><code>${type.definition}</code></p>`}${
      type.fields.length > 0 &&
      grid(
        'fields',
        ['Field', 'Type'],
        type.fields.map(({ name, type: of }) => [markup`<code>${name}</code>`, markup`<code>${of}</code>`]),
      )
    }${type.usedBy.length > 0 && markup`<p class="leads">used by ${joined(type.usedBy.map((target) => below(targetLink(target))))}</p>`}${below(markup`${madeBy(type.made, site)}`)}
  </div>`
}

/** All migrations in their order, each with what it does. */
export function migrationsPage(site: Site, docs: Docs): string {
  const body = markup`<h1>Migrations</h1>
    ${docs.migrations.length === 0 && markup`<p class="quiet">There are none.</p>`}
    <ol class="timeline">
      ${docs.migrations.map(
        (migration) =>
          markup`<li>
            <h2><a href="${pagePath('migrations', migration.slug)}">${migration.name}</a></h2>
            ${writtenBy(site, migration)}${prose(migration.about)}${eventList(docs, migration)}
          </li>`,
      )}
    </ol>`
  return renderPage(site, { docs, title: 'Migrations', depth: 0, here: 'migrations', body })
}

/** More are on the migration's own page. */
const EVENTS = 8

function eventList(docs: Docs, { events }: MigrationDoc): Part {
  const merged = mergedEvents(docs, events)
  if (merged.length === 0) return undefined
  return markup`<ul class="events">
    ${merged.slice(0, EVENTS).map((line) => markup`<li>${line}</li>`)}${merged.length > EVENTS && markup`<li class="quiet">and ${merged.length - EVENTS} more</li>`}
  </ul>`
}

/** "loads: creates the table, adds index a, b": a line a table. */
function mergedEvents(docs: Docs, events: MigrationDoc['events']): readonly Markup[] {
  const found = new Map<string, string[]>()
  for (const { on, what } of events) {
    const key = on ?? ''
    const known = found.get(key) ?? []
    found.set(key, known)
    const verb = /^(adds (?:unique )?(?:index|trigger|column|constraint)) /.exec(what)?.[1]
    const last = known.at(-1)
    // The same thing again and again is said once, and counted.
    if (verb !== undefined && last?.startsWith(verb) === true && last.length > 60) {
      if (!last.endsWith('…')) known[known.length - 1] = `${last}, …`
      continue
    }
    if (verb !== undefined && last?.startsWith(`${verb} `) === true)
      known[known.length - 1] = `${last}, ${what.slice(verb.length + 1)}`
    else known.push(what)
  }
  return [...found].flatMap(([on, whats]) =>
    on === ''
      ? whats.map((what) => markup`${what}`)
      : [markup`${tableLink(docs, on)} <span class="quiet">${whats.join('; ')}</span>`],
  )
}

function tableLink(docs: Docs, relation: string): Markup {
  const label = relation.startsWith(`${docs.defaultSchema}.`)
    ? relation.slice(docs.defaultSchema.length + 1)
    : relation
  const table = docs.tables.find((one) => one.label === label)
  if (table !== undefined) return markup`<a href="${pagePath('tables', table.slug)}">${label}</a>`
  const view = docs.views.find((one) => one.label === label)
  return view === undefined
    ? markup`<span>${label}</span>`
    : markup`<a href="${pagePath('views', view.slug)}">${label}</a>`
}

function writtenBy({ blame }: Site, { file, text }: MigrationDoc): Part {
  const commits = new Map<string, string>()
  const lines = text.split('\n').length
  for (let line = 1; line <= lines; line++) {
    const known = blame.get(`${file}:${String(line)}`)
    if (known !== undefined) commits.set(known.commit, `${known.author}, ${known.date}, ${known.commit}`)
  }
  return commits.size === 0 ? undefined : markup`<p class="who">${[...commits.values()].join('; ')}</p>`
}

/** The file with its lines numbered, so that a column can point at the line that made it. */
export function migrationPage(site: Site, docs: Docs, migration: MigrationDoc): string {
  const lines = sqlMarkup(migration.text.replace(/\n$/, '')).text.split('\n')
  const body = markup`<h1><span class="kind">migration</span> ${migration.name}</h1>
    <p class="quiet"><code>${migration.file}</code></p>
    ${writtenBy(site, migration)}
    ${section('file', 'File', markup`<pre class="file" tabindex="0"><code>${lines.map((line, index) => markup`<span class="line" id="L${index + 1}"><a class="number" href="#L${index + 1}" aria-label="Line ${index + 1}">${index + 1}</a>${new Markup(line)} </span>`)}</code></pre>`, count(lines.length, 'line'))}`
  return renderPage(site, { docs, title: migration.name, depth: 1, here: 'migrations', body })
}
