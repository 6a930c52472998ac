/**
 * Jest's module system, in which packages that keep nothing from one spec file to the next are loaded once per worker, as Node loads
 * them, and not once per spec file: reading, compiling and running their two hundred files took longer than most specs.
 *
 * The library, the specs and whatever keeps something (`passport` its strategies, `@opentelemetry/api` its providers) are each spec
 * file's own, as ever.
 */
import { createRequire } from 'node:module'
import Runtime from 'jest-runtime'

const require = createRequire(import.meta.url)

/** None of them has state, settings or caches that one application could see of another. */
const shared = ['express', 'express4', 'jose', 'supertest']

/** The package that is meant by name, or by the place of one of its files. */
const packageOf = module => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(module)?.[1] ?? module

export default class SharedPackagesRuntime extends Runtime {
  requireModule(from, module, ...options) {
    return module !== undefined && shared.includes(packageOf(module))
      ? require(module)
      : super.requireModule(from, module, ...options)
  }
}
