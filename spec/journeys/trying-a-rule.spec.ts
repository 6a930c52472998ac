/** Two stricter rules, tried on a running load by a shadow: it names the clients that would break, and a replay names the same ones afterwards. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import {
  type ClientMetadata,
  type JudgedAuthentication,
  memoryStore,
  type ShadowDifference,
  storedKeys,
  tlsCertificate
} from '../../lib/index.ts'
import { keptAuthentications, replayAuthentications } from '../../lib/replay/replay.ts'
import { openStore } from '../../lib/stores/open.ts'
import { clientele } from '../cli/terminal.ts'
import { serve } from '../example-app/in-process.ts'
import { makeAuthority, makeCertificate, type MadeCertificate } from '../support/certificates/certificates.ts'
import { assertionClaims, signAssertion } from '../support/clients/assertion-requests.ts'
import { basic, harness, issuer } from '../support/servers/authorization-server.ts'
import { parties, tokenEndpoint, until } from '../support/servers/shadowed.ts'
import { authority, tlsClient, tlsServer } from '../strategies/tls-requests.ts'

/** What another process does is seen within seconds. */
async function eventually(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise(resolve => setTimeout(resolve, 50))
}

const next = makeAuthority({ subject: 'Next CA' })
const shared = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }
const byAuthority = ['old', 'new'].map((client_id): ClientMetadata => ({
  ...{ client_id, token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: `${client_id}.example` },
  ...shared
}))
/** Two of each kind that signs: one that keeps the rule, and one that does not. */
const signing = parties.clients.flatMap(client => [
  { ...client, ...shared },
  { ...client, ...shared, client_id: `${client.client_id}-late` }
])
const web = { client_id: 'web', client_secret: 'secret-of-web-that-is-long-enough', ...shared }
const clients: readonly ClientMetadata[] = [...byAuthority, ...signing, web]
const breaking = ['macs-late', 'old', 'signs-late']

const certificates: Readonly<Record<string, MadeCertificate>> = {
  old: makeCertificate({ issuer: authority, sans: { dns: ['old.example'] } }),
  new: makeCertificate({ issuer: next, sans: { dns: ['new.example'] } })
}

