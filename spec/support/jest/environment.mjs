/**
 * Jest's environment for Node, in which an error is an error, and a promise a promise, wherever it was made. Each spec file has globals of
 * its own, and what Node and the packages of runtime.mjs throw and are given is made of others: outside Jest there is but one `Error`.
 *
 * And each leaves the worker as it found it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { types } from 'node:util'
import { TestEnvironment } from 'jest-environment-node'
import { costOf } from './costs.mjs'
import { stockKeys } from './rsa-stock.mjs'

const names = ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError']
const ordinary = Function.prototype[Symbol.hasInstance]

// Express asks it of what a spec's handler returns
Object.defineProperty(Promise, Symbol.hasInstance, {
  value(instance) {
    return ordinary.call(this, instance) || (this === Promise && types.isPromise(instance))
  }
})

/**
 * Those the current spec file has used. To Node 20 and 22 each is in use until it is disabled: there it is told of every promise and
 * every socket, and keeps what its file had in memory. With fifty of them, a file took four times what the first did.
 */
const storages = new Set()
const { run } = AsyncLocalStorage.prototype
AsyncLocalStorage.prototype.run = function (...given) {
  storages.add(this)
  return run.apply(this, given)
}

const refillKeys = stockKeys()

export default class OneErrorEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context)
    this.cost = costOf(context.testPath, config.projectConfig.displayName?.name)
    // Jest calls it for each step of each test: where it is there
    if (this.cost !== undefined) this.handleTestEvent = ({ name }) => name === 'run_start' && this.cost.loaded()
    refillKeys()
    for (const name of names) {
      const [own, outer] = [this.global[name], globalThis[name]]
      Object.defineProperty(own, Symbol.hasInstance, {
        // classes that extend it inherit this
        value(instance) {
          return ordinary.call(this, instance) || (this === own && ordinary.call(outer, instance))
        }
      })
    }
  }

  async teardown() {
    await super.teardown()
    // whoever uses one again enables it again
    for (const storage of storages) storage.disable()
    storages.clear()
    this.cost?.end()
  }
}
