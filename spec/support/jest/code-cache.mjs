/**
 * Has V8 read once per worker what every spec file loads anew: the bundled library, and what Jest's runner and `expect` are made of. Each
 * file has modules of its own, as ever.
 */
import vm from 'node:vm'

const kept = new Map()
const rejected = 'ERR_VM_MODULE_CACHED_DATA_REJECTED'

/** A spec is loaded once; and what comes from a cache has forgotten, on Node 20, who it asks for modules it imports later. */
const isKept = (file, source) => file !== undefined && !file.endsWith('.spec.ts') && !/\bimport\s*\(/.test(source)

/** Compiles with what is kept of a file's code, or keeps it. */
function compiled(file, source, compile, codeOf) {
  if (!isKept(file, source)) return compile()
  const known = kept.get(file)
  if (known?.source === source) {
    try {
      return compile(known.code)
    } catch (error) {
      // it is of no use once a spec has set a flag of V8's
      if (error.code !== rejected) throw error
    }
  }
  const made = compile()
  kept.set(file, { source, code: codeOf(made) })
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
      // a module throws this itself
      if (made.cachedDataRejected) throw Object.assign(new Error('rejected'), { code: rejected })
      return made
    }
    return compiled(options?.filename, source, compile, ({ cachedData }) => cachedData)
  }
}
