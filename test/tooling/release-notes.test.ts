import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'

const script = fileURLToPath(new URL('../../scripts/release-notes.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'dbkit-notes-'))
afterAll(() => rmSync(folder, { recursive: true }))

const changelog = `# Changelog

## [Unreleased]

### Added

- Not out yet.

## [1.1.0] - 2026-12-01

### Added

- A thing, as \`## [9.9.9]\` in a line of text is none.

### Fixed

- Another.

## [1.0.1] - 2026-11-30

## [1.0.0-rc.1]

- Without a date.

## [1.0.0] - 2026-11-20

- The first.

[1.1.0]: https://example.org/compare
`

function notes(tag: string, text = changelog) {
  const file = join(folder, 'CHANGELOG.md')
  writeFileSync(file, text)
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, tag, file], { encoding: 'utf8' })
  return { status, stdout, stderr: stderr.replaceAll(file, 'CHANGELOG.md') }
}

describe('release notes', () => {
  test('are the section of the tag, without its heading', () => {
    expect(notes('v1.1.0')).toEqual({
      status: 0,
      stdout:
        '### Added\n\n- A thing, as `## [9.9.9]` in a line of text is none.\n\n### Fixed\n\n- Another.\n',
      stderr: '',
    })
  })

  test('of the oldest version end before the link definitions', () => {
    expect(notes('v1.0.0').stdout).toBe('- The first.\n')
  })

  test('are the same from a file with Windows line ends', () => {
    expect(notes('v1.1.0', changelog.replaceAll('\n', '\r\n'))).toEqual(notes('v1.1.0'))
  })

  test.each([
    ['v1.2.0', 'has no section for 1.2.0 (it has: Unreleased, 1.1.0, 1.0.1, 1.0.0-rc.1, 1.0.0).'],
    ['v1.1', 'has no section for 1.1 (it has'],
    ['v1.0.1', 'The section for 1.0.1 in CHANGELOG.md is empty.'],
    ['v1.0.0-rc.1', 'needs its date: ## [1.0.0-rc.1] - YYYY-MM-DD'],
  ])('stop a release of %s', (tag, message) => {
    const { status, stdout, stderr } = notes(tag)
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
  })
})
