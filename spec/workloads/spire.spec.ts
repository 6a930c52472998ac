/** What a SPIRE server and its agent issued, recorded by record.sh beside it: read and judged as it is. */
import { describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { authenticateClient, SpiffeJwtStrategy, SpiffeX509Strategy, type Decision } from '../../lib/index.ts'
import { readBundle } from '../../lib/assertions/workloads/bundle.ts'
import { appOf, expectClient, expectRefused, notPassed, post } from '../support/servers/strategy-app.ts'
import { jwtSpiffe } from '../support/servers/workloads.ts'

const day = 86_400_000
const chainOf = (pem: string) =>
  [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)/g)].map(([, text = '']) => text.replaceAll('\n', ''))

describe('what SPIRE 1.13.3 issued', () => {
  const file = new URL('../support/workloads/spire/recorded.json', import.meta.url)
  const recorded = JSON.parse(readFileSync(file, 'utf8')) as {
    recordedAt: number
    bundle: { keys: [] }
    x509: string
    jwt: string
    jwtOfTwo: string
    minted: string
  }
  const [leaf = '', ...between] = chainOf(recorded.x509).map(text => Buffer.from(text, 'base64'))

  /** The strategy of a method at a time after the recording, in milliseconds. */
  const app = (Strategy: typeof SpiffeJwtStrategy | typeof SpiffeX509Strategy, spiffe_id: string, after = 0) => {
    const decisions: Decision[] = []
    const method = Strategy === SpiffeJwtStrategy ? 'spiffe_jwt' : 'spiffe_x509'
    const clients = [{ client_id: method, token_endpoint_auth_method: method, spiffe_id, grant_types: ['client_credentials'] }]
    const strategy = new Strategy({
      clients,
      issuer: 'https://as.example.com',
      workloads: { trustDomains: [{ trustDomain: 'prod.example', bundle: recorded.bundle }] },
      clock: () => recorded.recordedAt * 1000 + after,
      onDecision: decision => decisions.push(decision)
    })
    const certificateSource = () => ({ der: leaf as Buffer, chain: between, fromProxy: false, verified: false })
    return appOf([authenticateClient({ clients, strategies: [strategy], certificateSource })], decisions)
  }
  const form = (client_assertion: string) => ({
    client_id: 'spiffe_jwt',
    client_assertion,
    client_assertion_type: jwtSpiffe,
    scope: 'jobs'
  })

  it('is a bundle with an authority and a key, and says which it is', () => {
    expect(readBundle(recorded.bundle)).toMatchObject({
      jwtKeys: [{ kty: 'EC' }],
      certificates: [expect.any(Uint8Array)],
      sequence: 1,
      refreshHint: 300
    })
  })

  it('spiffe_jwt: is taken, from the agent and minted, by name and by what is above it', async () => {
    const worker = 'spiffe://prod.example/billing/worker'
    for (const [spiffe_id, token] of [
      [worker, recorded.jwt],
      ['spiffe://prod.example/billing/*', recorded.jwt],
      ['spiffe://prod.example/billing', recorded.minted]
    ] as const)
      expectClient(await post(app(SpiffeJwtStrategy, spiffe_id).app, form(token)), 'spiffe_jwt')
  })

  it.each([
    ['for two audiences', 'audience', 'spiffe://prod.example/*', recorded.jwtOfTwo, 0],
    ['of another workload', 'spiffe_id', 'spiffe://prod.example/reports', recorded.jwt, 0],
    ['a day later', 'expiry', 'spiffe://prod.example/*', recorded.jwt, day]
  ] as const)('spiffe_jwt: is refused %s', async (_, check, spiffe_id, token, after) => {
    const under = app(SpiffeJwtStrategy, spiffe_id, after)
    expectRefused(await post(under.app, form(token)))
    expect(notPassed(under)).toEqual([`${check}:fail`])
  })

  it('spiffe_x509: leads over the server’s own authority to the bundle; not a day later', async () => {
    const ask = (after: number) => {
      const under = app(SpiffeX509Strategy, 'spiffe://prod.example/billing/*', after)
      return { under, response: post(under.app, { client_id: 'spiffe_x509', scope: 'jobs' }) }
    }
    expect(between).toHaveLength(1)
    expectClient(await ask(0).response, 'spiffe_x509')
    const late = ask(day)
    expectRefused(await late.response)
    expect(notPassed(late.under)).toEqual(['certificate_validity:fail'])
  })
})
