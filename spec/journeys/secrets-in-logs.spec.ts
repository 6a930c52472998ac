/** What a server prints while it is used well and badly, read like an attacker who got hold of its logs. */
import { describe, expect, it } from '@jest/globals'
import * as client from 'openid-client'
import { visit } from '../support/journeys/browser.ts'
import {
  api,
  authorityParty,
  callback,
  clientAuthority,
  confidentialParties,
  keyParty,
  publicParty,
  secretParty,
  selfSignedParty,
  type Party
} from '../support/journeys/clients.ts'
import { recording, type Fetch, type Sent } from '../support/journeys/fetch.ts'
import { clientAuth } from '../support/journeys/openid-client.ts'
import { startProcess, type ChildSetup, type ServerProcess } from '../support/journeys/process.ts'
import { addSpellings, privateMembersOf, secretsOf } from '../support/journeys/secrets.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

const spa = publicParty('single-page-app')
const confidential = await confidentialParties()
const parties: readonly Party[] = [...confidential, spa]
const impostors: readonly Party[] = [
  ...(['client_secret_basic', 'client_secret_post', 'client_secret_jwt'] as const).map(method => secretParty(method, 'impostor')),
  await keyParty('impostor'),
  authorityParty('impostor'),
  selfSignedParty('impostor'),
  publicParty('impostor')
]
const keys = await serverKeys(['ES256', 'RS256'])

interface Run {
  readonly server: ServerProcess
  /** Collects what every request of the run sent and got. */
  readonly sent: Sent[]
}

function fetchOf({ server, sent }: Run, party?: Party): Fetch {
  const { fetch, sent: own } = recording(server.fetchFor(party && 'certificate' in party ? party.certificate : undefined))
  return async (url, init) => {
    const response = await fetch(url, init)
    sent.push(...own.slice(-1))
    return response
  }
}

async function configure(run: Run, party: Party, auth = clientAuth(party)): Promise<client.Configuration> {
  const options = { [client.customFetch]: fetchOf(run, party) }
  return client.discovery(new URL(run.server.issuer), party.client_id, undefined, auth, options)
}

/** A whole life of a client: tokens of its own, a person's tokens, and everything used once more than it may be. */
async function useWell(run: Run, party: Party): Promise<void> {
  const config = await configure(run, party)
  if (party.method !== 'none') {
    await client.clientCredentialsGrant(config, { resource: api, scope: 'api:read' })
    await client.clientCredentialsGrant(config)
  }
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier)
  const challenge = { code_challenge, code_challenge_method: 'S256' }
  const scope = 'openid offline_access'
  const request = client.buildAuthorizationUrl(config, { redirect_uri: callback, scope, ...challenge })
  const answer = await visit(fetchOf(run), request)
  const tokens = await client.authorizationCodeGrant(config, answer, { pkceCodeVerifier, idTokenExpected: true })
  await client.fetchUserInfo(config, tokens.access_token, 'alice')
  if (party.method !== 'none') await client.tokenIntrospection(config, tokens.access_token)
  await client.tokenRevocation(config, tokens.access_token)
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  const last = await client.refreshTokenGrant(config, next.refresh_token ?? '')
  await expect(client.refreshTokenGrant(config, tokens.refresh_token ?? '')).rejects.toThrow()
  await expect(client.refreshTokenGrant(config, last.refresh_token ?? '')).rejects.toThrow()
  await expect(client.authorizationCodeGrant(config, answer, { pkceCodeVerifier })).rejects.toThrow()
  await expect(client.fetchUserInfo(config, last.access_token, 'alice')).rejects.toThrow()
  const again = await visit(fetchOf(run), request)
  const wrong = { pkceCodeVerifier: client.randomPKCECodeVerifier() }
  await expect(client.authorizationCodeGrant(config, again, wrong)).rejects.toThrow()
}

