/**
 * Two server processes on one SQLite store, and clients that never stop asking for tokens while a secret, a key, a certificate and a method are each
 * replaced: the new one is added, both work, the client moves, the old one is seen to be unused, and is taken back. Not one request fails.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { randomUUID, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { newKeyPair } from '../../lib/crypto/key-pairs.ts'
import { type ClientMetadata, type CredentialFunctions, type CredentialInfo } from '../../lib/index.ts'
import { SignJWT } from 'jose'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../support/certificates/certificates.ts'
import { tlsFetch } from '../support/journeys/fetch.ts'
import { typescriptArgs } from '../support/processes/typescript-process.ts'
import type { RotationSetup } from './rotation-node.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

const issuer = 'https://as.example.com'
const folder = mkdtempSync(join(tmpdir(), 'clientele-rotation-'))
const authority = makeAuthority({ subject: 'Servers' })
const tls = makeCertificate({ subject: 'server', issuer: authority, sans: { ip: ['127.0.0.1'] } })
const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

interface KeyPair {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: object
}

function keyPair(kid: string): KeyPair {
  const { privateKey, publicKey } = newKeyPair('P-256')
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid } }
}

const certificates = { old: makeCertificate({ subject: 'client' }), new: makeCertificate({ subject: 'client' }) }
const keyPairs = { old: keyPair('old'), new: keyPair('new'), moved: keyPair('moved') }
const common = { grant_types: ['client_credentials'], response_types: [] }
const clients: ClientMetadata[] = [
  { ...common, client_id: 'by-secret', client_secret: 'the old secret of by-secret' },
  { ...common, client_id: 'by-key', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [keyPairs.old.jwk] } },
  {
    ...common,
    client_id: 'by-certificate',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    credentials: [{ type: 'certificate', id: 'old', certificate: certificates.old.pem }]
  },
  { ...common, client_id: 'by-method', client_secret: 'the secret of by-method' }
]

/** One way to ask for a token. */
type Ask = (address: string) => Promise<number>

const plain = tlsFetch({ ca: authority.pem })
const post = async (fetch: typeof plain, address: string, form: Record<string, string>, headers = {}): Promise<number> => {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...form })
  const response = await fetch(`${address}/oauth2/token`, { method: 'POST', headers, body })
  await response.text()
  return response.status
}

const withSecret = (client_id: string, secret: string): Ask => {
  const credentials = Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(secret)}`).toString('base64')
  return address => post(plain, address, {}, { Authorization: `Basic ${credentials}` })
}
const withKey = (client_id: string, { kid, privateKey }: KeyPair): Ask => {
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return async address => {
    const jwt = new SignJWT({ iss: client_id, sub: client_id, aud: issuer, jti: randomUUID() }).setProtectedHeader({
      alg: 'ES256',
      kid
    })
    const client_assertion = await jwt.setIssuedAt().setExpirationTime('1m').sign(privateKey)
    return post(plain, address, { client_assertion_type, client_assertion })
  }
}
const withCertificate = (client_id: string, { pem, keyPem }: MadeCertificate): Ask => {
  const fetch = tlsFetch({ ca: authority.pem, certificate: { pem, keyPem } })
  return address => post(fetch, address, { client_id })
}

interface Node {
  readonly child: ChildProcess
  readonly address: string
  call<T>(name: keyof CredentialFunctions, ...given: unknown[]): Promise<T>
}

let nodes: readonly Node[] = []

async function start(setup: RotationSetup): Promise<Node> {
  const child = fork(fileURLToPath(new URL('rotation-node.ts', import.meta.url)), {
    execArgv: [...typescriptArgs],
    env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  child.send(setup)
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  let calls = 0
  return {
    child,
    address: `https://127.0.0.1:${port}`,
    async call<T>(name: keyof CredentialFunctions, ...given: unknown[]) {
      const id = ++calls
      child.send({ id, name, given })
      for (;;) {
        const [answer] = (await once(child, 'message')) as [{ id: number; value?: unknown; error?: string }]
        if (answer.id !== id) continue
        if (answer.error !== undefined) throw new Error(answer.error)
        return answer.value as T
      }
    }
  }
}

beforeAll(async () => {
  const setup = {
    issuer,
    path: join(folder, 'store.db'),
    keys: await serverKeys(),
    clients,
    tls: { key: tls.keyPem, cert: tls.pem }
  }
  nodes = [await start(setup), await start(setup)]
}, 120_000)

afterAll(async () => {
  await Promise.all(
    nodes.map(async ({ child }) => {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    })
  )
  rmSync(folder, { recursive: true, force: true })
})

