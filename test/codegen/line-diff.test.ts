import { describe, expect, test } from '@jest/globals'
import { lineDiff } from '../../src/codegen/line-diff.js'

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `line ${String(index + 1)}`)

describe('a difference', () => {
  test('is empty for the same text', () => {
    expect(lineDiff('a\nb\n', 'a\nb\n', 'f')).toBe('')
  })

  test('shows what changed with three lines around it', () => {
    const before = numbered(20)
    const after = before.toSpliced(9, 1, 'changed', 'added')
    expect(lineDiff(before.join('\n'), after.join('\n'), 'types/a.ts').split('\n')).toEqual([
      '--- types/a.ts',
      '+++ types/a.ts (from the schema)',
      '@@ -7,7 +7,8 @@',
      ' line 7',
      ' line 8',
      ' line 9',
      '-line 10',
      '+changed',
      '+added',
      ' line 11',
      ' line 12',
      ' line 13',
    ])
  })

  test('shows places far apart by themselves', () => {
    const before = numbered(40)
    const after = before.toSpliced(30, 1).toSpliced(4, 0, 'new')
    const heads = lineDiff(before.join('\n'), after.join('\n'), 'f')
      .split('\n')
      .filter((line) => line.startsWith('@@'))
    expect(heads).toEqual(['@@ -2,6 +2,7 @@', '@@ -28,7 +29,6 @@'])
  })

  test('leads from one text to the other', () => {
    const words = ['a', 'b', 'c', 'd']
    let seed = 7
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    for (let round = 0; round < 200; round++) {
      const [before, after] = [0, 1].map(() =>
        Array.from({ length: random(12) }, () => words[random(4)] ?? ''),
      )
      const all = lineDiff(before?.join('\n') ?? '', after?.join('\n') ?? '', 'f')
        .split('\n')
        .slice(2)
      const shown = all.filter((line) => !line.startsWith('@@'))
      const side = (marks: string): string[] =>
        shown.filter((line) => marks.includes(line.slice(0, 1))).map((line) => line.slice(1))
      // Texts this short are shown whole, or are the same.
      if (all.length === 0) expect(before).toEqual(after)
      else if (all.filter((line) => line.startsWith('@@')).length === 1) {
        expect(before?.join('\n')).toContain(side(' -').join('\n'))
        expect(after?.join('\n')).toContain(side(' +').join('\n'))
      }
    }
  })
})
