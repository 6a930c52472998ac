/**
 * The library and the example app as the specs load them: the modules behind the main entry in one file, and those of the example app in
 * another, which are read, compiled and linked in a tenth of the time that their four hundred files take. Every module keeps an address of
 * its own, with exactly its own exports, so that a spec imports `lib/….ts` and gets that module: the same one the rest of the library
 * uses, and none that another spec file has.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** What the main entry does not load stays in files of its own, because it brings packages along. */
const apart = /^lib\/(?:mcp|testing|stores\/(?:sql|sqlite|postgres|redis))(?:\/|\.ts$)/
/** They start something when they are loaded. */
const programs = ['example-app/main.ts', 'example-app/rotate-keys.ts']

const nameOf = file => file.slice(root.length).replaceAll('\\', '/')
/** Its code cannot be kept (code-cache.mjs), nor can that of what it is bundled with. */
const importsLater = id => /\bimport\(/.test(readFileSync(id, 'utf8'))
const together = (id, folder) => nameOf(id).startsWith(folder) && !apart.test(nameOf(id)) && !importsLater(id)

/** The modules know where they are, bundled or not. */
const ownAddress = {
  name: 'own-address',
  transform(code, id) {
    return code.includes('import.meta.url')
      ? { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)), map: null }
      : undefined
  }
}

const modulesOf = folder =>
  readdirSync(join(root, folder), { recursive: true })
    .map(name => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts') && !programs.includes(name))

/** Writes them to dist/spec/, where resolver.mjs finds them. */
export default async function bundleSources() {
  const names = ['lib', 'example-app'].flatMap(modulesOf)
  const bundle = await rolldown({
    input: Object.fromEntries(names.map(name => [name.slice(0, -'.ts'.length), join(root, name)])),
    external: /^[^./]/,
    platform: 'node',
    tsconfig: false,
    // what the package's own bundler has to say, it says when it builds
    logLevel: 'silent',
    preserveEntrySignatures: 'strict',
    plugins: [ownAddress]
  })
  await bundle.write({
    dir: join(root, 'dist', 'spec'),
    format: 'esm',
    sourcemap: true,
    comments: false,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      groups: [
        { name: 'library', test: id => together(id, 'lib/') },
        { name: 'example-app', test: id => together(id, 'example-app/') }
      ]
    }
  })
  await bundle.close()
}
