#!/usr/bin/env node
'use strict'
const { main } = require('../dist/bin/main.cjs')

main(process).then((code) => {
  process.exitCode = code
})
