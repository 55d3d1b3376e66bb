import { Help } from 'commander'
import { expect, test } from '@jest/globals'
import { terminalOf } from '../../src/cli/main.js'
import { commandList } from '../../src/cli/command-list.js'
import { createProgram } from '../../src/cli/program.js'

const context = {
  terminal: terminalOf(process),
  signal: new AbortController().signal,
  giveInterruptsAway: () => () => undefined,
  exitCode: 0,
}

test('the list of commands says of each what its definition says', async () => {
  // All of them are defined for it.
  const { commands } = await createProgram(context, ['completion'])
  const shown = commands.map((command) => Help.prototype.subcommandTerm(command))
  expect(commandList.map(({ name, takes }) => `${name} ${takes}`.trimEnd())).toEqual(shown)
})

test('a command is defined when it is named, and the others are known by their names', async () => {
  const { commands } = await createProgram(context, ['--json', 'seed'])
  expect(commands.map((command) => command.name())).toEqual(commandList.map(({ name }) => name))
  const defined = commands.filter(({ options, commands: inner }) => options.length + inner.length > 0)
  expect(defined.map((command) => command.name())).toEqual(['seed'])
})
