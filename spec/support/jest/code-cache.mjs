/**
 * Compiles once per worker what every spec file loads anew: the bundled library, and what Jest's runner and `expect` are made of. Each
 * file has modules of its own, as ever; what it need not have is V8 read the same sources once more.
 */
import v8 from 'node:v8'
import vm from 'node:vm'

const kept = new Map()
const rejected = 'ERR_VM_MODULE_CACHED_DATA_REJECTED'

/** A spec is loaded once; and what was compiled before has forgotten, on Node 20, who it asks for modules it imports later. */
const isKept = (file, source) => file !== undefined && !file.endsWith('.spec.ts') && !/\bimport\s*\(/.test(source)

/** With every function in it: V8 would leave each to its first call, and what is kept then is not compiled. */
function compiledWhole(compile) {
  v8.setFlagsFromString('--no-lazy')
  try {
    return compile()
  } finally {
    v8.setFlagsFromString('--lazy')
  }
}

/** Compiles with what is kept of a file's code, or keeps it the second time: there may be none. */
function compiled(file, source, compile, codeOf) {
  const known = kept.get(file)
  if (known?.source !== source) {
    if (isKept(file, source)) kept.set(file, { source })
    return compile()
  }
  if (known.code !== undefined) {
    try {
      return compile(known.code)
    } catch (error) {
      // it is of no use once a spec has set a flag of V8's
      if (error.code !== rejected) throw error
    }
  }
  const made = compiledWhole(compile)
  known.code = codeOf(made)
  return made
}

/** From now on, for all that this worker loads. */
export function keepCode() {
  const { SourceTextModule, compileFunction } = vm
  vm.SourceTextModule = new Proxy(SourceTextModule, {
    construct(_, [source, options], target) {
      const compile = cachedData => Reflect.construct(SourceTextModule, [source, { ...options, cachedData }], target)
      return compiled(options?.identifier, source, compile, module => module.createCachedData())
    }
  })
  vm.compileFunction = (source, parameters, options) => {
    const compile = cachedData => {
      const made = compileFunction(source, parameters, { ...options, cachedData, produceCachedData: cachedData === undefined })
      // a module would throw this
      if (made.cachedDataRejected) throw Object.assign(new Error('rejected'), { code: rejected })
      return made
    }
    return compiled(options?.filename, source, compile, ({ cachedData }) => cachedData)
  }
}
