/**
 * Jest's environment for Node, in which an error is an error, and a promise a promise, wherever it was made. Each spec file has globals of
 * its own, and what Node and the packages of runtime.mjs throw and are given is made of others: outside Jest there is but one `Error`.
 */
import { types } from 'node:util'
import { TestEnvironment } from 'jest-environment-node'

const names = ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError']
const ordinary = Function.prototype[Symbol.hasInstance]

// Express asks it of what a spec's handler returns
Object.defineProperty(Promise, Symbol.hasInstance, {
  value(instance) {
    return ordinary.call(this, instance) || (this === Promise && types.isPromise(instance))
  }
})

export default class OneErrorEnvironment extends TestEnvironment {
  constructor(...given) {
    super(...given)
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
}
