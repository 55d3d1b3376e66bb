'use strict'
/** V8 of later versions may not know a flag, and would complain on stderr. */
const LATEST_KNOWN = 24

/**
 * V8 is set up for servers, and a command that ends within a second pays for what it never gains from.
 *
 * - The part of the heap for new objects doubles up to two times 16 MB. Left as small as it begins, 5,000 migrations take 87 MB instead of
 *   110, a look at them 68 instead of 77, and no more time: what a command makes is garbage at once, or is kept to its end.
 * - Up to V8 11, which is Node 20, what has run for some milliseconds is compiled again by the optimizing compiler, and a heap of a few
 *   megabytes is collected with a thread a core, which wake each other. Optimizing fifteen times later and collecting with one thread took
 *   1,000 migrations from 330 to 250 ms of CPU and from 76 to 72 MB, and the types of 1,000 tables from 450 to 290 ms. Later versions wait by
 *   themselves.
 *
 * Returns node:v8 where it has set something.
 */
exports.tuneForOneRun = function tuneForOneRun() {
  if (Number.parseInt(process.versions.node, 10) > LATEST_KNOWN) return undefined
  const v8 = require('node:v8')
  v8.setFlagsFromString('--semi-space-growth-factor=1')
  if (process.versions.v8.startsWith('11.')) {
    v8.setFlagsFromString('--interrupt-budget=1000000')
    v8.setFlagsFromString('--no-parallel-scavenge')
    // Else what a long run has not called lately is missing in what bin/compile-cache.cjs keeps at its end.
    v8.setFlagsFromString('--no-flush-bytecode')
  }
  return v8
}
