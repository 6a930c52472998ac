/**
 * Finds the modules of lib/ and example-app/ where bundled-sources.mjs put them, and shared packages as `require()` does: what says so can be
 * handed in by runtime.mjs, what says `import` cannot.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isShared } from './shared.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export default function resolve(path, options) {
  const conditions = isShared(path) ? ['require', 'node', 'default'] : options.conditions
  return bundled(options.defaultResolver(path, { ...options, conditions }))
}

const known = new Map()

/** The file that has what a module of ours exports. */
function bundled(file) {
  if (!file.endsWith('.ts')) return file
  if (!known.has(file)) known.set(file, placeOf(file) ?? file)
  return known.get(file)
}

function placeOf(file) {
  if (!file.startsWith(root)) return undefined
  const [, module] = /^((?:lib|example-app)\/.+)\.ts$/.exec(file.slice(root.length).replaceAll('\\', '/')) ?? []
  const place = join(root, 'dist', 'spec', `${module}.js`)
  return module !== undefined && existsSync(place) ? place : undefined
}
