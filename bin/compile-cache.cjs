'use strict'
// To compile the bundle takes V8 6 of the 12 ms that `dbkit --version` needs beyond `node -e 0`, and 20 of the 80 ms of a command that
// looks at a database. So what it made of a large chunk is kept beside the package, where that may be written, under the chunk's name,
// which holds a hash of its text, and the version of Node; V8 refuses by itself what it cannot use. Node 22.8 and later can do this
// themselves.
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs')
const { basename, dirname, join } = require('node:path')

/** The chunks that are large, and hold no `import()`; the build checks it. The entry has no hash in its name. */
exports.kept = /^chunk-(?:start|run|apply-plan)-/

/**
 * `v8` is node:v8 where its flags are set: V8 refuses what was compiled under other ones, so each set of flags has files of its own. Without
 * that, `dbkit --version` and `dbkit migrate up` would take turns in throwing away what the other had kept.
 */
exports.keepCompiled = function keepCompiled(bundle, folder, v8) {
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
    const script = new Script(Module.wrap(text), {
      filename: path,
      columnOffset: -Module.wrapper[0].length,
      cachedData: read(file),
    })
    // At the end, when the functions that were called are compiled as well.
    if (script.cachedDataRejected !== false)
      process.once('exit', () => write(file, script.createCachedData()))
    const require = (id) => this.require(id)
    return script.runInThisContext().call(this.exports, this.exports, require, this, path, bundle)
  }
}

function read(file) {
  try {
    return readFileSync(file)
  } catch {
    // Nothing is kept yet.
    return undefined
  }
}

function write(file, bytes) {
  const draft = `${file}.${process.pid}`
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(draft, bytes)
    // Renamed into place: a process that starts meanwhile never meets half a file.
    renameSync(draft, file)
  } catch {
    // A package that may not be written is compiled anew each time.
  }
}
