/** Several server processes on one store, and what clients do with them. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { generateKeys, type ClientMetadata } from 'clientele'
import { compiled } from '../../support/processes/compiled.ts'
import { workloads } from './platform.ts'
import { callback, issuer, type NodeSetup, type StoreEngine, type StoreOperation } from './setup.ts'

export interface Answer<Body = Readonly<Record<string, string>>> {
  readonly status: number
  /** What its JSON says; an empty object where it is none. */
  readonly body: Body
  readonly location: string | undefined
  readonly retryAfter: string | undefined
}

export interface Request {
  readonly method?: 'GET' | 'POST'
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of a form. */
  readonly json?: unknown
}

export interface Cluster {
  readonly size: number
  /** Asks one of the processes. Rejects where it is dead (see {@link neverSent}), or dies before it answers. */
  ask(node: number, path: string, request?: Request): Promise<Answer>
  /** The list that one of the processes answers with. */
  askForList(node: number, path: string): Promise<readonly Answer['body'][]>
  /** Kills processes at once, in the middle of whatever they are doing, and starts them again. */
  killAndRestart(nodes: readonly number[]): Promise<void>
  /** One of the processes kills itself when the next such operation of its store is done and nobody knows yet; started again. */
  dieAfter(node: number, operation: StoreOperation): Promise<void>
  stop(): Promise<void>
}

interface Node {
  child: ChildProcess
  port: number
}

export async function startCluster(
  store: StoreEngine,
  clients: readonly ClientMetadata[],
  { size = 4, credentials = false }: { readonly size?: number; readonly credentials?: boolean } = {}
): Promise<Cluster> {
  const setup: NodeSetup = { store, clients, workloads, credentials, keys: await generateKeys(['ES256']) }
  const nodes = await Promise.all(Array.from({ length: size }, () => startNode(setup)))
  const nodeOf = (index: number): Node => {
    const node = nodes[index % size]
    if (node === undefined) throw new Error('there is no such process')
    return node
  }
  return {
    size,
    ask: (index, path, request) => ask(nodeOf(index).port, path, request),
    askForList: async (index, path) => (await ask<readonly Answer['body'][]>(nodeOf(index).port, path)).body,
    async killAndRestart(indices) {
      const killed = indices.map(nodeOf)
      await Promise.all(killed.map(({ child }) => kill(child)))
      await Promise.all(killed.map(async node => Object.assign(node, await startNode(setup))))
    },
    async dieAfter(index, operation) {
      const node = nodeOf(index)
      const closed = once(node.child, 'close')
      node.child.send({ dieAfter: operation })
      await closed
      Object.assign(node, await startNode(setup))
    },
    stop: async () => {
      await Promise.all(nodes.map(({ child }) => kill(child)))
    }
  }
}

let program: string | undefined

async function startNode(setup: NodeSetup): Promise<Node> {
  program ??= compiled(new URL('node.ts', import.meta.url))
  const child = fork(program, {
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  child.send(setup)
  const closed = once(child, 'close').then(([code]) => `the process ended with ${String(code)}`)
  const [port] = (await Promise.race([once(child, 'message'), closed.then(reason => Promise.reject(new Error(reason)))])) as [
    number
  ]
  return { child, port }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

export async function ask<Body = Answer['body']>(
  port: number,
  path: string,
  { method, form, json, headers = {} }: Request = {}
): Promise<Answer<Body>> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: method ?? (form === undefined && json === undefined ? 'GET' : 'POST'),
    headers: json === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    redirect: 'manual',
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(form !== undefined && { body: new URLSearchParams(form) })
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  const body = JSON.parse(isJson ? text : '{}') as Body
  const header = (name: string) => response.headers.get(name) ?? undefined
  return { status: response.status, body, location: header('location'), retryAfter: header('retry-after') }
}

/** Whether what {@link Cluster.ask} rejected with means that nobody got the request. */
export function neverSent(error: unknown): boolean {
  return (error as { readonly cause?: { readonly code?: string } }).cause?.code === 'ECONNREFUSED'
}

export function basic(client_id: string, secret: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${client_id}:${secret}`).toString('base64')}` }
}

/** A fresh code for a person of that name, from whichever process. */
export async function codeFor(
  cluster: Pick<Cluster, 'ask'>,
  node: number,
  client_id: string,
  person: string,
  path = ''
): Promise<string> {
  const query = new URLSearchParams({
    client_id,
    response_type: 'code',
    redirect_uri: callback,
    scope: 'openid offline_access',
    login_hint: person,
    // RFC 7636 Appendix B
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256'
  })
  const { status, location } = await cluster.ask(node, `${path}/oauth2/authorize?${query.toString()}`)
  const code = location === undefined ? null : new URL(location).searchParams.get('code')
  if (code === null) throw new Error(`no code: ${status} ${location ?? ''}`)
  return code
}

export function redemption(code: string): Readonly<Record<string, string>> {
  const code_verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  return { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
}

export const tokenEndpoint = `${issuer}/oauth2/token`
