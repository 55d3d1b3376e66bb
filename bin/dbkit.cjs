#!/usr/bin/env node
'use strict'
const { join } = require('node:path')
const { keepCompiled } = require('./compile-cache.cjs')

// --version and --help end before that pays.
if (!process.argv[2]?.startsWith('-')) require('./tune-v8.cjs').tuneForOneRun()
keepCompiled(join(module.path, '../dist/bin'), join(module.path, '../.dbkit/cache'))
const { main, terminalOf } = require('../dist/bin/main.cjs')

main(terminalOf(process)).then((code) => {
  process.exitCode = code
})
