/** Finds shared packages as `require()` does: what says so can be handed in by runtime.mjs, what says `import` cannot. */
import { isShared } from './shared.mjs'

export default function resolve(path, options) {
  const conditions = isShared(path) ? ['require', 'node', 'default'] : options.conditions
  return options.defaultResolver(path, { ...options, conditions })
}
