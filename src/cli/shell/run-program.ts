import { spawn } from 'node:child_process'
import type { ShellProgram } from '../../index.js'
import type { VerbContext } from '../run-verb.js'

/** Runs a program on the user's terminal, which it has for itself: Ctrl-C is for it alone. Resolves to its exit status. */
export async function runProgram(context: VerbContext, program: ShellProgram): Promise<number> {
  const takeBack = context.giveInterruptsAway()
  const child = spawn(program.command, [...program.args], { stdio: 'inherit', env: program.environment })
  const stop = (): void => {
    child.kill('SIGTERM')
  }
  context.signal.addEventListener('abort', stop, { once: true })
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => {
        resolve(code ?? 130)
      })
    })
  } finally {
    context.signal.removeEventListener('abort', stop)
    takeBack()
  }
}
