/**
 * Node 20 reads no TypeScript: started with these arguments, a process compiles what it imports of the specs, with the compiler they run on, and has
 * the library as they have it, bundled before the first of them.
 */

const root = new URL('../../../', import.meta.url)

const hooks = `
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
const root = ${JSON.stringify(root.href)}
const { transform } = createRequire(root)('@swc/core')
const options = { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }
export function resolve(specifier, context, next) {
  const [, entry, path = entry] = /^clientele(?:\\/(.+))?$|^(?:\\.\\.\\/)+lib\\/(.+)\\.ts$/.exec(specifier) ?? [specifier, specifier]
  return next(path === specifier ? specifier : new URL(\`dist/spec/lib/\${path ?? 'index'}.js\`, root).href, context)
}
export async function load(url, context, next) {
  if (!url.startsWith(root) || !url.endsWith('.ts')) return next(url, context)
  const { code } = await transform(await readFile(new URL(url), 'utf8'), options)
  return { format: 'module', source: code, shortCircuit: true }
}`
const loader = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))})`

function dataUrl(script: string): string {
  return `data:text/javascript,${encodeURIComponent(script)}`
}

export const typescriptArgs: readonly string[] = ['--import', dataUrl(loader)]
