/**
 * How lib/ and example-app/ become dist/. The entries are what package.json exports and runs: a new sub-path or command is written
 * there alone. What entries share lies in chunks beside them, so that every class exists once, whichever entry it is taken from.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const { exports, bin = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The modules of lib/ that package.json exports or runs, by where they are below dist/lib/, without extension. */
const entries = [...Object.values(exports), ...Object.values(bin)]
  .map(target => /^(?:\.\/)?dist\/lib\/(.+)\.js$/.exec(target.default ?? target)?.[1])
  .filter(name => name !== undefined)

/** Removes what an earlier build wrote and this one did not: a package holds no code that nothing imports. */
const nothingStale = {
  name: 'nothing-stale',
  writeBundle({ dir }, bundle) {
    for (const name of readdirSync(dir, { recursive: true })) {
      const isCode = /\.js(?:\.map)?$/.test(name)
      if (isCode && !Object.hasOwn(bundle, name.replaceAll('\\', '/'))) rmSync(join(dir, name))
    }
  }
}

const bundled = (folder, names) => ({
  input: Object.fromEntries(names.map(name => [name, join(root, folder, `${name}.ts`)])),
  // packages stay packages, this one too where the example app imports it
  external: /^[^./]/,
  platform: 'node',
  tsconfig: false,
  logLevel: 'warn',
  plugins: [nothingStale],
  output: {
    dir: join(root, 'dist', folder),
    format: 'esm',
    sourcemap: true,
    // the declarations and the source maps have them
    comments: { jsdoc: false },
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js'
  }
})

export default [bundled('lib', entries), bundled('example-app', ['main', 'rotate-keys'])]
