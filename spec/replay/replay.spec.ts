/** Kept authentications, judged again: the clients that other options would break, and what is no record. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import request from 'supertest'
import { memoryStore, type AuthorizationServerOptions, type ClientMetadata, type JudgedAuthentication } from '../../lib/index.ts'
import { formatReplay, keptAuthentications, replayAuthentications, type ReplayedOptions } from '../../lib/replay/replay.ts'
import { readJudged } from '../../lib/replay/records.ts'
import { assertionClaims, askWith } from '../support/clients/assertion-requests.ts'
import { harness, issuer } from '../support/servers/authorization-server.ts'
import { ofNow, parties, tokenEndpoint } from '../support/servers/shadowed.ts'

const secret = 'secret+of+web'
const web: ClientMetadata = { client_id: 'web', client_secret: secret, grant_types: ['client_credentials'] }
const clients = [...parties.clients, web]

/** Everything that one request of each kind left behind, through JSON. */
async function kept(
  options: Partial<AuthorizationServerOptions>,
  send: (ask: ReturnType<typeof asking>) => Promise<unknown>
): Promise<readonly JudgedAuthentication[]> {
  const judged: JudgedAuthentication[] = []
  const { app } = await harness({ clients, ...options, onJudged: one => judged.push(one) })
  await send(asking(app))
  return JSON.parse(JSON.stringify(judged)) as JudgedAuthentication[]
}

function asking(app: Awaited<ReturnType<typeof harness>>['app']) {
  const form = { grant_type: 'client_credentials' }
  return {
    signs: (claims: object = {}, header: object = {}) =>
      askWith(app, parties, 'signs', assertionClaims('signs', ofNow, claims), header),
    macs: (claims: object = {}) => askWith(app, parties, 'macs', assertionClaims('macs', ofNow, claims)),
    // as many clients do, it encodes nothing
    web: (password = secret) => request(app).post('/oauth2/token').auth('web', password).type('form').send(form)
  }
}

const replay = (records: Iterable<unknown>, options: Partial<ReplayedOptions> = {}) =>
  replayAuthentications(records, { issuer, clients, ...options })

const changed = (client_id: string, change: object): readonly ClientMetadata[] =>
  clients.map(client => (client.client_id === client_id ? { ...client, ...change } : client))

describe('the same options', () => {
  it('break nobody, whatever clients sent', async () => {
    const records = await kept({ assertionAudience: 'legacy' }, async ask => {
      await ask.signs({ aud: tokenEndpoint })
      await ask.signs({ exp: ofNow - 100 })
      await ask.signs({ jti: undefined })
      await ask.macs({ nbf: ofNow + 500 })
      await ask.web()
      await ask.web('wrong')
      await ask.signs({ aud: ['https://elsewhere.example'] }, { typ: 'client-authentication+jwt' })
    })
    const report = await replay(records, { assertionAudience: 'legacy' })
    expect(report).toEqual({ clients: [], judged: 6, not_judged: 1, unreadable: 0 })
    expect(formatReplay(report, 'text')).toBe('0 clients would break. 6 authentications were judged again, 1 could not be.\n')
  })
})

