#!/usr/bin/env node
'use strict'
const { join } = require('node:path')
const { keepCompiled } = require('./compile-cache.cjs')

// --version and --help end before that pays.
const v8 = process.argv[2]?.startsWith('-') ? undefined : require('./tune-v8.cjs').tuneForOneRun()
keepCompiled(join(module.path, '../dist/bin'), join(module.path, '../.dbkit/cache'), v8)
const { main, terminalOf } = require('../dist/bin/main.cjs')

main(terminalOf(process)).then((code) => {
  process.exitCode = code
})
