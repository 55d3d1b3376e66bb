import type { Docs, Place, Target } from '../docs.js'
import { markup, Markup, type Part } from '../html.js'
import { fileNameOf, slugOf } from '../slug.js'

/** Who committed a line of a migration, by "file:line"; empty without git. */
export type Blame = ReadonlyMap<string, Commit>

export interface Commit {
  readonly commit: string
  readonly author: string
  /** "2026-11-20" */
  readonly date: string
}

/** What every page knows. */
export interface Site {
  readonly databases: readonly Docs[]
  readonly blame: Blame
}

export interface PageAbout {
  readonly docs: Docs
  readonly title: string
  /** How deep below the database's folder it lies: 0 for its start page. */
  readonly depth: 0 | 1
  /** The entry of the sidebar that it is. */
  readonly here: string
  readonly body: Part
}

/** More are found by searching: a list of a thousand on a thousand pages helps nobody. */
const LISTED = 60

/** Set before anything is drawn, so that nothing flashes. */
const THEME = new Markup(
  `<script>try{var t=localStorage.getItem('dbkit-theme');if(t)document.documentElement.dataset.theme=t}catch(e){}</script>`,
)

export function renderPage(site: Site, { docs, title, depth, here, body }: PageAbout): string {
  const up = '../'.repeat(depth)
  const root = `${up}../`
  return frame({
    title: title === docs.database ? title : `${title} · ${docs.database}`,
    root,
    database: docs.database,
    crumbs: markup`<a class="crumb" href="${up}index.html">${docs.database}</a>`,
    body: markup`<div class="columns">
      <nav class="side" aria-label="Contents of ${docs.database}">${sidebar(site, docs, up, here)}</nav>
      <main id="main" tabindex="-1">${body}</main>
    </div>`,
  })
}

/** The page that all databases are found from. */
export function renderRoot(site: Site): string {
  const cards = site.databases.map(
    ({ database, tables, views, routines, migrations }) =>
      markup`<li>
        <a class="card" href="${database}/index.html"
          ><strong>${database}</strong
          ><span
            >${count(tables.length, 'table')}, ${count(views.length, 'view')},
            ${count(routines.length, 'function')}, ${count(migrations.length, 'migration')}</span
          ></a
        >
      </li>`,
  )
  return frame({
    title: 'Databases',
    root: '',
    database: '',
    crumbs: undefined,
    body: markup`<main id="main" tabindex="-1" class="root">
      <h1>Databases</h1>
      <ul class="cards">
        ${cards}
      </ul>
    </main>`,
  })
}

interface Frame {
  readonly title: string
  readonly root: string
  readonly database: string
  readonly crumbs: Part
  readonly body: Part
}

function frame({ title, root, database, crumbs, body }: Frame): string {
  return markup`<!doctype html>
    <html lang="en" data-root="${root}" data-database="${database}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${root}assets/site.css" />
        ${THEME}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="brand" href="${root}index.html">Schema</a>${crumbs}<span class="grow"></span
          ><button type="button" class="find" data-find hidden><span>Search</span><kbd>/</kbd></button
          ><button type="button" class="theme" data-theme-switch hidden aria-label="Colours"></button>
        </header>
        ${body}
        <noscript
          ><p class="quiet">
            Search and the moving of diagrams need JavaScript; everything else is here.
          </p></noscript
        >
        <script src="${root}assets/site.js"></script>
      </body>
    </html> `.text
}