describe('stricter options', () => {
  it.each<[string, Partial<ReplayedOptions>, string, string]>([
    ['another audience', { assertionAudience: 'issuer' }, 'signs', 'audience'],
    [
      'an audience that is a string',
      {
        assertionAudience: 'issuer',
        profile: 'fapi2-security',
        clients: parties.clients.slice(0, 1).map(client => ({ ...client, dpop_bound_access_tokens: true }))
      },
      'signs',
      'audience'
    ],
    ['a type that has to be there', { assertionAudience: 'legacy', assertionDials: { typ: 'enforce' } }, 'signs', 'type'],
    ['other algorithms', { assertionAudience: 'legacy', assertionAlgorithms: ['PS256', 'HS256'] }, 'signs', 'algorithm'],
    [
      'a key that is gone',
      {
        assertionAudience: 'legacy',
        clients: changed('signs', {
          jwks: {
            keys: [
              {
                kty: 'EC',
                crv: 'P-256',
                x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
                y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM'
              }
            ]
          }
        })
      },
      'signs',
      'key'
    ],
    ['a client that is gone', { assertionAudience: 'legacy', clients: clients.slice(1) }, 'signs', 'client'],
    [
      'another method',
      { assertionAudience: 'legacy', clients: changed('signs', { token_endpoint_auth_method: 'none', jwks: undefined }) },
      'signs',
      'registered_method'
    ],
    ['a secret that had ended', { clients: changed('web', { client_secret_expires_at: ofNow - 1 }) }, 'web', 'secret_expiry'],
    ['encoding', { basicEncoding: 'enforce' }, 'web', 'encoding'],
    [
      'another secret',
      { clients: changed('web', { client_secret: undefined, credentials: [{ type: 'secret', id: 'two', value: secret }] }) },
      'web',
      'secret'
    ]
  ])('%s: names the client that breaks it', async (_, options, client_id, check) => {
    const records = await kept({ assertionAudience: 'legacy' }, async ask => {
      await ask.signs({ aud: [tokenEndpoint] })
      await ask.signs({ aud: [tokenEndpoint] })
      await ask.web()
    })
    const { clients: found } = await replay(records, options)
    const of = found.filter(one => one.client_id === client_id)
    expect(of).toMatchObject([{ client_id, effect: 'would_break', check, count: client_id === 'web' ? 1 : 2 }])
  })
})

describe('looser options', () => {
  it('name the client that would be let in', async () => {
    const records = await kept({}, ask => ask.macs({ aud: tokenEndpoint }))
    const report = await replay(records, { assertionAudience: 'legacy' })
    expect(report.clients).toMatchObject([{ client_id: 'macs', effect: 'would_be_let_in', check: 'audience', count: 1 }])
    expect(formatReplay(report, 'json')).toBe(`${JSON.stringify(report, null, 2)}\n`)
    expect(formatReplay(report, 'text')).toContain('macs would be let in: audience (client_secret_jwt)')
  })
})

describe('what cannot be told', () => {
  it('is not: a client that is not configured may have registered itself', async () => {
    const records = await kept({}, ask => ask.signs())
    expect(await replay(records, { clients: [web], registration: { access: 'open' } })).toMatchObject({
      clients: [],
      not_judged: 1
    })
  })

  it('stays as it was: what a jwks_uri answers', async () => {
    const records = await kept({}, ask => ask.signs())
    const elsewhere = changed('signs', { jwks: undefined, jwks_uri: 'https://client.example/jwks' })
    expect(await replay(records, { clients: elsewhere })).toMatchObject({ clients: [], judged: 1 })
  })
})

describe('what is kept', () => {
  it('could not be presented again', async () => {
    const records = await kept({}, async ask => {
      await ask.signs()
      await ask.macs()
      await ask.web()
      await ask.web('a wrong secret')
    })
    const text = JSON.stringify(records)
    for (const name of [secret, 'a wrong secret', '"jti":', 'client_assertion']) expect(text).not.toContain(name)
    expect(records.map(({ presented }) => presented?.assertion?.jti_length)).toEqual([36, 36, undefined, undefined])
  })

  it('is every authentication where the listener cannot say whether it has enough, and none while it has', async () => {
    const told: JudgedAuthentication[] = []
    let enough: (() => boolean) | undefined = () => {
      throw new Error('cannot say')
    }
    const onJudged = Object.assign((one: JudgedAuthentication) => void told.push(one), { wants: () => enough?.() ?? false })
    const { app } = await harness({ clients, onJudged })
    expect([(await asking(app).signs()).status, told.length]).toEqual([200, 1])
    enough = undefined
    expect([(await asking(app).signs()).status, told.length]).toEqual([200, 1])
  })

  it('waits where other processes take every place, and the loss is told', async () => {
    const store = memoryStore()
    const losses: object[] = []
    const taken = { isTrue: true }
    const contended = Object.assign(Object.create(store) as typeof store, {
      add: async (...given: Parameters<typeof store.add>) => !taken.isTrue && store.add(...given)
    })
    const keeper = keptAuthentications({ store: contended, issuer, onLost: loss => losses.push(loss) })
    const [record] = await kept({}, ask => ask.signs())
    if (record === undefined) throw new Error('nothing was kept')
    keeper.keep(record)
    await keeper.flush()
    expect(losses).toEqual([{ error: expect.any(Error) }])
    taken.isTrue = false
    await keeper.flush()
    expect(await keptAuthentications({ store, issuer }).recent()).toEqual([record])
  })

  it('is in the store, bounded, and what is no record there is passed over', async () => {
    const store = memoryStore()
    const keeper = keptAuthentications({ store, issuer })
    const [record] = await kept({}, ask => ask.signs())
    if (record === undefined) throw new Error('nothing was kept')
    keeper.keep(record)
    await keeper.flush()
    await store.set({ kind: 'decisions', id: `${issuer} 1` }, '[{"at":1},null]', 60)
    await store.set({ kind: 'decisions', id: `${issuer} 2` }, 'no JSON', 60)
    expect(await keptAuthentications({ store, issuer }).recent()).toEqual([record])
  })
})

