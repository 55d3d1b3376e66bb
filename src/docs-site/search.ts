import MiniSearch, { type SearchResult } from 'minisearch'

export interface Search {
  open(): void
}

type Entry = readonly [kind: string, name: string, of: string, text: string, href: string]

/** More than that nobody reads: another letter is quicker. */
const SHOWN = 24

/** A table is more often meant than a column, and a column more often than what is made of it. */
const WEIGHTS: Readonly<Record<string, number>> = {
  table: 3,
  'foreign table': 3,
  view: 2.6,
  'materialized view': 2.6,
  function: 2.2,
  procedure: 2.2,
  enum: 2,
  domain: 2,
  column: 1.8,
  migration: 1.2,
  'view column': 1,
  value: 1,
  index: 0.6,
}

/** "booked_by_carrier_id" is found by any of its words, and by itself. */
function words(text: string): string[] {
  const parts = text.split(/[^\p{L}\p{N}]+/u).flatMap((part) => part.split(/(?<=\p{Ll})(?=\p{Lu})/u))
  return [...text.split(/\s+/), ...parts].map((part) => part.toLowerCase()).filter((part) => part !== '')
}

class Searcher implements Search {
  private readonly dialog: HTMLDialogElement
  private readonly root: string
  private readonly database: string
  private readonly entries: readonly Entry[]
  private readonly index: MiniSearch
  private readonly input = document.createElement('input')
  private readonly list = document.createElement('ul')
  private readonly said = document.createElement('p')
  private chosen = -1

  constructor(dialog: HTMLDialogElement, root: string, database: string) {
    this.dialog = dialog
    this.root = root
    this.database = database
    this.entries = window.dbkitSearch ?? []
    this.index = new MiniSearch({
      fields: ['name', 'of', 'text'],
      tokenize: (text) => [...new Set(words(text))],
      searchOptions: {
        tokenize: (text) =>
          text
            .toLowerCase()
            .split(/[\s.]+/)
            .filter((part) => part !== ''),
        boost: { name: 5, of: 1.4 },
        prefix: true,
        fuzzy: (term) => (term.length > 3 ? 0.2 : false),
        combineWith: 'AND',
        boostDocument: (id, term) => this.weight(Number(id), term),
      },
    })
    this.index.addAll(this.entries.map(([, name, of, text], id) => ({ id, name, of, text })))
    this.build()
  }

  open(): void {
    this.dialog.showModal()
    this.input.select()
  }

  private weight(id: number, term: string): number {
    const [kind = '', name = '', , , href = ''] = this.entries[id] ?? []
    const exact = name.toLowerCase() === term ? 6 : 1
    const here = this.database !== '' && href.startsWith(`${this.database}/`) ? 1.5 : 1
    return (WEIGHTS[kind] ?? 1) * exact * here
  }

  private build(): void {
    const { input, list, dialog, said } = this
    list.id = 'search-results'
    list.setAttribute('role', 'listbox')
    list.setAttribute('aria-label', 'Results')
    input.type = 'search'
    input.placeholder = 'Table, column, value, function, migration…'
    for (const [name, value] of Object.entries({
      role: 'combobox',
      'aria-label': 'Search',
      'aria-controls': list.id,
      'aria-expanded': 'false',
      'aria-autocomplete': 'list',
      autocomplete: 'off',
      spellcheck: 'false',
    }))
      input.setAttribute(name, value)
    said.setAttribute('role', 'status')
    dialog.append(input, list, said)
    input.addEventListener('input', () => {
      this.search()
    })
    input.addEventListener('keydown', (event) => {
      this.key(event)
    })
    // On what is behind it, a click closes it.
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close()
    })
    this.search()
  }

  private search(): void {
    const wanted = this.input.value.trim()
    const found: readonly SearchResult[] = wanted === '' ? [] : this.index.search(wanted)
    this.list.replaceChildren(...found.slice(0, SHOWN).flatMap(({ id }, at) => this.item(Number(id), at)))
    this.input.setAttribute('aria-expanded', String(found.length > 0))
    this.said.textContent =
      wanted === ''
        ? `${this.entries.length.toLocaleString('en-US')} names. Arrows choose, Enter opens, Escape closes.`
        : found.length === 0
          ? `Nothing is called “${wanted}”, or described so.`
          : found.length > SHOWN
            ? `${found.length.toLocaleString('en-US')} found, the best ${String(SHOWN)} shown.`
            : `${String(found.length)} found.`
    this.choose(found.length > 0 ? 0 : -1)
  }

  private item(id: number, at: number): HTMLElement[] {
    const entry = this.entries[id]
    if (entry === undefined) return []
    const [kind, name, of, text, href] = entry
    const item = document.createElement('li')
    item.id = `search-result-${String(at)}`
    item.setAttribute('role', 'option')
    item.dataset['href'] = `${this.root}${href}`
    for (const [className, content] of [
      ['kind', kind],
      ['name', name],
      ['of', of],
      ['text', text],
    ] as const) {
      const part = document.createElement('span')
      part.className = className
      part.textContent = content
      item.append(part)
    }
    item.addEventListener('click', () => {
      this.go(item)
    })
    return [item]
  }

  private key(event: KeyboardEvent): void {
    const items = this.list.children.length
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      if (items > 0) this.choose((this.chosen + (event.key === 'ArrowDown' ? 1 : items - 1)) % items)
    } else if (event.key === 'Enter') {
      event.preventDefault()
      const item = this.list.children[this.chosen]
      if (item instanceof HTMLElement) this.go(item)
    }
  }

  private choose(at: number): void {
    this.chosen = at
    for (const [index, item] of [...this.list.children].entries()) {
      item.setAttribute('aria-selected', String(index === at))
      if (index === at) item.scrollIntoView({ block: 'nearest' })
    }
    if (at < 0) this.input.removeAttribute('aria-activedescendant')
    else this.input.setAttribute('aria-activedescendant', `search-result-${String(at)}`)
  }

  private go(item: HTMLElement): void {
    this.dialog.close()
    location.href = item.dataset['href'] ?? ''
  }
}

window.dbkitSearcher = (dialog, root, database) => new Searcher(dialog, root, database)
