/** Token requests that are wrong in one place (RFC 6749 §3.2, §2.3, §5.2), whatever the client's method. */
import { noAssertions, noBasic, noResources, noSecretInBody } from './announced.ts'
import { isHarmless, isIgnored, isRefused, isSurvived, membersOf, type AttackAnswer, type Attempt } from './case.ts'
import { endpointOf, formTo, grantOf, needsAssertion, proofOf, tokenRequest, type Target, type Wire } from './target.ts'

type Change = (wire: Wire, target: Target) => Wire

/** A good request, changed. */
const changed = (name: string, section: string, change: Change): Attempt => ({
  name,
  section,
  wires: target => [change(tokenRequest(target), target)]
})

/** A good request with other parameters. */
const asking = (name: string, section: string, params: Readonly<Record<string, string>>): Attempt => ({
  name,
  section,
  wires: target => [tokenRequest(target, { params })]
})

const more =
  (text: string): Change =>
  wire => ({ ...wire, body: `${String(wire.body)}&${text}` })
const typed =
  (type: string): Change =>
  wire => ({ ...wire, headers: { ...wire.headers, 'content-type': type } })

const forms: readonly Attempt[] = [
  ...['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'].map(method =>
    changed(`by ${method}`, 'RFC 6749 §3.2', wire => ({
      ...wire,
      method,
      body: ['GET', 'HEAD'].includes(method) ? undefined : wire.body
    }))
  ),
  ...['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'application/xml'].map(type =>
    changed(`a form that says it is ${type}`, 'RFC 6749 §3.2', typed(type))
  ),
  changed('with an empty body', 'RFC 6749 §3.2', wire => ({ ...wire, body: '' })),
  changed('with everything in the address', 'RFC 6749 §2.3.1', wire => ({
    ...wire,
    url: `${wire.url}?${String(wire.body)}`,
    body: ''
  })),
  // what a server does not know it ignores, however much of it there is; that it gives up earlier is as right
  { ...changed('of two megabytes', 'RFC 6749 §3.2', more(`padding=${'x'.repeat(2_000_000)}`)), refused: isSurvived },
  {
    ...changed(
      'with ten thousand parameters',
      'RFC 6749 §3.2',
      more(Array.from({ length: 10_000 }, (_, index) => `p${index}=1`).join('&'))
    ),
    refused: isSurvived
  },
  changed('with a broken escape in a parameter it needs', 'RFC 6749 Appendix B', wire => ({
    ...wire,
    body: String(wire.body).replace('grant_type=', 'grant_type=%zz')
  })),
  changed('with a byte of zero in the grant', 'RFC 6749 Appendix B', wire => ({
    ...wire,
    body: String(wire.body).replace('grant_type=', 'grant_type=%00')
  }))
]

const doubled: readonly Attempt[] = [
  ...['grant_type=client_credentials', 'grant_type=refresh_token', 'grant_type='].map(text =>
    changed(`with a second ${text}`, 'RFC 6749 §3.2', more(text))
  ),
  changed('with two scopes', 'RFC 6749 §3.2', more('scope=a&scope=b')),
  changed('with two client_ids', 'RFC 6749 §3.2', more('client_id=a&client_id=b')),
  {
    ...changed('with two client_secrets', 'RFC 6749 §3.2', more('client_secret=a&client_secret=b')),
    ignorable: noSecretInBody
  },
  { ...changed('with two assertions', 'RFC 6749 §3.2', more('client_assertion=a&client_assertion=b')), ignorable: noAssertions }
]

/** The claims of the access token in an answer, where it is a JWT. */
function claimsOf(answer: AttackAnswer): Readonly<Record<string, unknown>> {
  const { access_token: token } = membersOf(answer)
  const [, payload = ''] = typeof token === 'string' ? token.split('.') : []
  return membersOf({ ...answer, text: Buffer.from(payload, 'base64url').toString() })
}

/**
 * A server may leave out what it does not know, and says so; where nothing is left, there is no word for that
 * (RFC 6749 §3.3).
 */
const scoped = (name: string, scope: string): Attempt => ({
  ...asking(name, 'RFC 6749 §3.3', { scope }),
  refused: answer => {
    const granted = membersOf(answer)['scope'] ?? claimsOf(answer)['scope']
    const isGranted = typeof granted === 'string' && granted.split(' ').includes(scope)
    return isRefused(answer) || (answer.status === 200 && !isGranted)
  }
})

/** A resource that nobody has. */
const elsewhere = (resource: string): Attempt => ({
  ...asking(`for the resource ${resource}`, 'RFC 8707 §2', { resource }),
  ignorable: noResources,
  ignored: answer => isIgnored(answer) && ![claimsOf(answer)['aud']].flat().includes(resource)
})

const grants: readonly Attempt[] = [
  {
    name: 'without a grant',
    section: 'RFC 6749 §4.4.2',
    wires: target => [tokenRequest(target, { params: { grant_type: '' } })]
  },
  ...[
    'password',
    'implicit',
    'CLIENT_CREDENTIALS',
    'client_credentials ',
    ' client_credentials',
    '__proto__',
    'constructor',
    'toString',
    'urn:x',
    'client_credentials\u0000'
  ].map(grant_type =>
    asking(`of the grant ${JSON.stringify(grant_type)}`, 'RFC 6749 §5.2', { grant_type, username: 'a', password: 'b' })
  ),
  ...['', 'x', '../..', 'null', '{}', 'x'.repeat(10_000)].map((refresh_token, index) =>
    asking(`with a refresh token made up (${index + 1})`, 'RFC 6749 §6', { grant_type: 'refresh_token', refresh_token })
  ),
  ...['', 'x', "' OR 1=1", 'x'.repeat(10_000)].map((code, index) =>
    asking(`with a code made up (${index + 1})`, 'RFC 6749 §4.1.3', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: 'https://attacker.invalid/'
    })
  ),
  asking('with a device code made up', 'RFC 8628 §3.5', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: 'x'
  }),
  asking('with an auth_req_id made up', 'CIBA §11', { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: 'x' }),
  asking('with an assertion made up', 'RFC 7523 §3.1', {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: 'a.b.c'
  }),
  asking('with a subject token made up', 'RFC 8693 §2.2.2', {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'x',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token'
  }),
  scoped('with a scope nobody has', 'clientele-attack-no-such-scope'),
  ...['a"b', 'a\\b', '\u00e9'].map(scope => scoped(`with the scope ${JSON.stringify(scope)}`, scope)),
  ...['https://attacker.invalid/api', 'not a uri', 'https://a.example/#fragment'].map(elsewhere)
]

