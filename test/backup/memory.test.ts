import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { makeFolder, runCli } from '../support/cli.js'
import { createServerDatabase, serverUrl } from '../support/server.js'

const MB = 2 ** 20
/** Node itself takes 60 MB, and what has been written waits for its garbage collector; the file is larger than all of that together. */
const LEAST_FILE = 170 * MB
const MOST_MEMORY = 150 * MB

;(serverUrl() === undefined ? describe.skip : describe)(
  'an encrypted backup larger than the memory it may take',
  () => {
    test('passes through piece by piece, out and in', async () => {
      const identity = await generateIdentity()
      const folder = makeFolder({
        'm/0001_texts.up.sql': 'create table texts (id int primary key, body text not null)',
        'm/0001_texts.down.sql': 'drop table texts',
        'key.txt': `${identity}\n`,
        // Of the process itself: what a program that it starts takes is not its own. On Linux maxRSS is also what the process that started
        // it took, by then a gigabyte of tests.
        'peak.cjs': `
          const { existsSync, readFileSync, writeFileSync } = require('node:fs')
          const status = '/proc/self/status'
          const peak = () =>
            existsSync(status) ? /VmHWM:\\s*(\\d+) kB/.exec(readFileSync(status, 'utf8'))[1] : process.resourceUsage().maxRSS
          process.on('exit', () => writeFileSync(process.env.PEAK, String(peak())))`,
      })
      const source = await createServerDatabase('memory')
      const at = (name: string): string => join(folder.path, name)
      const peakOf = async (...args: string[]): Promise<number> => {
        writeFileSync(at('peak'), '')
        const env = { NODE_OPTIONS: `--require=${at('peak.cjs')}`, PEAK: at('peak') }
        const { exit, stderr } = await runCli([...args, '--dir', at('m'), '--url', source.url], {
          cwd: folder.path,
          env,
        })
        expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
        return Number(readFileSync(at('peak'), 'utf8')) * 1024
      }
      try {
        await peakOf('migrate', 'up')
        // Small on the server's disk, and as long as it is in a plain dump.
        await source.query(
          `insert into texts select n, repeat(md5(n::text), 3000) from generate_series(1, 1900) n`,
        )
        const to = ['--encrypt', '--recipient', await identityToRecipient(identity)]
        const out = await peakOf('backup', '--format', 'plain', '--out', at('texts.age'), ...to)
        expect(statSync(at('texts.age')).size).toBeGreaterThan(LEAST_FILE)
        const back = await peakOf('restore', at('texts.age'), '--verify', '--identity', at('key.txt'))
        expect(Math.max(out, back)).toBeGreaterThan(20 * MB)
        expect(Math.max(out, back)).toBeLessThan(MOST_MEMORY)
      } finally {
        await source.drop()
        folder.remove()
      }
    }, 120_000)
  },
)
