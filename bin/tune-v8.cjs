'use strict'
/**
 * V8 is set up for servers: what has run for some milliseconds it compiles again with its optimizing compiler, and it collects a heap of
 * a few megabytes with a thread a core, which wake each other. A command that ends within a second pays for both and gains from neither.
 * Optimizing fifteen times later and collecting with one thread took 1,000 migrations from 330 to 250 ms of CPU and from 76 to 72 MB, and
 * the types of 1,000 tables from 450 to 290 ms. Node 22 waits by itself; and V8 complains of a flag that it does not know.
 * Returns node:v8 where it has set something.
 */
exports.tuneForOneRun = function tuneForOneRun() {
  if (!process.versions.v8.startsWith('11.')) return undefined
  const v8 = require('node:v8')
  v8.setFlagsFromString('--interrupt-budget=1000000')
  v8.setFlagsFromString('--no-parallel-scavenge')
  return v8
}
