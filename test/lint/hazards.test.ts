import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { HAZARDS } from 'dbkit'
import { RULES, WITHOUT_RULE } from '../../src/lint/find-hazards.js'
import { codesOf, examples, freight, inSchema, lintIn, migrationsOf, setup } from './harness.js'

const MINUTES = 60_000

describe('the hazards', () => {
  test('each has an example, and each example a hazard', () => {
    expect(examples.map(({ code }) => code)).toEqual(Object.keys(HAZARDS).sort())
  })

  test('each stands with the rule that finds it', () => {
    const found = new Set([...RULES.flatMap(({ finds }) => finds), ...WITHOUT_RULE])
    expect([...found].sort()).toEqual(Object.keys(HAZARDS).sort())
  })

  test('each has its section in docs/lint.md, with the example that is tested here', () => {
    const script = fileURLToPath(new URL('../../scripts/lint-docs.js', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test(
    'the bad example gives exactly its finding, the good one none',
    async () => {
      const files: Record<string, string> = {}
      const base: string[] = ['-- dbkit: irreversible the others stand on it']
      const expected: Record<string, readonly string[]> = {}
      let version = 1
      const add = (schema: string, code: string, sql: string, codes: readonly string[]): void => {
        const down = codes[0] === 'missing-down' ? '_no_down' : ''
        const name = `${String(++version).padStart(4, '0')}_${code}${down}`
        files[`${name}.up.sql`] = inSchema(schema, sql)
        expected[name] = codes
      }
      for (const [index, { code, bad, good }] of examples.entries()) {
        const schemas = [`bad${String(index)}`, `good${String(index)}`] as const
        for (const schema of schemas)
          base.push(`create schema ${schema}; set local search_path to ${schema};\n${setup}`)
        add(schemas[0], code, bad, [code])
        for (const sql of good) add(schemas[1], code, sql, [])
      }
      files['0001_base.up.sql'] = base.join('\n')
      const report = await lintIn(freight(files), { since: '1' })
      const migrations = migrationsOf(report)
      const found = Object.fromEntries(migrations.map((migration) => [migration.name, codesOf(migration)]))
      expect(found).toEqual(expected)
      expect(report.ok).toBe(false)
      // Nothing that a file allows is told as idle, and each allowance keeps its reason.
      const allowed = migrations.flatMap((migration) => migration.allowed)
      expect(allowed.length).toBeGreaterThan(4)
      for (const { reason } of allowed) expect(reason).toContain('since release 42')
      expect(migrations.flatMap(({ notes }) => notes).filter((note) => note.startsWith('allow='))).toEqual([])
      // What a finding proposes names the object that it is about, at its line.
      for (const { findings } of migrations)
        for (const finding of findings)
          expect([finding.line > 0, finding.message.length > 10, finding.traffic]).toEqual([
            true,
            true,
            HAZARDS[finding.code as keyof typeof HAZARDS].traffic,
          ])
    },
    10 * MINUTES,
  )
})
