import { beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { everything, invalid, read, refusal } from './rules.ts'

const redirect_uris = ['https://client.example/cb']
const web = { redirect_uris }
const machine = { grant_types: ['client_credentials'] }
const fapi = { dpop_bound_access_tokens: true, token_endpoint_auth_method: 'private_key_jwt' }

let jwk: JWK
beforeAll(async () => {
  const { publicKey } = await generateKeyPair('ES256')
  jwk = { ...(await exportJWK(publicKey)), kid: 'k1' }
})

describe('every member', () => {
  const noText = [true, 0, [], ['x'], {}, { a: { b: {} } }]
  const noChoice = [...noText, 'nonsense']
  const noList = [true, 0, 'x', {}, [null], [7], [[]], [{}], ['']]
  const noListOfChoices = [...noList, ['nonsense']]
  const noFlag = [0, 1, 'true', [], {}]
  const noKeys = [true, 0, 'x', [], {}, { keys: null }, { keys: {} }, { keys: [] }, { keys: [null] }, { keys: 'x' }]
  const each = (members: readonly string[], wrong: readonly unknown[]) => members.map(member => [member, wrong] as const)
  const subjects = ['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email'].map(name => `tls_client_auth_${name}`)

  it.each([
    ...each(['client_name', 'client_name#de', 'software_id', 'software_version', ...subjects], noText),
    ...each(['client_uri', 'logo_uri', 'tos_uri', 'policy_uri', 'jwks_uri', 'sector_identifier_uri', 'scope'], noChoice),
    ...each(['token_endpoint_auth_method', 'token_endpoint_auth_signing_alg', 'application_type', 'subject_type'], noChoice),
    ...each(['id_token_signed_response_alg', 'userinfo_signed_response_alg', 'authorization_signed_response_alg'], noChoice),
    ...each(['introspection_signed_response_alg', 'request_object_signing_alg'], noChoice),
    ...each(['grant_types', 'response_types', 'authorization_details_types'], noListOfChoices),
    ...each(['contacts'], noList),
    ...each(['require_signed_request_object', 'require_pushed_authorization_requests', 'dpop_bound_access_tokens'], noFlag),
    ...each(['tls_client_certificate_bound_access_tokens', 'use_mtls_endpoint_aliases'], noFlag),
    ...each(['jwks'], noKeys)
  ])('%s is refused by name where it is of another kind', (member, wrong) => {
    for (const value of wrong) expect([value, refusal({ ...web, [member]: value })]).toEqual([value, invalid(member)])
  })

  it.each([true, 7, 'https://client.example/cb', {}, [null], [7], [[]], [{}], [redirect_uris]])(
    'redirect_uris is refused by name where it is %j',
    value => {
      expect(refusal({ redirect_uris: value })).toMatch(/^invalid_redirect_uri: redirect_uris(?:\[0\])? must be/)
    }
  )

  it.each([
    ['control characters', 'a\u0000b'],
    ['line breaks', 'a\nb'],
    ['line separators', 'a\u2028b'],
    ['lone surrogates', 'a\ud800b'],
    ['more than 2000 characters', 'a'.repeat(2001)]
  ])('with %s is refused', (_, value) => {
    for (const member of ['client_name', 'client_name#de', 'software_id'])
      expect(refusal({ ...web, [member]: value })).toEqual(invalid(member))
    expect(refusal({ ...web, contacts: ['fine', value] })).toEqual(invalid('contacts[1]'))
    expect(refusal({ ...web, jwks: { keys: [{ ...jwk, kid: value }] } })).toEqual(invalid('jwks.keys[0].kid'))
  })

  it('of a hundred and one contacts is refused', () => {
    expect(refusal({ ...web, contacts: Array.from({ length: 101 }, (_, index) => `${index}`) })).toEqual(
      invalid('contacts must have at most 100')
    )
  })

  it.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'client_id',
    'client_secret',
    'assertion_audience',
    'client_name#',
    'client_name#a b',
    'scope#de',
    'request_uris',
    'backchannel_token_delivery_mode'
  ])('%s is kept out', member => {
    const sent = JSON.parse(`{"redirect_uris":["https://client.example/cb"],${JSON.stringify(member)}:{"polluted":true}}`)
    const registered = read(sent)
    expect(Object.keys(registered)).not.toContain(member)
    expect(JSON.stringify(registered)).not.toContain('polluted')
    expect(registered).not.toHaveProperty('polluted')
  })
})

