import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SqlError } from '../../src/database/sql-error.js'
import { openOnServer, type OpenDatabase } from '../support/databases.js'
import { serverUrl } from '../support/server.js'

const there = serverUrl() === undefined ? describe.skip : describe
there('COPY of bytes that are made on the way', () => {
  let opened: OpenDatabase
  beforeAll(async () => {
    opened = await openOnServer('sendcopy')
    await opened.session.script('create table items (id int primary key, note text)')
  })
  afterAll(() => opened.remove())

  const copy = (fill: (page: Buffer) => number): Promise<number> =>
    opened.session.copyMade('copy items from stdin', fill)
  /** So many pages full of rows. */
  const pages = (count: number, note = 'x'.repeat(80)): ((page: Buffer) => number) => {
    let id = 0
    let page = 0
    return (buffer) => {
      if (++page > count) return 0
      let at = 0
      for (;;) {
        const line = `${String(id)}\t${note}\n`
        if (at + line.length > buffer.length) return at
        at += buffer.write(line, at)
        id++
      }
    }
  }
  const count = async (): Promise<string | null | undefined> =>
    (await opened.session.query('select count(*) from items'))[0]?.[0]

  test('takes all of it, and nothing at all', async () => {
    expect(await copy(() => 0)).toBe(0)
    const rows = await copy(pages(70))
    expect(rows).toBeGreaterThan(70 * 2_000)
    expect(await count()).toBe(String(rows))
    await opened.session.script('truncate items')
  })

  test('throws what the maker has thrown, and the connection goes on', async () => {
    const make = pages(100)
    let made = 0
    const wrong = new RangeError('not this one')
    const failing = copy((page) => {
      if (++made > 20) throw wrong
      return make(page)
    })
    await expect(failing).rejects.toBe(wrong)
    expect(await count()).toBe('0')
    expect(opened.session.lost).toBe(false)
  })

  test('asks for no more once the server has refused a row', async () => {
    let asked = 0
    const make = pages(2_000)
    const refused = copy((page) => {
      asked++
      const length = make(page)
      if (asked === 3) page.write('nonsense', 0)
      return length
    })
    await expect(refused).rejects.toThrow(SqlError)
    await expect(refused).rejects.toMatchObject({ sqlstate: '22P02' })
    expect(asked).toBeLessThan(1_000)
    expect(await count()).toBe('0')
  })

  test('a statement that is no COPY, or is refused at once, is told', async () => {
    await expect(opened.session.copyMade('copy nowhere from stdin', () => 0)).rejects.toMatchObject({
      sqlstate: '42P01',
    })
    expect(await count()).toBe('0')
  })
})
