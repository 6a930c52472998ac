/** Where the keys of platforms and trust domains come from, over real connections: what is refused there, what is down, and what moves. */
import { afterEach, describe, expect, it } from '@jest/globals'
import type { RequestListener } from 'node:http'
import { guardedFetch, type Decision, type FetchJson } from '../../../lib/index.ts'
import { makeIssuer, type ForeignIssuer } from '../../support/servers/trusted-issuer.ts'
import { cluster, clusterClaims } from '../../support/servers/workloads.ts'
import { closeSources, discovery, endpoint, platform, source } from '../../support/workloads/sources.ts'

afterEach(closeSources)

const failed = (decisions: readonly Decision[]) => decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')
const sends =
  (status: number, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_req, res) =>
    void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)

/** More than any document may be. */
const huge: RequestListener = (_req, res) => {
  const piece = `"${'x'.repeat(65_536)}",`
  const more = (): void => {
    if (!res.destroyed) res.write(piece, more)
  }
  res.writeHead(200)
  res.write('[', more)
}
const dripping: RequestListener = (_req, res) => {
  res.writeHead(200).write('{')
  const drip = setInterval(() => res.write(' '), 20)
  res.once('close', () => clearInterval(drip))
}
type Change = (at: Awaited<ReturnType<typeof platform>>) => void
const jwksAt =
  (jwks_uri: unknown): Change =>
  ({ answers, url }) =>
    void answers.set(discovery, { issuer: url, jwks_uri })

const unavailable: [name: string, reason: string, change: Change, fetchJson?: FetchJson][] = [
  [
    'names another issuer in its document',
    'the issuer in it is another',
    at => at.answers.set(discovery, { issuer: 'https://evil.example', jwks_uri: `${at.url}/keys` })
  ],
  [
    'has a slash too many there',
    'the issuer in it is another',
    at => at.answers.set(discovery, { issuer: `${at.url}/`, jwks_uri: `${at.url}/keys` })
  ],
  [
    'names a list of issuers',
    'the issuer in it is another',
    at => at.answers.set(discovery, { issuer: [at.url], jwks_uri: `${at.url}/keys` })
  ],
  ['has no document', 'status was 404', at => at.answers.delete(discovery)],
  ['answers with a list', 'the issuer in it is another', at => at.answers.set(discovery, [])],
  [
    'redirects to its document',
    'status was 302',
    at => at.answers.set(discovery, sends(302, '', { location: `${at.url}/elsewhere` }))
  ],
  ['answers with a page', 'not JSON', at => at.answers.set(discovery, sends(200, '<html></html>'))],
  ['answers with an error', 'status was 500', at => at.answers.set(discovery, sends(500, '{}'))],
  ['answers without end', 'longer than', at => at.answers.set(discovery, huge)],
  [
    'answers drop by drop',
    'no complete answer within 200 ms',
    at => at.answers.set(discovery, dripping),
    guardedFetch({ allowLoopback: true, timeout: 200 })
  ],
  ['names no address of keys', 'no jwks_uri', jwksAt(undefined)],
  ['names a number as address', 'no jwks_uri', jwksAt(7)],
  ['names what is no address', 'the URL', jwksAt('keys')],
  ['names a file', 'must be https', jwksAt('file:///etc/passwd')],
  ['names plain http elsewhere', 'must be https', jwksAt('http://keys.example/jwks')],
  ['names the metadata service', 'must be https', jwksAt('http://169.254.169.254/latest/meta-data')],
  ['names a link-local address', 'not public', jwksAt('https://169.254.169.254/keys')],
  ['names a private address', 'not public', jwksAt('https://10.1.2.3/keys')],
  ['names a private IPv6 address', 'not public', jwksAt('https://[fd00::1]/keys')],
  ['names an IPv4 address within an IPv6 one', 'not public', jwksAt('https://[::ffff:169.254.169.254]/keys')],
  ['names a host with a password', 'user info', jwksAt('https://a:b@keys.example/')],
  [
    'names a host whose name has a public and a private address',
    'not public',
    jwksAt('https://keys.example/'),
    guardedFetch({
      allowLoopback: true,
      lookup: () =>
        Promise.resolve([
          { address: '93.184.216.34', family: 4 },
          { address: '10.0.0.1', family: 4 }
        ])
    })
  ],
  ['redirects to its keys', 'status was 301', at => at.answers.set('/keys', sends(301, '', { location: `${at.url}/elsewhere` }))],
  ['answers keys that are none', 'JWK set', at => at.answers.set('/keys', { keys: 'none' })],
  ['answers keys without end', 'longer than', at => at.answers.set('/keys', huge)],
  ['does not listen', 'connection', at => at.close()],
  [
    'closes the connection',
    'connection',
    at => at.answers.set('/keys', ((_req, res) => res.destroy()) satisfies RequestListener)
  ],
  [
    'says what the application’s own fetch does not know',
    'the fetch failed',
    () => undefined,
    () => Promise.reject(new Error('secret detail'))
  ]
]

/** What is missing in a row is taken for a callback. */
const rows = unavailable.map(([name, reason, change, fetchJson]) => [name, reason, change, fetchJson] as const)

