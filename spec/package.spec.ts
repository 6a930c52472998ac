/** The package as it is bundled: what its entries share, and what an application that imports one of them loads. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Manifest {
  readonly name: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
}

const { name, exports, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const entries = Object.entries(exports).flatMap(([path, target]) => (typeof target === 'string' ? [] : [{ path, ...target }]))
const specifiers = entries.map(({ path }) => name + path.slice(1))

/** What a module prints as JSON that runs in a process of its own, in this project. */
async function printed<Value>(code: string, ...args: string[]): Promise<Value> {
  const module = ['--input-type=module', '--eval', code]
  const { stdout } = await promisify(execFile)(process.execPath, [...args, ...module], { cwd: root, maxBuffer: 1e8 })
  return JSON.parse(stdout) as Value
}

/** Prints the URL of each file that is loaded. */
const listing = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module'
  import { MessageChannel } from 'node:worker_threads'
  const hooks = \`
    let port
    export function initialize(given) { port = given }
    export async function load(url, context, next) { port.postMessage(url); return next(url, context) }
  \`
  const { port1, port2 } = new MessageChannel()
  globalThis.loaded = []
  port1.on('message', url => globalThis.loaded.push(url)).unref()
  register('data:text/javascript,' + encodeURIComponent(hooks), { data: port2, transferList: [port2] })
`)}`

/** What is loaded by a module: files of the package, by their place in it, and names of packages. */
async function loadedBy(code: string): Promise<{ readonly files: readonly string[]; readonly packages: readonly string[] }> {
  const after = `\nawait new Promise(resolve => setTimeout(resolve, 100)); console.log(JSON.stringify(globalThis.loaded))`
  const urls = await printed<string[]>(code + after, '--no-warnings', '--import', listing)
  const ours = new URL('../dist/', import.meta.url).href
  const packageOf = (url: string) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []
  return {
    files: urls.filter(url => url.startsWith(ours)).map(url => url.slice(ours.length)),
    packages: [...new Set(urls.flatMap(packageOf))].sort()
  }
}

beforeAll(async () => {
  await printed(`import { build } from './example-app/build.mjs'; await build(() => undefined); console.log(true)`)
})

describe('the package', () => {
  it.each(entries)('has $path where package.json says', ({ default: file }) => {
    const code = readFileSync(join(root, file), 'utf8')
    // what only hands on has nothing to map
    const isCode = !code.split('\n').every(line => /^(?:import|export) |^\/\/|^$/.test(line))
    expect(existsSync(join(root, `${file}.map`))).toBe(isCode)
  })

  it('brings along the packages that are named with their licenses, and installs the others', () => {
    const licenses = readFileSync(join(root, 'dist/lib/licenses.txt'), 'utf8')
    const broughtAlong = [...licenses.matchAll(/^(\S+) \d+\.\d+\.\d+, \S+$/gm)].map(([, name]) => name)
    expect(broughtAlong.sort()).toEqual(['ipaddr.js', 'lru-cache'])
    expect(Object.keys(dependencies)).toEqual(['jose', 'passport', 'passport-http', 'passport-oauth2-client-password'])
  })

  it('has every value once, whichever entry it is taken from', async () => {
    const twice = await printed<string[]>(`
      const seen = new Map(), twice = []
      for (const specifier of ${JSON.stringify(specifiers)}) {
        for (const [name, value] of Object.entries(await import(specifier))) {
          if (seen.has(name) && seen.get(name) !== value) twice.push(specifier + ' ' + name)
          seen.set(name, value)
        }
      }
      console.log(JSON.stringify(twice))
    `)
    expect(twice).toEqual([])
  })

  it('has one class per error: what any entry throws is one of the main entry', async () => {
    const taking = ['authorizationServer', 'mcpAuthorization', 'memoryStore', 'postgresStore', 'redisStore', 'sqliteStore']
    const thrown = await printed<Record<string, string>>(`
      import { ConfigurationError } from 'clientele'
      const answers = {}
      for (const specifier of ${JSON.stringify(specifiers)}) {
        for (const [name, value] of Object.entries(await import(specifier))) {
          if (!${JSON.stringify(taking)}.includes(name)) continue
          try {
            await value({ nonsense: true })
            answers[name] = 'nothing'
          } catch (error) {
            answers[name] = error instanceof ConfigurationError ? 'ConfigurationError' : String(error)
          }
        }
      }
      console.log(JSON.stringify(answers))
    `)
    expect(thrown).toEqual(Object.fromEntries(taking.map(name => [name, 'ConfigurationError'])))
  })
})

describe('what is loaded', () => {
  const start = `
    import { authorizationServer, generateKeys, memoryStore } from 'clientele'
    authorizationServer({
      issuer: 'https://as.example.com', clients: [], store: memoryStore(), keys: await generateKeys(['ES256']),
      interaction: { account: () => undefined, consented: () => false, prompt: () => undefined }
    })`

  it('is a handful of files, and no driver of a database, by the main entry', async () => {
    const { files, packages } = await loadedBy(start)
    expect(files.length).toBeLessThan(10)
    expect(files).toContain('lib/index.js')
    for (const other of ['sqlite', 'postgres', 'redis', 'mcp', 'testing'])
      expect(files.filter(file => file.includes(other))).toEqual([])
    expect(packages).toEqual(expect.arrayContaining(['express', 'jose', 'passport']))
    for (const absent of ['@opentelemetry/api', 'kysely', 'libsql', 'pg', 'redis']) expect(packages).not.toContain(absent)
  })
})
