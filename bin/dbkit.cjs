#!/usr/bin/env node
'use strict'
const { main, terminalOf } = require('../dist/bin/main.cjs')

main(terminalOf(process)).then((code) => {
  process.exitCode = code
})
