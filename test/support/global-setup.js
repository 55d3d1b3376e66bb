// One server for all test files, when the machine has one; otherwise the tests of a server say that they were left out.
// jest loads this file before its transforms work, so the TypeScript it needs is compiled here.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export default async function setup() {
  if (process.env.DBKIT_TEST_SERVER_URL) return
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('cluster.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
  })
  const { findServerBinaries, startCluster } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  )
  if (findServerBinaries() === undefined) return
  const cluster = await startCluster(['log_line_prefix=%d %p ', 'log_min_messages=warning'])
  globalThis.dbkitTestCluster = cluster
  process.env.DBKIT_TEST_SERVER_URL = cluster.url('postgres')
  process.env.DBKIT_TEST_SERVER_LOG = cluster.logFile
}
