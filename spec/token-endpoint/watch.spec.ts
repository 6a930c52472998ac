/** What becomes of tokens, clients and keys is told, each thing once. */
import { describe, expect, it } from '@jest/globals'
import { memoryStore } from '../../lib/index.ts'
import { assertionHarness, bear, exchange, tokenType } from '../support/servers/assertion-grants.ts'
import {
  api,
  breakableStore,
  codeForm,
  harness,
  issuer,
  redeemed,
  specKeys,
  token,
  userinfo
} from '../support/servers/authorization-server.ts'
import { makeDpopKey, prove } from '../support/clients/dpop.ts'
import { initialAccessToken, machine, manage, register, registrationHarness, send } from '../support/servers/registration.ts'
import { listening } from '../support/checks/event-log.ts'

const trace_id = expect.stringMatching(/^[0-9a-f]{32}$/)
const machineToken = { grant_type: 'client_credentials' }

describe('tokens', () => {
  it('are told with what they are bound to, what they are, and for whom', async () => {
    const { onEvent, events } = listening()
    const { app, clock } = await harness({ onEvent })
    const key = await makeDpopKey()
    const proof = await prove(key, 'POST', `${issuer}/oauth2/token`, clock.now)
    const form = { ...(await codeForm(app)), resource: api }
    await token(app, 'web', form).set('DPoP', proof).expect(200)
    expect(events.at(-1)).toMatchObject({
      type: 'token.issued',
      grant_type: 'authorization_code',
      sub: 'alice',
      resource: api,
      access_token_format: 'jwt',
      tokens: ['access_token', 'refresh_token', 'id_token'],
      bound_to: ['dpop'],
      grant: expect.any(String)
    })
  })

  it('are told as refused with the code of the answer and the reason behind it', async () => {
    const { onEvent, events } = listening()
    const { app } = await harness({ onEvent })
    await token(app, 'web', { grant_type: 'authorization_code', code: 'nobody’s' })
    await token(app, 'narrow', { ...machineToken, scope: 'api:write' })
    await token(app, 'web', { grant_type: 'urn:nobody:has' })
    await token(app, 'web', {})
    expect(events.filter(({ type }) => type === 'token.refused')).toMatchObject([
      { grant_type: 'authorization_code', error: 'invalid_grant', reason: expect.any(String), client_id: 'web', trace_id },
      { grant_type: 'client_credentials', error: 'invalid_scope', client_id: 'narrow' },
      { grant_type: undefined, error: 'unsupported_grant_type' },
      { grant_type: undefined, error: 'invalid_request' }
    ])
  })

  it('are told as refused where the store fails', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { onEvent, events } = listening()
    const { app } = await harness({ onEvent, store })
    broken.set('set', 'rejects')
    await token(app, 'web', machineToken).expect(503)
    expect(events.at(-1)).toMatchObject({ type: 'token.refused', error: 'temporarily_unavailable', client_id: 'web' })
    expect(JSON.stringify(events)).not.toContain('hunter2')
  })

  it('are told when their client ends them: one of them, or all that a grant bought', async () => {
    const heard = listening()
    const { app } = await harness({ onEvent: heard.onEvent })
    const revoke = (client_id: string, value: string) => token(app, client_id, { token: value }, '/oauth2/revoke')
    const { access_token, refresh_token } = await redeemed(app)
    heard.types()
    await revoke('other', access_token)
    await revoke('other', refresh_token)
    await revoke('web', 'nothing')
    expect(heard.types()).toEqual(Array<string>(3).fill('authentication.succeeded'))
    await revoke('web', access_token)
    await revoke('web', refresh_token)
    expect(heard.events).toMatchObject([
      { type: 'authentication.succeeded' },
      { type: 'token.revoked', client_id: 'web', grant: expect.any(String), trace_id },
      { type: 'authentication.succeeded' },
      { type: 'grant.revoked', client_id: 'web', by: 'client', trace_id }
    ])
  })
})

