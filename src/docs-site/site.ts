// What pages of the documentation do when there is JavaScript. Opened from a disk, so it is a plain script that fetches nothing: what
// searching needs is loaded, by a script element, when somebody searches.
import { openDiagram } from './diagram.js'
import type { Search } from './search.js'

declare global {
  interface Window {
    dbkitSearch?: readonly (readonly [kind: string, name: string, of: string, text: string, href: string])[]
    dbkitSearcher?: (dialog: HTMLDialogElement, root: string, database: string) => Search
  }
}

const page = document.documentElement
const root = page.dataset['root'] ?? ''

// ---- colours

const THEMES = ['auto', 'light', 'dark'] as const
const SIGNS = { auto: '◐', light: '☀', dark: '☾' } as const

function themeSwitch(button: HTMLButtonElement): void {
  const show = (): void => {
    const theme = THEMES.find((one) => one === page.dataset['theme']) ?? 'auto'
    button.textContent = SIGNS[theme]
    button.setAttribute('aria-label', `Colours: ${theme}`)
    button.title = `Colours: ${theme}`
  }
  button.hidden = false
  button.addEventListener('click', () => {
    const at = THEMES.findIndex((one) => one === page.dataset['theme'])
    const next = THEMES[(Math.max(at, 0) + 1) % THEMES.length] ?? 'auto'
    if (next === 'auto') delete page.dataset['theme']
    else page.dataset['theme'] = next
    try {
      if (next === 'auto') localStorage.removeItem('dbkit-theme')
      else localStorage.setItem('dbkit-theme', next)
    } catch {
      // A browser may keep nothing of files: then the choice is for this page.
    }
    show()
  })
  show()
}

// ---- search

let search: Promise<Search> | undefined

function load(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = `${root}assets/${name}`
    script.addEventListener('load', () => {
      resolve()
    })
    script.addEventListener('error', () => {
      reject(new Error(`${name} is missing beside this page`))
    })
    document.head.append(script)
  })
}

async function startSearch(): Promise<Search> {
  await Promise.all([load('search-data.js'), load('search.js')])
  const dialog = document.createElement('dialog')
  dialog.className = 'palette'
  dialog.setAttribute('aria-label', 'Search')
  document.body.append(dialog)
  const made = window.dbkitSearcher?.(dialog, root, page.dataset['database'] ?? '')
  if (made === undefined) throw new Error('search.js is not what belongs to this page')
  return made
}

async function openSearch(): Promise<void> {
  search ??= startSearch()
  ;(await search).open()
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:input|textarea|select)$/i.test(target.tagName))
  )
}

// ---- the start

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-theme-switch]')) themeSwitch(button)
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-find]')) {
  button.hidden = false
  button.addEventListener('click', () => void openSearch())
}
document.addEventListener('keydown', (event) => {
  if (isWriting(event.target) || event.altKey) return
  const isSlash = event.key === '/' && !event.ctrlKey && !event.metaKey
  if (!isSlash && !(event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey))) return
  event.preventDefault()
  void openSearch()
})
for (const paper of document.querySelectorAll<HTMLElement>('[data-paper]')) openDiagram(paper)