const anonymous = (
  name: string,
  section: string,
  params: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {}
): Attempt => ({
  name,
  section,
  wires: target => [formTo(endpointOf(target, 'token_endpoint') ?? '', { ...grantOf(target), ...params }, headers)]
})

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`

const clients: readonly Attempt[] = [
  anonymous('with no client at all', 'RFC 6749 §3.2.1', {}),
  {
    name: 'with the client_id alone',
    section: 'RFC 6749 §3.2.1',
    wires: ({ client, ...target }) => [
      formTo(endpointOf({ client, ...target }, 'token_endpoint') ?? '', {
        ...grantOf({ client, ...target }),
        client_id: client.client_id
      })
    ]
  },
  anonymous('of a client nobody has', 'RFC 6749 §5.2', { client_id: 'nobody', client_secret: 'x' }),
  ...[
    'Basic',
    'Basic ',
    'Basic !!!!',
    'Basic Og==',
    'Basic bm9jb2xvbg==',
    'Bearer x',
    'Negotiate x',
    'Digest x',
    'basic',
    'DPoP x',
    `${basic('nobody:x')}, ${basic('nobody:y')}`
  ].map(authorization =>
    anonymous(`with the Authorization header ${JSON.stringify(authorization)}`, 'RFC 6749 §2.3.1', {}, { authorization })
  ),
  anonymous(
    'with a Basic credential that is no UTF-8',
    'RFC 7617 §2.1',
    {},
    { authorization: `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}` }
  ),
  anonymous(
    'with a certificate in a header that anybody can send',
    'RFC 9440 §4',
    { client_id: 'nobody' },
    { 'client-cert': ':MIIB:', 'x-forwarded-client-cert': 'Cert="x"', 'ssl-client-cert': 'x' }
  ),
  ...['', ' ', 'a', 'undefined', 'null', '%', '[object Object]'].map(guess => ({
    name: `with the secret ${JSON.stringify(guess)}`,
    section: 'RFC 6749 §2.3.1',
    wires: (target: Target) => [
      formTo(endpointOf(target, 'token_endpoint') ?? '', grantOf(target), {
        authorization: basic(`${encodeURIComponent(target.client.client_id)}:${encodeURIComponent(guess)}`)
      })
    ]
  })),
  {
    name: 'with its proof twice, in two ways',
    section: 'RFC 6749 §2.3',
    ignorable: target => (proofOf(target).headers['authorization'] === undefined ? noBasic : noSecretInBody)(target),
    wires: target => {
      const { headers } = proofOf(target)
      const second =
        headers['authorization'] === undefined
          ? { headers: { authorization: basic(`${target.client.client_id}:x`) } }
          : { params: { client_id: target.client.client_id, client_secret: 'x' } }
      return [tokenRequest(target, second)]
    }
  }
]

/** A secret that is nearly right. */
const secrets: readonly Attempt[] = (
  [
    ['a character too few', (secret: string) => secret.slice(0, -1)],
    ['a character too many', (secret: string) => `${secret}x`],
    ['a space behind it', (secret: string) => `${secret} `],
    ['a byte of zero behind it', (secret: string) => `${secret}\u0000`],
    ['its case turned', (secret: string) => (secret === secret.toUpperCase() ? secret.toLowerCase() : secret.toUpperCase())],
    ['its letters backwards', (secret: string) => Array.from(secret).toReversed().join('')],
    ['itself twice', (secret: string) => secret + secret]
  ] as const
).map(([words, change]) => ({
  name: `with ${words} in place of the secret`,
  section: 'RFC 6749 §2.3.1',
  held: ({ client: { client_secret: secret, token_endpoint_auth_method: method } }) => {
    if (secret === undefined) return 'the client has no secret'
    // the key of an HMAC is filled up with zeros: one more makes no other key
    const isSame = change(secret) === secret || (words === 'a byte of zero behind it' && needsAssertion(method))
    return isSame ? 'of this secret that is the same' : undefined
  },
  wires: target => [
    tokenRequest({ ...target, client: { ...target.client, client_secret: change(target.client.client_secret ?? '') } })
  ]
}))

/** Requests with a parameter that a server may understand, and must not stumble over. */
const strange: readonly Attempt[] = [
  ...[
    '__proto__=1',
    'constructor[prototype][x]=1',
    'a[b]=c',
    '%00=%00',
    '=',
    '&&&',
    'hasOwnProperty=1',
    `${'k'.repeat(5000)}=1`
  ].map(text => ({
    ...changed(`with ${JSON.stringify(text.slice(0, 40))} beside it and no client`, 'RFC 6749 §3.2', (wire, target) => ({
      ...formTo(wire.url, `${new URLSearchParams(grantOf(target)).toString()}&${text}`)
    })),
    refused: isHarmless
  }))
]

/** The cases. */
export const requestAttempts: readonly Attempt[] = [...forms, ...doubled, ...grants, ...clients, ...secrets, ...strange]