describe('what is good once', () => {
  it('is told when a code comes again', async () => {
    const heard = listening()
    const { app } = await harness({ onEvent: heard.onEvent })
    const form = await codeForm(app)
    await token(app, 'web', form).expect(200)
    heard.types()
    await token(app, 'web', form).expect(400)
    const [, reused, revoked] = heard.events
    expect(reused).toMatchObject({ type: 'code.reused', client_id: 'web', trace_id })
    expect(revoked).toMatchObject({ type: 'grant.revoked', by: 'code_reused', trace_id: reused?.trace_id })
    expect(heard.types()).toEqual(['authentication.succeeded', 'code.reused', 'grant.revoked', 'token.refused'])
  })

  it('is told when a refresh token comes again, but not within the retry window', async () => {
    const heard = listening()
    const { app, clock } = await harness({ onEvent: heard.onEvent })
    const { refresh_token } = await redeemed(app)
    const refresh = () => token(app, 'web', { grant_type: 'refresh_token', refresh_token })
    await refresh()
    await refresh()
    expect(heard.types()).not.toContain('refresh.reused')
    clock.now += 60_000
    await refresh()
    expect(heard.events.slice(1)).toMatchObject([
      { type: 'refresh.reused', client_id: 'web', grant: expect.any(String), trace_id },
      { type: 'grant.revoked', by: 'refresh_reused' },
      { type: 'token.refused', error: 'invalid_grant' }
    ])
  })

  it('is told when a DPoP proof comes again, at the token endpoint and at an API', async () => {
    const heard = listening()
    const { app, clock } = await harness({ onEvent: heard.onEvent })
    const key = await makeDpopKey()
    const proof = await prove(key, 'POST', `${issuer}/oauth2/token`, clock.now)
    const ask = async () => token(app, 'web', await codeForm(app)).set('DPoP', proof)
    const { access_token } = (await ask()).body as { access_token: string }
    await ask()
    const replayed = { type: 'dpop.replayed', client_id: 'web', jkt: key.jkt, trace_id }
    expect(heard.events.filter(({ type }) => type === 'dpop.replayed')).toMatchObject([replayed])
    heard.types()
    const used = await prove(key, 'GET', `${issuer}/oauth2/userinfo`, clock.now, { access_token })
    const present = () => userinfo(app, access_token).set('Authorization', `DPoP ${access_token}`).set('DPoP', used)
    await present().expect(200)
    await present().expect(401)
    expect(heard.events).toMatchObject([replayed])
  })

  it('is told when an assertion or a token of a trusted issuer comes again', async () => {
    const heard = listening()
    const made = await assertionHarness({ server: { onEvent: heard.onEvent } })
    const assertion = await made.sign()
    await bear(made, assertion)
    await bear(made, assertion)
    await exchange(made, await made.sign({ claims: { jti: 'j' } }), { subject_token_type: tokenType('jwt') })
    await exchange(made, await made.sign({ claims: { jti: 'j' } }), { subject_token_type: tokenType('jwt') })
    const replayed = { use: 'grant', assertion_issuer: 'https://idp.example', trace_id }
    expect(heard.events.filter(({ type }) => type === 'assertion.replayed')).toMatchObject([
      { ...replayed, client_id: 'agent' },
      { ...replayed, client_id: 'gateway' }
    ])
  })
})

describe('clients and people', () => {
  it('are told when a client registers, changes and ends', async () => {
    const { onEvent, events } = listening()
    const { app } = await registrationHarness({}, { onEvent })
    const client = await register(app, machine)
    const { client_id } = client
    await manage(app, 'get', client)
    await manage(app, 'put', client, { ...machine, client_id, client_name: 'Another' }).expect(200)
    await manage(app, 'delete', client).expect(204)
    expect(events).toMatchObject([
      { type: 'client.registered', client_id, token_endpoint_auth_method: 'client_secret_basic', trace_id },
      { type: 'client.changed', client_id, trace_id },
      { type: 'client.ended', client_id, trace_id }
    ])
  })

  it('are told when somebody guesses at initial access tokens', async () => {
    const { onEvent, events } = listening()
    const access = { access: 'token', initialAccessTokens: [initialAccessToken] } as const
    const { app } = await registrationHarness(access, { onEvent, guessProtection: { attempts: 1, window: 60 } })
    await send(app, machine, 'a-guess-that-is-wrong').expect(401)
    await send(app, machine, 'a-guess-that-is-wrong').expect(429)
    expect(events).toMatchObject([{ type: 'guesses.exceeded', endpoint: 'registration', network: '127.0.0.1', trace_id }])
  })

  it('are told when a person takes a grant back', async () => {
    const heard = listening()
    const { app, server } = await harness({ onEvent: heard.onEvent })
    await redeemed(app)
    const [grant] = await server.grants('alice')
    await redeemed(app)
    heard.types()
    await server.revokeGrant('alice', grant?.id ?? '')
    await server.revokeGrants('alice', 'web')
    expect(heard.events).toMatchObject([
      { type: 'grant.revoked', grant: grant?.id, client_id: 'web', by: 'person' },
      { type: 'grant.revoked', client_id: 'web', by: 'person' }
    ])
  })
})

describe('the server’s own keys', () => {
  it('are told when they change, and not when they are read again', async () => {
    const { onEvent, events } = listening()
    const set = await specKeys()
    const [first] = set.keys
    const listeners: ((keys: typeof set) => void)[] = []
    await harness({ onEvent, keys: { current: () => set, subscribe: listener => void listeners.push(listener) } })
    const change = (keys: typeof set) => listeners.forEach(listener => listener(keys))
    change({ keys: [...set.keys] })
    expect(events).toEqual([])
    change({ keys: set.keys.filter(key => key !== first) })
    change(set)
    expect(events).toMatchObject([
      { type: 'keys.changed', issuer, added: [], removed: [first?.kid] },
      { type: 'keys.changed', added: [first?.kid], removed: [] }
    ])
  })
})