describe('a record', () => {
  const good = {
    at: 1,
    trace_id: 'a',
    endpoint: 'token',
    client_id: 'signs',
    method: 'private_key_jwt',
    outcome: 'refused',
    checks: []
  }

  it.each([
    null,
    1,
    'text',
    [],
    {},
    { ...good, at: 'now' },
    { ...good, at: 1e300 },
    { ...good, outcome: 'maybe' },
    { ...good, checks: [{ check: 1 }] },
    { ...good, client_id: {} },
    { ...good, presented: 1 },
    { ...good, presented: { assertion: { claims: null } } },
    { ...good, presented: { certificate: { names: {} } } },
    { ...good, checks: Array.from({ length: 1000 }, () => ({})) }
  ])('is not %j', async value => {
    expect(await replay([value])).toEqual({ clients: [], judged: 0, not_judged: 0, unreadable: 1 })
  })

  it('may be anything, and is one or none', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), fc.anything(), (value, presented) => {
        readJudged(value)
        readJudged({ ...good, presented })
        const names = { dns: [], uri: [], ip: [], email: [] }
        readJudged({ ...good, presented: { certificate: { names, subject: value } } })
      })
    )
  })

  it.each([
    ['claims of any kind', { assertion: { alg: 'ES256', claims: { iss: 1, sub: null, aud: {}, exp: 'soon' }, jti_length: 1 } }],
    ['an algorithm nobody has', { assertion: { alg: 'XS256', claims: {} } }],
    ['a header that cannot be signed', { assertion: { alg: 'ES256', kid: { a: 1 }, typ: [], claims: {} } }]
  ])('with %s is judged, and nothing throws', async (_, presented) => {
    const checks = [{ check: 'signature', outcome: 'pass' }]
    const record = { ...good, at: ofNow * 1000, credential: 'kid:1', checks, presented }
    expect(await replay([record])).toMatchObject({ unreadable: 0 })
  })

  it.each(['CN=', 'not a name', '', '\u0000'])('with a certificate of %j is judged', async subject => {
    const certificate = {
      ...{ 'x5t#S256': 'x', subject, not_before: 0, not_after: 4e9, authorities: ['AAAA'] },
      names: { dns: ['a'], uri: [], ip: ['?'], email: [] }
    }
    const checks = [{ check: 'certificate_chain', outcome: 'pass' }]
    const tls = [{ client_id: 'tls', token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=tls' }]
    const record = {
      ...good,
      client_id: 'tls',
      method: 'tls_client_auth',
      outcome: 'authenticated',
      checks,
      presented: { certificate }
    }
    expect(await replay([record], { clients: tls })).toMatchObject({
      clients: [{ effect: 'would_break', check: 'certificate_subject' }]
    })
  })
})
