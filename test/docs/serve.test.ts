import { expect, test } from '@jest/globals'
import { makeFolder, startCli } from '../support/cli.js'
import { noteEngine } from '../support/server.js'

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`waited in vain for ${what}`)
}

test('docs serve shows a migration as soon as it is written, and what was right while one is wrong', async () => {
  noteEngine('embedded PGlite 0.5.8')
  const folder = makeFolder({
    'sql/shop/migrations/0001_people.up.sql': 'create table people (id int primary key);',
    'sql/shop/migrations/0001_people.down.sql': 'drop table people;',
    'dbkit.config.json': JSON.stringify({ databases: { shop: {} } }),
  })
  const { child, ended } = startCli(['docs', 'serve', '--port', '0', '--no-color'], { cwd: folder.path })
  let out = ''
  child.stdout?.on('data', (chunk: string) => (out += chunk))
  child.stderr?.on('data', (chunk: string) => (out += chunk))
  try {
    const url = await until('the address', () => /http:\/\/127\.0\.0\.1:\d+\//.exec(out)?.[0])
    const page = async (path: string): Promise<string> => (await fetch(url + path)).text()
    expect(await page('shop/tables/people.html')).toContain("EventSource('/dbkit-live')")
    expect((await fetch(`${url}../../etc/passwd`)).status).toBe(404)
    expect((await fetch(`${url}%2e%2e%2fdbkit.config.json`)).status).toBe(404)

    const live = await fetch(`${url}dbkit-live`)
    const told = live.body?.getReader()
    await told?.read()
    folder.write({
      'sql/shop/migrations/0002_wrong.down.sql': 'alter table people drop name;',
      'sql/shop/migrations/0002_wrong.up.sql': 'alter table people add name txet;',
    })
    await until('the refusal', () => (out.includes('type "txet" does not exist') ? true : undefined))
    expect(await page('shop/tables/people.html')).not.toContain('column-name')

    folder.write({ 'sql/shop/migrations/0002_wrong.up.sql': 'alter table people add name text;' })
    expect(new TextDecoder().decode((await told?.read())?.value as Uint8Array)).toContain('event: built')
    expect(await page('shop/tables/people.html')).toContain('id="column-name"')
  } finally {
    child.kill('SIGINT')
    await ended
    folder.remove()
  }
}, 120_000)