describe('defaults', () => {
  it('are those of RFC 7591, all written down', () => {
    expect(read(web)).toEqual({
      redirect_uris,
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      scope: 'openid api:read api:write'
    })
  })

  it('of the response types follow the grants', () => {
    expect(read(machine).response_types).toEqual([])
  })

  it('that this server does not have leave the choice to the client', () => {
    const methods = new Map([['private_key_jwt', ['ES256']]])
    expect(refusal(web, { methods })).toEqual(invalid('token_endpoint_auth_method must be given, and be one of private_key_jwt'))
    const grantTypes = ['client_credentials']
    expect(refusal({}, { grantTypes })).toEqual(invalid('grant_types must be given, and be one of client_credentials'))
  })

  it('of scope are what the server lets clients register, and none where it has none', () => {
    expect(read(web, { scopes: ['api:read'] }).scope).toBe('api:read')
    expect(read(web, { scopes: [] })).not.toHaveProperty('scope')
  })
})

describe('scope', () => {
  it('is limited to what the server has', () => {
    expect(read({ ...web, scope: 'admin api:read openid' }).scope).toBe('api:read openid')
  })

  it.each(['admin', 'a  b', ' openid', 'open"id'])('%j is refused', scope => {
    expect(refusal({ ...web, scope })).toEqual(invalid('scope'))
  })
})

describe('grants and response types', () => {
  it.each([
    [{ ...web, grant_types: [] }, 'grant_types must name at least one grant'],
    [
      { ...web, grant_types: ['password'] },
      'grant_types[0] must be one of authorization_code, client_credentials, refresh_token'
    ],
    [{ ...web, grant_types: ['authorization_code', 'implicit'] }, 'grant_types[1] must be one of'],
    [{ ...web, response_types: ['token'] }, 'response_types[0] must be one of code'],
    [{ ...web, response_types: ['code', 'code id_token'] }, 'response_types[1] must be one of code'],
    [{ ...web, response_types: [] }, 'response_types must be code'],
    [{ ...machine, response_types: ['code'] }, 'response_types must be empty'],
    [{ ...machine, token_endpoint_auth_method: 'none' }, 'grant_types[0] is for clients that authenticate']
  ])('%j are refused', (sent, problem) => {
    expect(refusal(sent)).toEqual(invalid(problem))
  })

  it('that use codes need a redirect URI', () => {
    for (const sent of [{}, { redirect_uris: [] }])
      expect(refusal(sent)).toBe(
        'invalid_redirect_uri: redirect_uris must name at least one URI, for the grant authorization_code'
      )
  })

  it('are kept once each', () => {
    expect(read({ ...web, grant_types: ['refresh_token', 'authorization_code', 'refresh_token'] }).grant_types).toEqual([
      'refresh_token',
      'authorization_code'
    ])
  })
})

describe('pages', () => {
  it.each(['javascript:alert(1)', 'data:text/html,x', 'http://client.example/', 'https://u:p@client.example/', 'client.example'])(
    '%s is none',
    uri => {
      for (const member of ['client_uri', 'policy_uri', 'tos_uri', 'logo_uri', 'tos_uri#de'])
        expect(refusal({ ...web, [member]: uri })).toEqual(invalid(`${member} must be an https URL`))
    }
  )
})

describe('under fapi2-security', () => {
  const rules = {
    profile: 'fapi2-security',
    methods: new Map([
      ['private_key_jwt', ['ES256']],
      ['tls_client_auth', []]
    ])
  } as const
  const good = () => ({ ...web, ...fapi, jwks: { keys: [jwk] } })

  it('a client that follows the profile is registered', () => {
    expect(refusal(good(), rules)).toBe('accepted')
  })

  it.each([
    ['dpop_bound_access_tokens', { dpop_bound_access_tokens: false }],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['token_endpoint_auth_method', { token_endpoint_auth_method: 'none' }],
    ['id_token_signed_response_alg', { id_token_signed_response_alg: 'RS256' }]
  ])('%s is held against it', (member, change) => {
    expect(refusal({ ...good(), ...change }, rules)).toEqual(invalid(member))
  })
})

describe('backchannel authentication', () => {
  const grantTypes = [...everything.grantTypes, 'urn:openid:params:grant-type:ciba']
  const sent = { grant_types: ['urn:openid:params:grant-type:ciba'] }

  it('is registered where it is mounted, by polling unless the client says more', () => {
    expect(read(sent, { grantTypes })).toMatchObject({ backchannel_token_delivery_mode: 'poll' })
    const ping = { ...sent, backchannel_token_delivery_mode: 'ping' }
    expect(refusal(ping, { grantTypes })).toEqual(invalid('backchannel_client_notification_endpoint must be given'))
    const told = { ...ping, backchannel_client_notification_endpoint: 'https://client.example/cb' }
    expect(read(told, { grantTypes })).toMatchObject(told)
    expect(refusal({ ...sent, backchannel_token_delivery_mode: 'shout' }, { grantTypes })).toEqual(
      invalid('backchannel_token_delivery_mode')
    )
  })
})
