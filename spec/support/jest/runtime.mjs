/**
 * Jest's module system, in which shared packages are loaded once per worker, as Node loads them, and not once per spec file: reading,
 * compiling and running their hundreds of files took longer than most specs.
 *
 * The library, the specs and whatever keeps something (`passport` its strategies, `@opentelemetry/api` its providers) are each spec
 * file's own, as ever.
 */
import { createRequire } from 'node:module'
import Runtime from 'jest-runtime'
import { keepCode } from './code-cache.mjs'
import { isShared } from './shared.mjs'

const require = createRequire(import.meta.url)
keepCode()

/**
 * Where Jest's runner keeps which test runs, by which it knows whose an error is that nobody caught. Tests of a file run one after
 * another here. The runner would take an AsyncLocalStorage: as long as there is one, Node 20 and 22 stop at every promise and every
 * socket there is.
 */
class OneAtATime {
  getStore() {
    return this.store
  }

  async run(store, callback) {
    const before = this.store
    this.store = store
    try {
      return await callback()
    } finally {
      this.store = before
    }
  }
}

const isOfRunner = (from, module) => module === 'node:async_hooks' && /[\\/]jest-circus[\\/]/.test(from)

export default class SharedPackagesRuntime extends Runtime {
  requireModule(from, module, ...options) {
    if (module !== undefined && isShared(module)) return require(module)
    return isOfRunner(from, module) ? { AsyncLocalStorage: OneAtATime } : super.requireModule(from, module, ...options)
  }
}
