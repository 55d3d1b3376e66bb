import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { changeChoices } from '../../src/cli/change-options.js'
import type { Terminal } from '../../src/cli/terminal.js'

const CANDIDATES = [
  { from: 'column public.t.a', to: 'column public.t.x', name: 'x' },
  { from: 'column public.t.a', to: 'column public.t.y', name: 'y' },
  { from: 'column public.t.b', to: 'column public.t.y', name: 'y' },
]

function terminal(answers: string, { tty = true, env = {} } = {}): Terminal & { readonly asked: string[] } {
  const asked: string[] = []
  const output = { isTTY: tty, write: (text: string) => void asked.push(text) }
  return {
    argv: [],
    env,
    cwd: () => '.',
    stdin: Object.assign(Readable.from([answers]), { isTTY: tty }),
    stdout: output,
    stderr: output,
    on: () => undefined,
    removeListener: () => undefined,
    exit: () => undefined,
    asked,
  }
}

test('each pair is asked about until both names are settled', async () => {
  const people = terminal('no\ny\n')
  const chosen = await changeChoices({}, people).askRenames?.(CANDIDATES)
  expect(chosen).toEqual([CANDIDATES[1]])
  expect(people.asked).toEqual([
    'Is column public.t.x the former column public.t.a? [y/N] ',
    'Is column public.t.y the former column public.t.a? [y/N] ',
  ])
})

test('nobody is asked where nobody would answer', () => {
  const questions = [
    changeChoices({}, terminal('', { tty: false })),
    changeChoices({}, terminal('', { env: { CI: '1' } })),
    changeChoices({ json: true }, terminal('')),
    changeChoices({ yes: true }, terminal('')),
  ]
  expect(questions.map(({ askRenames }) => askRenames)).toEqual([undefined, undefined, undefined, undefined])
})

test('no answer is no', async () => {
  expect(await changeChoices({}, terminal('')).askRenames?.(CANDIDATES)).toEqual([])
})