function sidebar({ databases }: Site, docs: Docs, up: string, here: string): Part {
  const link = (id: string, href: string, label: Part, extra?: Part): Markup =>
    markup`<li><a href="${up}${href}" ${id === here && markup` aria-current="page"`}>${label}${extra}</a></li>`
  const number = (value: number): Markup => markup` <span class="count">${value}</span>`
  const tables =
    docs.tables.length > LISTED
      ? []
      : docs.tables.map(({ key, label, slug }) => link(key, pagePath('tables', slug), label))
  const views =
    docs.views.length > LISTED
      ? []
      : docs.views.map(({ key, label, slug }) => link(key, pagePath('views', slug), label))
  const routines =
    docs.routines.length > LISTED
      ? []
      : docs.routines.map(({ key, label, slug }) =>
          link(key, pagePath('functions', slug), label.replace(/\(.*$/s, '()')),
        )
  return markup`${
    databases.length > 1 &&
    markup`<p class="label">Database</p>
        <ul class="switch">
          ${databases.map(({ database }) => markup`<li><a href="${up}../${database}/index.html" ${database === docs.database && markup` aria-current="true"`}>${database}</a></li>`)}
        </ul>`
  }
    <ul>
      ${link('start', 'index.html', 'Overview')}${link('codes', 'codes.html', 'Enums and codes', number(docs.types.length + docs.codes.length))}${link('migrations', 'migrations.html', 'Migrations', number(docs.migrations.length))}
    </ul>
    ${group('Tables', docs.tables.length, tables)}${group('Views', docs.views.length, views)}${group('Functions', docs.routines.length, routines)}`
}

function group(title: string, total: number, items: readonly Markup[]): Part {
  if (total === 0) return undefined
  return markup`<p class="label">${title} <span class="count">${total}</span></p>
    ${
      items.length > 0 &&
      markup`<ul>
        ${items}
      </ul>`
    }`
}

// ---- what pages share

export function pagePath(folder: string, slug: string): string {
  return `${folder}/${fileNameOf(slug, '.html')}`
}

/** From a page one folder below the database's. */
export function targetLink(target: Target, label?: string): Markup {
  const folder = target.kind === 'table' ? 'tables' : 'views'
  const anchor = target.column === undefined ? '' : `#${columnId(target.column)}`
  const shown = label ?? (target.column === undefined ? target.label : `${target.label}.${target.column}`)
  return markup`<a href="../${pagePath(folder, target.slug)}${anchor}">${shown}</a>`
}

/** The place of a column on its page: an address that stays as long as the name does. */
export function columnId(name: string): string {
  return `column-${encodeURIComponent(name).replaceAll('%', '~').replaceAll("'", '~27')}`
}

/** Who made it: the migration and line, and where git knows it, who committed that line and when. */
export function madeBy(made: Place | undefined, { blame }: Site): Part {
  if (made === undefined) return undefined
  const known = blame.get(`${made.file}:${String(made.line)}`)
  const who =
    known !== undefined &&
    markup`<span class="who" title="${`${known.author}, ${known.date}, ${known.commit}`}"><code>${known.commit}</code> ${known.author}</span>`
  const href = `../${pagePath('migrations', migrationSlug(made.migration))}#L${String(made.line)}`
  return markup`<span class="made"><a href="${href}" title="${`${made.file}:${String(made.line)}`}">${made.migration}:${made.line}</a>${who}</span>`
}

export function migrationSlug(name: string): string {
  return slugOf(name)
}

export function section(id: string, title: string, body: Part, note?: Part): Markup {
  const total = note !== undefined && markup` <span class="count">${note}</span>`
  const anchor = markup`<a class="anchor" href="#${id}" aria-label="Link to ${title}">#</a>`
  return markup`<section aria-labelledby="${id}"><h2 id="${id}">${title}${total}${anchor}</h2>${body}</section>\n`
}

/** A table that is read row by row on a phone. */
export function grid(
  name: string,
  head: readonly string[],
  rows: readonly (readonly Part[])[],
  ids?: readonly (string | undefined)[],
): Markup {
  return markup`<table class="grid ${name}">
    <thead>
      <tr>
        ${head.map((title) => markup`<th scope="col">${title}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (cells, row) =>
          markup`<tr${ids?.[row] !== undefined && markup` id="${ids[row]}"`}>${cells.map((cell, index) =>
            index === 0
              ? markup`<th scope="row">${cell}</th>`
              : markup`<td data-label="${head[index] ?? ''}" ${isEmpty(cell) && markup` class="none"`}>
                  ${cell}
                </td>`,
          )}</tr>`,
      )}
    </tbody>
  </table>`
}

function isEmpty(cell: Part): boolean {
  return cell === undefined || cell === '' || cell === false || (Array.isArray(cell) && cell.every(isEmpty))
}

/** Prose of a comment: its line breaks stay. */
export function prose(comment: string | undefined): Part {
  return comment === undefined ? undefined : markup`<p class="prose">${comment}</p>`
}

export function chips(values: readonly string[]): Markup {
  return markup`<ul class="chips">
    ${values.map((value) => markup`<li><code>${value === '' ? '(empty)' : value}</code></li>`)}
  </ul>`
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`
}

export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1]
  return `${value < 10 && unit > 0 ? value.toFixed(1) : String(Math.round(value))} ${units[unit] ?? ''}`
}
