/**
 * Puts into a folder what the example app needs to run and nothing it was built with: the bundles, the pages, and a package.json that names the
 * packages they import, at the versions of the lockfile.
 *
 *     node deploy/runtime.mjs /runtime && npm install --prefix /runtime --ignore-scripts --omit=dev --omit=peer
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [target = ''] = process.argv.slice(2)
if (target === '') {
  console.error('usage: node deploy/runtime.mjs FOLDER')
  process.exit(2)
}

const json = path => JSON.parse(readFileSync(join(root, path), 'utf8'))
const { name, version, type, exports, bin } = json('package.json')
const locked = json('package-lock.json').packages
const folders = ['dist/lib', 'dist/cli', 'dist/example-app']

/** The packages that are imported, by name. */
function imported() {
  const scripts = folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true })
      .filter(file => file.endsWith('.js'))
      .map(file => readFileSync(join(root, folder, file), 'utf8'))
  )
  const specifiers = scripts.flatMap(script => [...script.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"'./][^"']*)["']/g)])
  const names = specifiers.map(([, specifier]) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)[0])
  const installed = names.filter(known => !known.startsWith('node:') && !builtinModules.includes(known) && known !== name)
  // loaded by a name that no bundler follows
  return [...new Set([...installed, '@opentelemetry/exporter-prometheus'])]
}

const dependencies = Object.fromEntries(
  imported()
    .filter(known => locked[`node_modules/${known}`] !== undefined)
    .sort()
    .map(known => [known, locked[`node_modules/${known}`].version])
)
mkdirSync(target, { recursive: true })
for (const folder of [...folders, 'example-app/pages']) cpSync(join(root, folder), join(target, folder), { recursive: true })
cpSync(join(root, 'cli', 'bin.mjs'), join(target, 'cli', 'bin.mjs'))
writeFileSync(
  join(target, 'package.json'),
  `${JSON.stringify({ name, version, private: true, type, exports, bin, dependencies }, null, 2)}\n`
)