/** Asks both nodes, in turn, in each of the ways there are at the time, until it is stopped. */
function load(client_id: string, first: Ask) {
  const state = { ways: [first], running: true, asked: 0 }
  const failures: string[] = []
  const done = (async () => {
    while (state.running) {
      const way = state.ways[Math.floor(state.asked / nodes.length) % state.ways.length] ?? first
      const status = await way(nodes[state.asked % nodes.length]?.address ?? '').catch(String)
      state.asked++
      if (status !== 200) failures.push(`${client_id}: ${status}`)
      await pause(5)
    }
  })()
  return { state, failures, stop: () => ((state.running = false), done) }
}

/** What replaces what, and for whom. */
const rotations: readonly {
  readonly client_id: string
  readonly old: Ask
  /** The credential that ends. */
  readonly ends: string
  readonly add: (operator: Node) => Promise<{ way: Ask; credential: string }>
}[] = [
  {
    client_id: 'by-secret',
    old: withSecret('by-secret', 'the old secret of by-secret'),
    ends: 'secret:1',
    async add(operator) {
      const made = await operator.call<{ client_secret: string; credential: string }>('rotateSecret', 'by-secret', {
        label: 'new'
      })
      return { way: withSecret('by-secret', made.client_secret), credential: made.credential }
    }
  },
  {
    client_id: 'by-key',
    old: withKey('by-key', keyPairs.old),
    ends: 'kid:old',
    async add(operator) {
      const { credential } = await operator.call<{ credential: string }>('addKey', 'by-key', keyPairs.new.jwk)
      return { way: withKey('by-key', keyPairs.new), credential }
    }
  },
  {
    client_id: 'by-certificate',
    old: withCertificate('by-certificate', certificates.old),
    ends: `x5t#S256:${certificates.old.thumbprint}`,
    async add(operator) {
      const { credential } = await operator.call<{ credential: string }>('addCertificate', 'by-certificate', certificates.new.pem)
      return { way: withCertificate('by-certificate', certificates.new), credential }
    }
  },
  {
    client_id: 'by-method',
    old: withSecret('by-method', 'the secret of by-method'),
    ends: 'method:client_secret_basic',
    async add(operator) {
      await operator.call('addKey', 'by-method', keyPairs.moved.jwk)
      const { credential } = await operator.call<{ credential: string }>('allowMethod', 'by-method', 'private_key_jwt')
      return { way: withKey('by-method', keyPairs.moved), credential }
    }
  }
]

/** Longer than a node may not have seen what the other changed. */
const seen = 1500

it('replaces a secret, a key, a certificate and a method under load, without one failure', async () => {
  const [operator, other] = nodes
  if (operator === undefined || other === undefined) throw new Error('there are not two nodes')
  const loads = rotations.map(({ client_id, old }) => load(client_id, old))
  await pause(500)
  const added: Awaited<ReturnType<(typeof rotations)[number]['add']>>[] = []
  for (const { add } of rotations) added.push(await add(operator))
  await pause(seen)
  // both work
  loads.forEach(({ state }, index) => state.ways.push(...added.slice(index, index + 1).map(({ way }) => way)))
  await pause(1000)
  // the clients move
  loads.forEach(({ state }) => state.ways.shift())
  await pause(500)
  const moved = Math.ceil(Date.now() / 1000)
  await pause(1500)
  const listed: CredentialInfo[][] = []
  for (const { client_id } of rotations) listed.push(await other.call<CredentialInfo[]>('listCredentials', client_id))
  for (const [index, { client_id, ends }] of rotations.entries()) {
    const old = listed[index]?.find(({ credential }) => credential === ends)
    const fresh = listed[index]?.find(({ credential }) => credential === added[index]?.credential)
    expect(fresh).toMatchObject({ state: 'live', source: 'stored', last_used_at: expect.any(Number) })
    // in use until the move, and not since
    expect(old).toMatchObject({ state: 'live', source: 'configured', last_used_at: expect.any(Number) })
    expect(old?.last_used_at).toBeLessThanOrEqual(moved)
    await other.call('revokeCredential', client_id, old?.id)
  }
  await pause(seen)
  for (const { old } of rotations) expect(await Promise.all(nodes.map(({ address }) => old(address)))).toEqual([401, 401])
  await pause(500)
  await Promise.all(loads.map(({ stop }) => stop()))
  expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  for (const { state } of loads) expect(state.asked).toBeGreaterThan(20)
  const after = await operator.call<CredentialInfo[]>('listCredentials', 'by-secret')
  const gone = after.find(({ credential }) => credential === 'secret:1')
  expect(gone).toMatchObject({ state: 'revoked' })
  expect(gone?.last_used_at).toBeLessThanOrEqual(moved)
}, 120_000)
