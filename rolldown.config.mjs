/**
 * How lib/, cli/ and example-app/ become dist/. The entries of the library are what package.json exports: a new sub-path is written
 * there alone. What entries share lies in chunks beside them, so that every class exists once, whichever entry it is taken from.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The modules of lib/ that package.json exports, by where they are below dist/lib/, without extension. */
const entries = Object.values(manifest.exports).flatMap(target => /^\.\/dist\/lib\/(.+)\.js$/.exec(target.default)?.[1] ?? [])

/** What a user of the package has installed, this package too where the command imports it. All else is brought along. */
const installed = [manifest.name, ...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]
const isInstalled = specifier => installed.some(name => specifier === name || specifier.startsWith(`${name}/`))
const isPackage = specifier => /^[^./]/.test(specifier)

/** Tells, beside the code, under which licenses others' code was brought along with it. */
const licenses = {
  name: 'licenses',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds)
    const packages = new Set(modules.flatMap(id => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []))
    if (packages.size === 0) return
    this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: [...packages].sort().map(licenseOf).join('\n\n') })
  }
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find(name => /^licen[cs]e/i.test(name))
  if (file === undefined) throw new Error(`${name} has no license file`)
  return `${name} ${version}, ${license}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
}

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

/** What reads the example app's configuration files is the example app, whole: a checkout has it, and the package is spared it. */
const ofCheckout = {
  name: 'of-checkout',
  resolveId(specifier) {
    const [, name] = /\/example-app\/config\/(lint|replay)\.ts$/.exec(specifier) ?? []
    return name === undefined ? undefined : { id: `../../example-app/config/${name}.js`, external: true }
  }
}

/** Small modules that several entries share: a file of its own for each would cost a start more than what is in it. */
const small = {
  name: 'options',
  test: /\/lib\/(?:options|crypto\/ml-dsa|certificates\/authorities|stores\/(?:batch|store)|.*\/(?:federated-credential|key-name|spiffe-id|new-record))\.ts$/
}

const bundled = (folder, names, external, { sourcemap = true, plugins = [], groups = [] } = {}) => ({
  input: Object.fromEntries(names.map(name => [name, join(root, folder, `${name}.ts`)])),
  external,
  platform: 'node',
  tsconfig: false,
  logLevel: 'warn',
  plugins: [...plugins, licenses, nothingStale],
  output: {
    dir: join(root, 'dist', folder),
    format: 'esm',
    sourcemap,
    // the declarations and the source maps have them
    comments: { jsdoc: false },
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    ...(groups.length > 0 && { codeSplitting: { groups } })
  }
})

export default [
  bundled('lib', entries, isInstalled, { groups: [small] }),
  // a command's own source maps would weigh as much as the library
  bundled('cli', ['main'], isInstalled, { sourcemap: false, plugins: [ofCheckout] }),
  bundled('example-app', ['main', 'rotate-keys', 'config/lint', 'config/replay'], isPackage)
]
