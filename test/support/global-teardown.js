export default function teardown() {
  globalThis.dbkitTestCluster?.stop()
}
