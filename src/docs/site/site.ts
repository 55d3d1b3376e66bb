import type { Docs } from '../docs.js'
import { scriptJson } from '../html.js'
import { fileNameOf } from '../slug.js'
import { codesPage, migrationPage, migrationsPage, routinePage, viewPage } from './other-pages.js'
import { searchEntries } from './search-entries.js'
import { renderRoot, type Blame, type Site } from './shell.js'
import { startPages } from './start-page.js'
import { tablePage } from './table-page.js'

export type { Blame, Commit } from './shell.js'

/** What a browser is given beside the pages: the built files, by their names. */
export type Assets = ReadonlyMap<string, string>

/** The whole site, by the paths of its files with / between the parts. Nothing in it asks a network for anything. */
export async function renderSite(
  databases: readonly Docs[],
  { blame, assets }: { readonly blame: Blame; readonly assets: Assets },
): Promise<ReadonlyMap<string, string>> {
  const site: Site = { databases, blame }
  const files = new Map<string, string>([['index.html', renderRoot(site)]])
  for (const [name, text] of assets) files.set(`assets/${name}`, text)
  files.set('assets/search-data.js', `window.dbkitSearch=${scriptJson(databases.flatMap(searchEntries))}\n`)
  for (const docs of databases) {
    const add = (path: string, text: string): void => {
      files.set(`${docs.database}/${path}`, text)
    }
    for (const [path, text] of await startPages(site, docs)) add(path, text)
    for (const table of docs.tables)
      add(`tables/${fileNameOf(table.slug, '.html')}`, tablePage(site, docs, table))
    for (const view of docs.views) add(`views/${fileNameOf(view.slug, '.html')}`, viewPage(site, docs, view))
    for (const routine of docs.routines)
      add(`functions/${fileNameOf(routine.slug, '.html')}`, routinePage(site, docs, routine))
    for (const migration of docs.migrations)
      add(`migrations/${fileNameOf(migration.slug, '.html')}`, migrationPage(site, docs, migration))
    add('codes.html', codesPage(site, docs))
    add('migrations.html', migrationsPage(site, docs))
  }
  return files
}
