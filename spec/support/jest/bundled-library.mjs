/**
 * The library as the specs load it: the modules behind the main entry in one file, which is read, compiled and linked in a tenth of
 * the time that its three hundred files take. Every module of lib/ keeps an address of its own, with exactly its own exports, so that
 * a spec imports `lib/….ts` and gets that module: the same one the rest of the library uses, and none that another spec file has.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const library = join(root, 'lib')

/** Where it is written; `jest.config.mjs` sends imports of lib/ there. */
export const bundledFolder = join(root, 'dist', 'spec')

/** What the main entry does not load stays in files of its own, because it brings packages along. */
const apart = /^(?:mcp|testing|stores\/(?:sql|sqlite|postgres|redis))(?:\/|\.ts$)/

const nameOf = file => file.slice(library.length + 1).replaceAll('\\', '/')

/** The modules know where they are, bundled or not. */
const ownAddress = {
  name: 'own-address',
  transform(code, id) {
    return code.includes('import.meta.url')
      ? { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)), map: null }
      : undefined
  }
}

export default async function bundleLibrary() {
  const names = readdirSync(library, { recursive: true }).filter(name => name.endsWith('.ts'))
  const bundle = await rolldown({
    input: Object.fromEntries(names.map(name => [name.slice(0, -'.ts'.length), join(library, name)])),
    external: /^[^./]/,
    platform: 'node',
    tsconfig: false,
    preserveEntrySignatures: 'strict',
    plugins: [ownAddress]
  })
  await bundle.write({
    dir: bundledFolder,
    format: 'esm',
    sourcemap: true,
    comments: false,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: { groups: [{ name: 'library', test: id => id.startsWith(library) && !apart.test(nameOf(id)) }] }
  })
  await bundle.close()
}