describe('a platform whose keys cannot be had', () => {
  it.each(rows)('%s: 503, with the reason in the decision, and nobody else is harmed', async (_, reason, change, fetchJson) => {
    const at = await platform()
    change(at)
    const under = endpoint(at.url, fetchJson)
    const { status, body, headers, text } = await under.send(at.by)
    expect([status, (body as { error: string }).error, headers['retry-after']]).toEqual([503, 'temporarily_unavailable', '5'])
    expect(failed(under.decisions)).toMatchObject({
      check: 'key',
      received: expect.stringContaining(reason),
      fix: expect.any(String)
    })
    expect(under.decisions.at(-1)).toMatchObject({ client_id: 'job', method: 'federated_jwt', outcome: 'refused' })
    expect(text).not.toContain(reason)
    expect(JSON.stringify(under.decisions)).not.toContain('secret detail')
    // whoever is not there, or has no credential of it, is answered the same
    for (const client_id of ['nobody', 'stranger']) {
      const other = await under.send(at.by, client_id)
      expect([other.status, other.text]).toEqual([status, text])
    }
    expect((await under.send(cluster, 'job', clusterClaims)).status).toBe(200)
    expect((await under.secret()).status).toBe(200)
  })

  it('is asked once for all who wait, and again when it may be well', async () => {
    const at = await platform()
    const good = at.answers.get('/keys')
    at.answers.set('/keys', sends(500, ''))
    const under = endpoint(at.url)
    const statuses = await Promise.all(Array.from({ length: 50 }, () => under.send(at.by).then(({ status }) => status)))
    expect(new Set(statuses)).toEqual(new Set([503]))
    expect(at.asked).toEqual([discovery, '/keys'])
    at.answers.set('/keys', good)
    expect((await under.send(at.by)).status).toBe(503)
    under.later(11)
    expect((await under.send(at.by)).status).toBe(200)
  })

  it('serves with its last good keys for an hour', async () => {
    const at = await platform()
    const under = endpoint(at.url)
    expect((await under.send(at.by)).status).toBe(200)
    at.close()
    under.later(600 + 3599)
    expect((await under.send(at.by)).status).toBe(200)
    under.later(12)
    expect((await under.send(at.by)).status).toBe(503)
  })

  it('is found where it moved its keys to', async () => {
    const at = await platform()
    const under = endpoint(at.url)
    expect((await under.send(at.by)).status).toBe(200)
    at.answers.set('/moved', at.answers.get('/keys'))
    at.answers.delete('/keys')
    jwksAt(`${at.url}/moved`)(at)
    under.later(601)
    expect((await under.send(at.by)).status).toBe(200)
    under.later(11)
    await under.send(at.by)
    expect(at.asked.at(-1)).toBe('/moved')
  })
})

describe('a trust domain whose bundle cannot be had', () => {
  it.each<[string, string, unknown]>([
    ['redirects', 'status was 302', sends(302, '', { location: '/b' })],
    ['answers no bundle', 'not a SPIFFE bundle', { keys: 7 }],
    ['answers without end', 'longer than', huge],
    ['has none', 'status was 404', undefined]
  ])('%s: 503, with the reason in the decision', async (_, reason, answer) => {
    const at = await source()
    if (answer !== undefined) at.answers.set('/bundle', answer)
    const under = endpoint('https://unused.example', undefined, {
      trustDomains: [{ trustDomain: 'prod.example', bundleEndpoint: `${at.url}/bundle` }]
    })
    expect((await under.svid(cluster)).status).toBe(503)
    expect(failed(under.decisions)).toMatchObject({ check: 'key', received: expect.stringContaining(reason) })
    expect((await under.send(cluster, 'job', clusterClaims)).status).toBe(200)
  })
})

describe('keys that rotate under load', () => {
  it('fail no request: of a platform by discovery, and of a trust domain', async () => {
    const at = await platform()
    const generation = async (turn: number): Promise<ForeignIssuer> => {
      const made = await makeIssuer(at.url)
      return { ...made, jwk: { ...made.jwk, kid: `generation ${turn}` } }
    }
    let current = await generation(0)
    let before = current
    const publish = () => {
      const published = [before.jwk, current.jwk]
      at.answers.set('/keys', { keys: published })
      at.answers.set('/bundle', { keys: published.map(jwk => ({ ...jwk, use: 'jwt-svid' })) })
    }
    publish()
    const under = endpoint(at.url, undefined, {
      trustDomains: [{ trustDomain: 'prod.example', bundleEndpoint: `${at.url}/bundle` }]
    })
    const failures: unknown[] = []
    let running = true
    let answered = 0
    const work = async (worker: number): Promise<void> => {
      while (running) {
        const { status } = await (worker % 2 === 0 ? under.send(current) : under.svid(current))
        answered++
        if (status !== 200) failures.push([status, failed(under.decisions)])
      }
    }
    const workers = Array.from({ length: 8 }, (_, worker) => work(worker))
    for (let turn = 1; turn <= 4; turn++) {
      const seen = answered
      while (answered < seen + 40 && failures.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
      ;[before, current] = [current, await generation(turn)]
      publish()
    }
    const seen = answered
    while (answered < seen + 40 && failures.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
    running = false
    await Promise.all(workers)
    expect(failures).toEqual([])
    // once at first, and once for each new key
    expect(at.asked.filter(path => path === '/keys')).toHaveLength(5)
    expect(at.asked.filter(path => path === '/bundle')).toHaveLength(5)
  })
})
