#!/usr/bin/env node
'use strict'
const { join } = require('node:path')
const { keepCompiled } = require('./compile-cache.cjs')

// --version and --help end before that pays.
const v8 = process.argv[2]?.startsWith('-') ? undefined : require('./tune-v8.cjs').tuneForOneRun()
// "migrate up", "restore", "--help": words alone, because it is kept, and a value may be a secret.
const [first = '', second = ''] = process.argv.slice(2)
const command = [/^(?:--)?[a-z-]{1,20}$/.test(first) ? first : '', /^[a-z]{1,20}$/.test(second) ? second : '']
  .join(' ')
  .trim()
keepCompiled(join(module.path, '../dist/bin'), join(module.path, '../.dbkit/cache'), v8, command)
const { main, terminalOf } = require('../dist/bin/main.cjs')

main(terminalOf(process)).then((code) => {
  process.exitCode = code
})
