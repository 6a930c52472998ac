/** Starts a server in a process of its own and keeps every byte it prints, warnings included. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ClientMetadata, PrivateKeySet } from 'clientele'
import { tlsFetch, type Fetch, type TlsOptions } from './journey-fetch.ts'

export interface ChildSetup {
  readonly clients: readonly { readonly client_id: string; readonly metadata: ClientMetadata }[]
  readonly clientCa: string
  readonly keys: PrivateKeySet
  /** `eager` prints every decision and everything about every error; `quiet` leaves it to the library. */
  readonly operator: 'eager' | 'quiet'
}

export interface ServerProcess {
  readonly issuer: string
  fetchFor(certificate?: TlsOptions['certificate']): Fetch
  /** Ends the process; resolves to all it ever printed. */
  stop(): Promise<string>
}

const root = new URL('../../', import.meta.url)

/** Node 20 reads no TypeScript: these hooks compile what the process imports, with the compiler the specs run on. */
const hooks = `
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
const root = ${JSON.stringify(root.href)}
const { transform } = createRequire(root)('@swc/core')
const options = { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } }
export function resolve(specifier, context, next) {
  return next(specifier === 'clientele' ? new URL('lib/index.ts', root).href : specifier, context)
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

export async function startProcess(setup: ChildSetup): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL('journey-child.ts', import.meta.url)), {
    execArgv: ['--import', dataUrl(loader)],
    // Express prints what it does not expect unless it is told that this is a test; nobody's options of Node's are ours
    env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
    silent: true
  })
  const printed: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  const closed = once(child, 'close')
  child.send(setup)
  const ready = (await Promise.race([once(child, 'message'), closed])) as [{ issuer: string; ca: string } | number | null]
  const [message] = ready
  if (typeof message !== 'object' || message === null) throw new Error(`the server ended: ${printed.join('')}`)
  const { issuer, ca } = message
  return {
    issuer,
    fetchFor: certificate => tlsFetch({ ca, certificate }),
    stop: async () => {
      child.kill()
      await closed
      return printed.join('')
    }
  }
}
