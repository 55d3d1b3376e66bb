'use strict'
// To compile the bundle takes V8 6 of the 12 ms that `dbkit --version` needs beyond `node -e 0`, and 20 of the 80 ms of a command that
// looks at a database. So what it made of a large chunk is kept beside the package, where that may be written, under the chunk's name,
// which holds a hash of its text, and the version of Node; V8 refuses by itself what it cannot use. Node 22.8 and later can do this
// themselves.
//
// V8 compiles a function when it is called, so what is kept are those of the commands that ran. A command that runs for the first time adds
// its own: where only the first of all was asked, `migrate up` was a twentieth slower for ever after a `migrate create`.
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs')
const { basename, dirname, join } = require('node:path')

/** Before the compiled code: the commands whose functions are in it, a line each, filled up with blanks. A multiple of V8's alignment. */
const HEAD = 1024

/** The chunks that are large, and hold no `import()`; the build checks it. The entry has no hash in its name. */
exports.kept = /^chunk-(?:start|run|apply-plan)-/

/**
 * `v8` is node:v8 where its flags are set: V8 refuses what was compiled under other ones, so each set of flags has files of its own. Without
 * that, `dbkit --version` and `dbkit migrate up` would take turns in throwing away what the other had kept. `command` is what is run: words
 * that are typed wrong take their place in the head as well, until it is full.
 */
exports.keepCompiled = function keepCompiled(bundle, folder, v8, command) {
  // Asked by the version, because what node:module loads takes half a millisecond.
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 8)) {
    require('node:module').enableCompileCache(folder)
    return
  }
  if (process.env.NODE_DISABLE_COMPILE_CACHE) return
  const { Script } = require('node:vm')
  const Module = module.constructor
  const compile = Module.prototype._compile
  Module.prototype._compile = function compileOrRecall(text, path) {
    const name = basename(path)
    if (dirname(path) !== bundle || !exports.kept.test(name)) return compile.call(this, text, path)
    const flags = v8 === undefined ? '' : `-${v8.cachedDataVersionTag()}`
    const file = join(folder, `${name}.${process.version}-${process.arch}${flags}`)
    const { commands, cachedData } = read(file)
    const script = new Script(Module.wrap(text), {
      filename: path,
      columnOffset: -Module.wrapper[0].length,
      cachedData,
    })
    const known = script.cachedDataRejected === false ? commands : []
    const head = [...known, command].join('\n').padEnd(HEAD)
    // At the end, when the functions that were called are compiled as well.
    if (known.length === 0 || (!known.includes(command) && head.length === HEAD))
      process.once('exit', () => write(file, [Buffer.from(head, 'latin1'), script.createCachedData()]))
    const require = (id) => this.require(id)
    return script.runInThisContext().call(this.exports, this.exports, require, this, path, bundle)
  }
}

function read(file) {
  try {
    const bytes = readFileSync(file)
    const commands = bytes
      .toString('latin1', 0, HEAD)
      .split('\n')
      .map((line) => line.trimEnd())
    return { commands, cachedData: bytes.subarray(HEAD) }
  } catch {
    // Nothing is kept yet.
    return { commands: [], cachedData: undefined }
  }
}

function write(file, parts) {
  const draft = `${file}.${process.pid}`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(draft, Buffer.concat(parts))
    // Renamed into place: a process that starts meanwhile never meets half a file.
    renameSync(draft, file)
  } catch {
    // A package that may not be written is compiled anew each time.
  }
}
