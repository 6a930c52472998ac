/**
 * Jest's module system, in which shared packages are loaded once per worker, as Node loads them, and not once per spec file: reading,
 * compiling and running their hundreds of files took longer than most specs.
 *
 * The library, the specs and whatever keeps something (`passport` its strategies, `@opentelemetry/api` its providers) are each spec
 * file's own, as ever.
 */
import { createRequire } from 'node:module'
import Runtime from 'jest-runtime'
import { isShared } from './shared.mjs'

const require = createRequire(import.meta.url)

export default class SharedPackagesRuntime extends Runtime {
  requireModule(from, module, ...options) {
    return module !== undefined && isShared(module) ? require(module) : super.requireModule(from, module, ...options)
  }
}
