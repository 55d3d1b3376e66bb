import { createRequire } from 'node:module'

// Of jest itself: it comes with whatever jest is installed.
const require = createRequire(import.meta.url)
const { default: Sequencer } = createRequire(require.resolve('jest-config'))('@jest/test-sequencer')

/** Half a minute and more, the longest first. In a fresh clone jest knows no durations, and takes long files for long tests. */
const LONGEST = [
  'codegen/truth',
  'docs/readme',
  'verify/verify',
  'codegen/validators',
  'cli/migrate',
  'cli/configuration',
  'docs/site',
  'squash/squash',
  'diff/battery',
  'database/state-cache',
  'db/serve',
  'drift/drift',
  'systems/delauto',
  'seed/four-systems',
  'mongo/import-mongo',
  'modules/migrations',
  'backup/backup',
  'db/shell',
  'systems/smartscheduler',
  'chaos/killed-runner',
  'mongo/import-command',
  'db/create-drop-reset',
  'chaos/embedded',
].map((name) => `/test/${name}.test.ts`)

/** Begins with the longest files, so that no worker is left with one of them at the end. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const index = LONGEST.findIndex((name) => path.replaceAll('\\', '/').endsWith(name))
      return index < 0 ? LONGEST.length : index
    }
    // The sort is stable: the others stay as jest orders them.
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b))
  }
}