const differences: ShadowDifference[] = []
const judged: JudgedAuthentication[] = []
const statuses: number[] = []
const folder = mkdtempSync(join(tmpdir(), 'clientele-replay-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const names = (ids: readonly (string | undefined)[]): readonly (string | undefined)[] => [...new Set(ids)].sort()

beforeAll(async () => {
  const { app } = await harness({
    clients,
    store: memoryStore(),
    clock: Date.now,
    assertionAudience: 'legacy',
    certificateSource: tlsCertificate({ ca: [authority.pem, next.pem] }),
    onJudged: one => judged.push(one),
    shadow: {
      options: { assertionAudience: 'issuer', certificateSource: tlsCertificate({ ca: next.pem }) },
      sample: 1,
      onDifference: difference => differences.push(difference)
    }
  })
  const server = tlsServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = async (client_id: string): Promise<void> => {
    const certificate = certificates[client_id]
    const test = request(address).post('/oauth2/token').ca(authority.pem).type('form')
    if (certificate !== undefined) {
      const { key, cert } = tlsClient(certificate)
      void test.key(key).cert(cert)
    }
    const form = { grant_type: 'client_credentials', ...(await proofOf(client_id)) }
    if (client_id === 'web') void test.auth('web', web.client_secret)
    statuses.push((await test.send(form)).status)
  }
  for (let round = 0; round < 6; round++) await Promise.all(clients.map(({ client_id }) => send(client_id)))
  await until(() => differences.length >= 6 * breaking.length)
  server.close()
})

async function proofOf(client_id: string): Promise<object> {
  if (client_id === 'web') return {}
  if (certificates[client_id] !== undefined) return { client_id }
  const [party = '', late] = client_id.split('-')
  const aud = late === undefined ? issuer : tokenEndpoint
  const claims = assertionClaims(client_id, Math.floor(Date.now() / 1000), { aud })
  return signAssertion(parties, party as 'signs' | 'macs', claims)
}

describe('an audience and a set of authorities, tried on a running load', () => {
  it('are told of by the clients that would break, and nobody else; every answer was the live one', () => {
    expect(statuses).toEqual(statuses.map(() => 200))
    expect(statuses).toHaveLength(6 * clients.length)
    expect(names(differences.map(({ live }) => live.client_id))).toEqual(breaking)
    expect(differences).toHaveLength(6 * breaking.length)
    expect(names(differences.map(({ candidate }) => candidate.checks.find(({ outcome }) => outcome === 'fail')?.check))).toEqual([
      'audience',
      'certificate_chain'
    ])
  })

  it('are told of by the same clients when what was kept is judged again', async () => {
    const text = judged.map(one => JSON.stringify(one))
    const kept = text.map(line => JSON.parse(line) as unknown)
    const certificateSource = tlsCertificate({ ca: next.pem })
    const report = await replayAuthentications(kept, { issuer, clients, assertionAudience: 'issuer', certificateSource })
    expect(report).toMatchObject({ judged: 6 * clients.length, not_judged: 0, unreadable: 0 })
    expect(names(report.clients.map(({ client_id }) => client_id))).toEqual(breaking)
    expect(report.clients.map(({ effect, count }) => `${effect} ${count}`)).toEqual(breaking.map(() => 'would_break 6'))
    // of a certificate that proves a client only what it says is there
    for (const { der } of Object.values(certificates)) expect(text.join()).not.toContain(der.toString('base64').slice(0, 200))
  })

  it('are told of by the command, before the configuration file is deployed', async () => {
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    }
    const server = makeCertificate({ subject: 'server', issuer: authority, sans: { dns: ['as.example.com'] } })
    file('server.key', server.keyPem)
    file('server.crt', server.pem)
    file('old.crt', authority.pem)
    file('next.crt', next.pem)
    const kept = file('kept.jsonl', `${judged.map(one => JSON.stringify(one)).join('\n')}\n\nnot a record\n`)
    const config = (name: string, client_ca: readonly string[], assertion_audience: string) =>
      file(
        name,
        JSON.stringify({
          ...{ issuer, clients, tls: { key: 'server.key', cert: 'server.crt', client_ca } },
          policy: { assertion_audience }
        })
      )
    const candidate = config('next.json', ['next.crt'], 'issuer')
    const strict = await clientele(['replay', kept, '--config', candidate])
    expect(strict).toMatchObject({ code: 1, err: '' })
    for (const client_id of breaking) expect(strict.out).toContain(`${client_id} would break: `)
    expect(strict.out).toContain(
      '3 clients would break. 42 authentications were judged again, 0 could not be, 1 lines are no records.'
    )
    const asJson = await clientele(['replay', '-', '--config', candidate, '--format', 'json'], JSON.stringify(judged[0]))
    expect(JSON.parse(asJson.out)).toMatchObject({ judged: 1 })
    const live = await clientele(['replay', kept, '--config', config('live.json', ['old.crt', 'next.crt'], 'legacy')])
    expect(live).toMatchObject({ code: 0, out: expect.stringContaining('0 clients would break.') })
    const module = file(
      'candidate.mjs',
      `export const options = ${JSON.stringify({ issuer, clients, assertionAudience: 'issuer' })}`
    )
    const ofModule = await clientele(['replay', kept, '--config', module])
    expect(ofModule.code).toBe(1)
    expect(ofModule.out).toContain('2 clients would break.')
  })

  it('are not told of by what is in the store of the servers beside their configuration file', async () => {
    const [STORE_URL, CONFIG] = [`sqlite:${join(folder, 'store.db')}`, join(folder, 'server.json')]
    const store = await openStore(STORE_URL)
    const own = { client_id: 'web', client_secret: 'the secret in the file', grant_types: ['client_credentials'] }
    const serving = await serve(issuer => {
      const settings = { issuer, clients: [own], policy: { grant_types: ['client_credentials'], failure_budget: 'off' } }
      writeFileSync(CONFIG, JSON.stringify(settings))
      return settings
    }, store)
    const run = (...given: string[]) => clientele(given, '', { STORE_URL, CONFIG })
    const secretOf = async (...given: string[]): Promise<string> => {
      const { out } = await run('clients', ...given, '--format', 'json')
      return (JSON.parse(out) as { client_secret: string }).client_secret
    }
    const use = async (client_id: string, client_secret: string): Promise<boolean> => {
      const headers = { authorization: basic(client_id, client_secret) }
      const body = new URLSearchParams({ grant_type: 'client_credentials' })
      return (await fetch(`${serving.issuer}/oauth2/token`, { method: 'POST', headers, body })).ok
    }
    const secrets = {
      web: await secretOf('rotate-secret', 'web'),
      nightly: await secretOf('add', 'nightly', '--grant-type', 'client_credentials')
    }
    for (const [client_id, secret] of Object.entries(secrets)) await eventually(() => use(client_id, secret))
    const kept = keptAuthentications({ store, issuer: serving.issuer })
    const authenticated = async () => (await kept.recent()).filter(({ outcome }) => outcome === 'authenticated').length
    await eventually(async () => (await authenticated()) === 2)
    expect(await run('replay', '--config', CONFIG)).toMatchObject({ code: 0, err: '' })
    await run('clients', 'disable', 'nightly')
    const { code, out } = await run('replay', '--config', CONFIG)
    expect([code, out]).toEqual([1, expect.stringContaining('nightly would break: client')])
    // whoever has another secret than the servers is told which to name
    const secretly = (KEYS_SECRET: string, ...given: string[]) => clientele(given, '', { STORE_URL, CONFIG, KEYS_SECRET })
    expect(await secretly('c'.repeat(32), 'replay', '--config', CONFIG)).toMatchObject({ err: '', code: 1 })
    // that was but a look: the servers' keys are sealed under no secret still
    const keys = await storedKeys({ store, issuer: serving.issuer })
    keys.close()
    expect(await secretly('a'.repeat(32), 'keys', 'rotate')).toMatchObject({ code: 0 })
    const refused = { code: 2, out: '', err: expect.stringMatching(/: KEYS_SECRET must be .*KEYS_SECRET_PREVIOUS/) }
    expect(await secretly('b'.repeat(32), 'replay', '--config', CONFIG)).toEqual(refused)
    expect(await secretly('b'.repeat(32), 'clients', 'list')).toEqual(refused)
    await serving.close()
    await store.close()
  })

  it.each([
    [['replay'], '--config must say what to judge by'],
    [['replay', 'kept.jsonl', '--config', '/nowhere.json'], '--config must be the path of a file'],
    [['replay', '/nowhere.jsonl', '--config', 'MODULE'], 'FILE must be the path of a readable file'],
    [['replay', '-', '--config', 'MODULE', '--store', 'memory:'], '--store must be left out'],
    [['replay', '-', '--config', 'MODULE', '--tenant', '/a'], '--tenant must be left out'],
    [['replay', '--config', 'MODULE', '--store', 'memory:'], '--store must be a store that servers can share'],
    [['replay', '-', '--config', 'WRONG'], 'assertionAudience must be'],
    [['replay', '-', '--config', 'BROKEN'], 'cannot be loaded'],
    [['replay', '-', '--config', 'FILE'], 'issuer']
  ])('%j cannot be judged, and says why', async (given, why) => {
    const modules: Readonly<Record<string, string>> = {
      MODULE: `export default ${JSON.stringify({ issuer, clients: [] })}`,
      WRONG: `export default ${JSON.stringify({ issuer, clients: [], assertionAudience: 'never' })}`,
      BROKEN: 'export default (',
      FILE: '{}'
    }
    const named = given.map(word => {
      const content = modules[word]
      if (content === undefined) return word
      const path = join(folder, `${word}.${word === 'FILE' ? 'json' : 'mjs'}`)
      writeFileSync(path, content)
      return path
    })
    const { code, err } = await clientele(named)
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(why) })
  })
})
