import { setFlagsFromString } from 'node:v8'

/** Of V8, in bytes that a function of WASM executes before it is compiled a second time, by the compiler that optimises. */
const BUDGET = 100_000_000

/** Versions of V8 known to have this flag; to any other it would be a line on standard error. */
const KNOWN = ['11', '12', '13']

/**
 * V8 optimises what has run for a millisecond. Of the embedded engine that is thousands of functions at every start, and most commands end
 * before it pays: half of their CPU went there. What runs long is optimised all the same, a moment later. Call it before an engine
 * starts; it counts for the process.
 */
export function spareOptimising(): void {
  const [major = ''] = process.versions.v8.split('.')
  if (KNOWN.includes(major)) setFlagsFromString(`--wasm-tiering-budget=${String(BUDGET)}`)
}
