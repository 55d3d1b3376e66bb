import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { build } from 'esbuild'
import { tryLockFolder } from '../../src/database/folder-lock.js'
import { figure, rounds } from '../support/prove.js'

describe('the lock of an embedded folder', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dbkit-lock-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const taken = (): boolean => {
    const attempt = tryLockFolder(folder, 'test')
    if ('lock' in attempt) attempt.lock.release()
    return 'lock' in attempt
  }
  /** The lock file of a process, as that process wrote it. */
  const leave = (name: string, change: Readonly<Record<string, unknown>> = {}): void => {
    const mine = tryLockFolder(folder, 'test')
    if (!('lock' in mine)) throw new Error('the folder is locked already')
    const [own = ''] = readdirSync(folder)
    const holder = { ...(JSON.parse(readFileSync(join(folder, own), 'utf8')) as object), ...change }
    mine.lock.release()
    writeFileSync(join(folder, name), JSON.stringify(holder))
  }
  /** A number that no process has: the kernel gives none above four million. */
  const GONE = 4_194_999

  test('is taken over from a process that is gone', () => {
    leave(`${String(GONE)}-1-0.json`, { pid: GONE })
    expect(taken()).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })

  test('is taken over when another process got the number of the one that is gone', () => {
    leave(`${String(process.ppid)}-1-0.json`, { pid: process.ppid })
    expect(taken()).toBe(true)
  })

  // A container that is started anew has the same host name, and its first process the same number.
  test('is taken over when this process got the number of the one that is gone', () => {
    leave(`${String(process.pid)}-1-0.json`)
    expect(taken()).toBe(true)
  })

  test('is held by this process itself', () => {
    const first = tryLockFolder(folder, 'test')
    expect(taken()).toBe(false)
    if ('lock' in first) first.lock.release()
    expect(taken()).toBe(true)
  })

  test('is held by a process of another machine, which cannot be asked', () => {
    leave(`${String(GONE)}-1-0.json`, { pid: GONE, host: `not-${hostname()}` })
    expect(taken()).toBe(false)
  })

  // With the network of the host a container has its name as well, but counts its processes from 1.
  const inSpaces = process.platform === 'linux' ? test : test.skip
  inSpaces('is held by a process of another container, which cannot be asked either', () => {
    leave(`${String(GONE)}-1-0.json`, { pid: GONE, space: 'pid:[1]' })
    expect(taken()).toBe(false)
  })

  test('is taken over when the machine died while its file was being written', () => {
    writeFileSync(join(folder, `${String(GONE)}-1-0.json`), '')
    expect(taken()).toBe(true)
    writeFileSync(join(folder, `${String(process.ppid)}-1-0.json`), '{"pid":')
    expect(taken()).toBe(true)
  })

  test('is held by one of many that try, and never by two', async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `
          import { closeSync, openSync, unlinkSync } from 'node:fs'
          import { tryLockFolder } from './folder-lock.ts'
          const [folder, tries] = [process.argv[1], Number(process.argv[2])]
          let won = 0
          for (let n = 0; n < tries; n++) {
            const attempt = tryLockFolder(folder + '/locks', 'test')
            if (!('lock' in attempt)) {
              await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
              continue
            }
            won++
            // Fails when another process is here as well.
            closeSync(openSync(folder + '/inside', 'wx'))
            if (Math.random() < 0.5) await new Promise((resolve) => setTimeout(resolve, Math.random()))
            unlinkSync(folder + '/inside')
            attempt.lock.release()
          }
          console.log(won)`,
        resolveDir: fileURLToPath(new URL('../../src/database', import.meta.url)),
        loader: 'js',
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
    })
    const code = outputFiles[0]?.text ?? ''
    const tries = rounds(100, 2_000)
    const all = await Promise.all(
      Array.from(
        { length: 10 },
        () =>
          new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
            const child = spawn(process.execPath, ['--input-type=module', '-e', code, folder, String(tries)])
            let [out, err] = ['', '']
            child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
            child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
            child.on('close', (status) => resolve({ code: status, out, err }))
          }),
      ),
    )
    expect(all.map(({ code: status, err }) => ({ status, err }))).toEqual(
      all.map(() => ({ status: 0, err: '' })),
    )
    const won = all.reduce((sum, { out }) => sum + Number(out), 0)
    figure(
      'ten processes at one folder lock',
      `${String(10 * tries)} tries, ${String(won)} won, never two at once`,
    )
    expect(won).toBeGreaterThan(0)
  }, 300_000)
})
