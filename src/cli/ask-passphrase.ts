import { problem } from '../index.js'
import type { Terminal } from './terminal.js'

interface Keyboard extends NodeJS.ReadableStream {
  readonly isTTY?: boolean
  setRawMode(raw: boolean): unknown
}

/** Reads a passphrase from the keyboard without showing it; undefined where nobody is there to type. */
export async function askPassphrase(
  terminal: Terminal,
  { twice }: { readonly twice: boolean },
): Promise<string | undefined> {
  const stdin = terminal.stdin as Keyboard
  if (stdin.isTTY !== true || terminal.stderr.isTTY !== true) return undefined
  const first = await read(terminal, stdin, 'Passphrase: ')
  if (first === '') throw badPassphrase('nothing')
  if (twice && first !== (await read(terminal, stdin, 'The same again: ')))
    throw badPassphrase('two that differ')
  return first
}

function badPassphrase(value: string): Error {
  return problem('request.bad-option', { option: 'The passphrase', value, expected: 'the same, typed twice' })
}

async function read({ stderr }: Terminal, stdin: Keyboard, prompt: string): Promise<string> {
  stderr.write(prompt)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = ''
      const take = (text: string): void => {
        for (const key of text) {
          if (key === '\r' || key === '\n' || key === '\u0004') {
            stdin.removeListener('data', take)
            resolve(typed)
            return
          }
          // In raw mode Ctrl-C is a character.
          if (key === '\u0003') {
            stdin.removeListener('data', take)
            reject(problem('run.interrupted', {}))
            return
          }
          typed = key === '\u007f' || key === '\b' ? [...typed].slice(0, -1).join('') : typed + key
        }
      }
      stdin.on('data', take)
    })
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
