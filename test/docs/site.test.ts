import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { docsBuild, settleConfig } from '../../src/index.js'
import { browserPath, openBrowser, WITHOUT_BROWSER } from '../support/browser.js'
import { makeFolder, type Folder } from '../support/cli.js'
import { noteEngine } from '../support/server.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

let folder: Folder
let site: string

beforeAll(async () => {
  noteEngine('embedded PGlite 0.5.8')
  folder = makeFolder({
    'dbkit.config.json': JSON.stringify({
      databases: { happyrobot: { codegen: { jsonTypes: 'sql/happyrobot/json-types.json' } }, odd: {} },
    }),
  })
  mkdirSync(join(folder.path, 'sql'))
  cpSync(join(root, 'sql/happyrobot'), join(folder.path, 'sql/happyrobot'), { recursive: true })
  cpSync(join(root, 'fixtures/docs/odd/migrations'), join(folder.path, 'sql/odd/migrations'), {
    recursive: true,
  })
  const config = await settleConfig({}, { cwd: folder.path, environment: {} })
  site = join(folder.path, '.dbkit/docs')
  const report = await docsBuild(config, { formats: ['site', 'svg'], out: site })
  expect(report).toMatchObject({ ok: true, databases: [{ docs: { tables: 9 } }, {}] })
}, 120_000)

afterAll(() => folder.remove())

const files = (): readonly string[] =>
  readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))

test('the diagram in the README is what the migrations make', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('(docs/schema/happyrobot.svg)')
  expect(readFileSync(join(site, 'happyrobot.svg'), 'utf8')).toBe(
    readFileSync(join(root, 'docs/schema/happyrobot.svg'), 'utf8'),
  )
})

describe('the files', () => {
  test('every link between pages leads to a page, and every anchor to a place on it', () => {
    const ids = new Map(
      files().map((name) => [
        name,
        new Set([...readFileSync(join(site, name), 'utf8').matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)),
      ]),
    )
    const broken: string[] = []
    for (const name of files())
      for (const [, href = ''] of readFileSync(join(site, name), 'utf8').matchAll(
        /<a [^>]*?href="([^"]+)"/g,
      )) {
        const target = new URL(href.replaceAll('&#39;', "'"), pathToFileURL(join(site, name)))
        const page = fileURLToPath(new URL(target.pathname, target)).slice(site.length + 1)
        const anchor = decodeURIComponent(target.hash.slice(1))
        const known = ids.get(page)
        if (known === undefined || (anchor !== '' && !anchor.startsWith('focus=') && !known.has(anchor)))
          broken.push(`${name}: ${href}`)
      }
    expect(broken).toEqual([])
  })

  test('nothing of a database becomes HTML', () => {
    for (const name of files().filter((one) => one.startsWith('odd/'))) {
      const text = readFileSync(join(site, name), 'utf8')
      expect({ name, scripts: text.match(/<script/g)?.length }).toEqual({ name, scripts: 2 })
      expect(text).not.toMatch(/<img|<b>bold/)
    }
    expect(readFileSync(join(site, 'assets/search-data.js'), 'utf8')).not.toContain('<')
  })

  test('a column tells the migration and the line that made it', () => {
    const page = readFileSync(join(site, 'happyrobot/tables/loads.html'), 'utf8')
    const sql = readFileSync(join(root, 'sql/happyrobot/migrations/0003_loads.up.sql'), 'utf8').split('\n')
    const line = sql.findIndex((text) => /^\s*hazmat_class /.test(text)) + 1
    const row = page.slice(page.indexOf('id="column-hazmat_class"'))
    expect(row.slice(0, row.indexOf('</tr>'))).toContain(`migrations/0003_loads.html#L${String(line)}"`)
    expect(line).toBeGreaterThan(0)
  })
})

const inBrowser = browserPath === undefined ? describe.skip : describe
if (browserPath === undefined) console.warn(`The pages are not opened: ${WITHOUT_BROWSER}.`)