/** Somebody else's credentials, and the last request of {@link useWell} once more: as it was, and damaged. */
async function useBadly(run: Run, party: Party, impostor: Party): Promise<void> {
  const fetch = fetchOf(run, party)
  const endpoint = `${run.server.issuer}/oauth2/token`
  const form = 'application/x-www-form-urlencoded'
  const original = run.sent.findLast(({ url, body }) => url === endpoint && body.has('grant_type'))
  if (original === undefined) throw new Error('nothing was sent yet')
  const authorization = original.headers.get('authorization') ?? `Bearer ${party.client_id}-as-a-bearer-token`
  const body = original.body.toString()
  const variations: readonly (readonly [url: string, headers: Readonly<Record<string, string>>, body: string])[] = [
    [endpoint, { 'content-type': form }, body],
    [endpoint, { 'content-type': form, authorization }, `${body}&client_secret=a-second-mechanism`],
    [endpoint, { 'content-type': form }, `${body}&client_secret=sent-twice-1&client_secret=sent-twice-2`],
    [endpoint, { 'content-type': form }, `${body}&client_secret[nested]=nested-secret&refresh_token=%ff%fe-not-utf8`],
    [endpoint, { 'content-type': form }, `${body}&client_secret=control%00%0Acharacters&broken=%zz`],
    [endpoint, { 'content-type': form }, `${body}&client_secret=${'enormous'.repeat(40_000)}`],
    [endpoint, { 'content-type': 'application/json' }, `{"client_secret":"in broken JSON" "code":"${body}"`],
    [endpoint, { 'content-type': 'text/plain' }, body],
    [endpoint, { 'content-type': `${form};charset=utf-16` }, body],
    [`${endpoint}?${body}&client_secret=in-the-query`, { 'content-type': form }, 'grant_type=client_credentials'],
    [endpoint, { 'content-type': form, authorization: `${authorization} with-more-behind-it` }, body],
    [endpoint, { 'content-type': form, authorization: 'Basic plain-client:plain-secret' }, body],
    [endpoint, { 'content-type': form, authorization: `Basic ${btoa('no-colon-in-this-secret')}` }, body],
    [endpoint, { 'content-type': form, authorization: `Basic ${btoa('client:%zz-broken-escape')}` }, body],
    [endpoint, { 'content-type': form }, `${body}&client_assertion=not.a.jwt-but-secret`],
    [endpoint, { 'content-type': form }, assertionForm('eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl')],
    [endpoint, { 'content-type': form }, assertionForm('a-secret-where-an-assertion-belongs')],
    [endpoint, { 'content-type': form, authorization: `Basic ${btoa('unreachable:secret-of-a-lost-client')}` }, 'grant_type=x']
  ]
  for (const [url, headers, text] of variations) {
    const response = await fetch(url, { method: 'POST', headers, body: text })
    expect([400, 401, 413, 415, 503]).toContain(response.status)
  }
  const config = await configure(run, { ...impostor, client_id: party.client_id })
  await expect(client.refreshTokenGrant(config, 'a-refresh-token-of-nobody')).rejects.toThrow()
  await client.tokenRevocation(await configure(run, party), 'a-revoked-token-of-nobody')
  for (const endpoint of ['introspect', 'revoke']) {
    const address = `${run.server.issuer}/oauth2/${endpoint}`
    for (const text of [
      'token=a-token-without-a-client',
      `${body}&token=twice-1-secret&token=twice-2-secret`,
      'token=%zz-secret'
    ]) {
      await fetch(address, { method: 'POST', headers: { 'content-type': form }, body: text })
      await fetch(`${address}?${text}`, { method: 'POST', headers: { 'content-type': form, authorization } })
    }
  }
  for (const token of ['a-token-of-nobody', 'eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl', 'no spaces in tokens']) {
    await fetch(`${run.server.issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${token}` } })
  }
}

function assertionForm(client_assertion: string): string {
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  return new URLSearchParams({ grant_type: 'client_credentials', client_assertion_type, client_assertion }).toString()
}

/** Consents that cannot be read, a grant whose issuer fails: what is the server's own fault. */
async function meetFault(run: Run, party: Party): Promise<void> {
  const config = await configure(run, party)
  const code_challenge = await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier())
  const challenge = { code_challenge, code_challenge_method: 'S256' }
  const request = client.buildAuthorizationUrl(config, { redirect_uri: callback, ...challenge, login_hint: 'nobody' })
  expect((await visit(fetchOf(run), request)).searchParams.get('error')).toBe('server_error')
  if (party.method === 'none') return
  await expect(client.genericGrantRequest(config, 'urn:example:fault', { code: 'a-code-in-a-fault' })).rejects.toThrow()
}

async function runWith(operator: ChildSetup['operator']): Promise<{ printed: string; secrets: ReadonlySet<string> }> {
  const faulty = ['urn:example:fault', 'authorization_code', 'refresh_token', 'client_credentials']
  const clients = parties.map(({ client_id, method, metadata }) => ({
    client_id,
    metadata: method === 'none' ? metadata : { ...metadata, grant_types: faulty }
  }))
  const server = await startProcess({ clients, clientCa: clientAuthority.pem, keys, operator })
  const run: Run = { server, sent: [] }
  for (const [index, party] of parties.entries()) {
    await useWell(run, party)
    await useBadly(run, party, impostors[index] ?? party)
    await meetFault(run, party)
  }
  const secrets = new Set(secretsOf(run.sent))
  for (const party of [...parties, ...impostors]) if ('secret' in party) addSpellings(secrets, party.secret)
  for (const value of privateMembersOf(keys)) addSpellings(secrets, value)
  const printed = await server.stop()
  return { printed, secrets }
}

const faults = ['a fault of ours', 'the directory does not answer', 'the consents cannot be read']

describe('what a server prints', () => {
  it('names clients, methods and reasons, and no secret, whatever its operator logs', async () => {
    const { printed, secrets } = await runWith('eager')
    expect(secrets.size).toBeGreaterThan(250)
    for (const { client_id, method } of parties) {
      expect(printed).toContain(`"client_id":"${client_id}","mechanism"`)
      expect(printed).toContain(`"method":"${method}"`)
    }
    for (const word of ['authenticated', 'refused', 'InvalidGrantError', ...faults]) {
      expect(printed).toContain(word)
    }
    expect([...secrets].filter(secret => printed.includes(secret))).toEqual([])
  })

  it('is faults and failing listeners alone, and no secret, where its operator logs nothing', async () => {
    const { printed, secrets } = await runWith('quiet')
    for (const word of [...faults, 'ClienteleWarning: onDecision threw']) {
      expect(printed).toContain(word)
    }
    expect(printed).not.toContain('InvalidGrantError')
    expect([...secrets].filter(secret => printed.includes(secret))).toEqual([])
  })
})