inBrowser('in a browser', () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let trouble: string[]

  beforeAll(async () => {
    browser = await openBrowser()
  }, 60_000)
  afterAll(() => browser.close())

  beforeEach(async () => {
    await start({})
  })
  afterEach(async () => {
    // No page of any test may complain, or ask for anything that does not lie beside it.
    const seen = trouble
    await context.close()
    expect(seen).toEqual([])
  })

  async function start(options: Parameters<Browser['newContext']>[0]): Promise<void> {
    trouble = []
    context = await browser.newContext({ viewport: { width: 1300, height: 900 }, ...options })
    page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) trouble.push(message.text())
    })
    page.on('pageerror', (error) => trouble.push(error.message))
    page.on('request', (request) => {
      const url = request.url()
      if (!url.startsWith('data:') && !url.startsWith(pathToFileURL(site).href))
        trouble.push(`asked for ${url}`)
    })
  }

  const open = (path: string): Promise<unknown> =>
    page.goto(pathToFileURL(join(site, path)).href.replaceAll('%23', '#'))
  const violations = async (): Promise<readonly string[]> => {
    await page.addScriptTag({ path: axe })
    const { violations: found } = await page.evaluate<{
      violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[]
    }>('axe.run({ resultTypes: ["violations"], preload: false })')
    return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''} ${nodes[0]?.failureSummary ?? ''}`)
  }

  test('/ searches: a column is found by its name, by keys alone', async () => {
    await open('happyrobot/index.html')
    await page.keyboard.press('/')
    await page.waitForSelector('dialog[open] input')
    await page.keyboard.type('hazmat_class')
    const first = page.locator('[role=option]').first()
    await first.waitFor()
    expect(await first.innerText()).toMatch(/column[\s\S]*hazmat_class[\s\S]*loads/)
    expect(await violations()).toEqual([])
    await page.keyboard.press('Enter')
    await page.waitForURL(/tables\/loads\.html#column-hazmat_class$/)
    expect(await page.locator('tr:target .name').innerText()).toBe('hazmat_class')
  })

  test('search ranks a table before its columns, takes words and slips, and the arrows choose', async () => {
    await open('index.html')
    await page.keyboard.press('/')
    const input = page.locator('dialog[open] input')
    const best = async (text: string): Promise<string> => {
      await input.fill(text)
      return (await page.locator('[role=option] .name').allInnerTexts())[0] ?? ''
    }
    await input.waitFor()
    expect(await best('loads')).toBe('loads')
    expect(await best('carier performance')).toBe('v_carrier_performance')
    expect(await best('booked by carrier')).toBe('booked_by_carrier_id')
    expect(await best('nothing is called so')).toBe('')
    expect(await page.locator('[role=status]').innerText()).toContain('Nothing is called')
    await best('carrier_id')
    await page.keyboard.press('ArrowDown')
    const chosen = page.locator('[role=option][aria-selected=true]')
    expect(await chosen.getAttribute('id')).toBe(await input.getAttribute('aria-activedescendant'))
    expect(await chosen.getAttribute('id')).toBe('search-result-1')
  })

  test('every column of the database is among the first three for its own name', async () => {
    await open('happyrobot/index.html')
    await page.keyboard.press('/')
    await page.waitForSelector('dialog[open] input')
    const missed = await page.evaluate(() => {
      const scope = globalThis as unknown as {
        dbkitSearch: readonly (readonly string[])[]
        document: {
          querySelector(selector: string): { value: string; dispatchEvent(event: Event): void }
          querySelectorAll(selector: string): Iterable<{ textContent: string }>
        }
      }
      const input = scope.document.querySelector('dialog input')
      const names = [
        ...new Set(
          scope.dbkitSearch
            .filter(([kind, , of]) => kind === 'column' && of?.startsWith('happyrobot'))
            .map(([, name]) => name ?? ''),
        ),
      ]
      return names.filter((name) => {
        input.value = name
        input.dispatchEvent(new Event('input'))
        return ![...scope.document.querySelectorAll('[role=option] .name')]
          .slice(0, 3)
          .some(({ textContent }) => textContent === name)
      })
    })
    expect(missed).toEqual([])
  })

  test('a click on a table of the diagram opens its page, a drag does not', async () => {
    await open('happyrobot/index.html')
    const box = page.locator('[data-paper] .er-table[data-key=negotiations]')
    const { x = 0, y = 0 } = (await box.boundingBox()) ?? {}
    await page.mouse.move(x + 20, y + 10)
    await page.mouse.down()
    await page.mouse.move(x - 60, y - 40, { steps: 4 })
    await page.mouse.up()
    expect(page.url()).toMatch(/index\.html$/)
    expect((await box.boundingBox())?.x).toBeLessThan(x - 40)
    await box.click({ position: { x: 20, y: 10 } })
    await page.waitForURL(/tables\/negotiations\.html$/)
    expect(await page.locator('h1').innerText()).toContain('negotiations')
  })

  test('a deep link shows a neighbourhood, and keys move and fit the diagram', async () => {
    await open('happyrobot/index.html#focus=negotiations')
    const kept = page.locator('.er-table.er-kept')
    const keys = await Promise.all((await kept.all()).map((one) => one.getAttribute('data-key')))
    expect(keys.sort()).toEqual(['calls', 'carriers', 'loads', 'negotiations'])
    const view = (): Promise<string | null> => page.locator('[data-paper] svg').getAttribute('viewBox')
    const focused = await view()
    await page.locator('[data-paper]').focus()
    await page.keyboard.press('0')
    const whole = await view()
    expect(whole).not.toBe(focused)
    expect(await kept.count()).toBe(0)
    await page.keyboard.press('+')
    expect(await view()).not.toBe(whole)
    await page.locator('[data-focus]').selectOption('audit_log')
    expect(await kept.count()).toBe(2)
    expect(page.url()).toMatch(/#focus=audit_log$/)
  })

  test('deep links of odd names lead to their places', async () => {
    await open(
      'odd/tables/~4f~dd~20~~22~~4e~ame~22~~2f~with~5c~slash.html'
        .replaceAll('~', '%7E')
        .replaceAll('%7E', '~'),
    )
    expect(await page.locator('h1').innerText()).toContain('"Odd ""Name""/with\\slash"')
    await page.locator('a.name', { hasText: '<b>bold</b>' }).click()
    expect(await page.locator('tr:target .name').innerText()).toBe('<b>bold</b>')
    await page.locator('.around a', { hasText: 'Loads' }).click()
    await page.waitForURL(/(?:~|%7E)4c(?:~|%7E)oads\.html$/)
  })

  describe.each([
    ['light, wide', {}],
    ['dark, narrow', { colorScheme: 'dark', viewport: { width: 390, height: 800 } }],
  ] as const)('%s', (_, options) => {
    test.each([
      'index.html',
      'happyrobot/index.html',
      'happyrobot/tables/loads.html',
      'happyrobot/views/v_carrier_performance.html',
      'happyrobot/codes.html',
      'happyrobot/migrations/0003_loads.html',
      'odd/codes.html',
      'odd/tables/loads.html',
    ])('%s: axe finds nothing, and nothing is wider than the window', async (path) => {
      await context.close()
      await start(options)
      await open(path)
      expect(await violations()).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    })
  })
})
