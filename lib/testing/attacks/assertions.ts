/** Client assertions that are wrong in one place (RFC 7523, RFC 8725, rfc7523bis). */
import { createPublicKey } from 'node:crypto'
import { noBasic } from './announced.ts'
import { isSurvived, type Attempt } from './case.ts'
import {
  compact,
  goodAssertion,
  needsAssertion,
  now,
  part,
  signatureOf,
  strangersKey,
  tokenRequest,
  type Forged,
  type Target
} from './target.ts'

type Change = (jwt: Forged, target: Target) => unknown

/** A good assertion, changed and then signed. */
function forged(name: string, section: string, change: Change): Attempt {
  return {
    name,
    section,
    wires: target => {
      const jwt = goodAssertion(target)
      change(jwt, target)
      return [tokenRequest(target, { assertion: compact(jwt) })]
    }
  }
}

/** A good assertion, signed and then changed. */
function spoilt(name: string, section: string, change: (jwt: string, target: Target) => string): Attempt {
  return { name, section, wires: target => [tokenRequest(target, { assertion: change(compact(goodAssertion(target)), target) })] }
}

const claim = (name: string, section: string, claims: Record<string, unknown>): Attempt =>
  forged(name, section, jwt => Object.assign(jwt.claims, claims))
const without = (name: string, section: string): Attempt =>
  forged(`without ${name}`, section, jwt => Reflect.deleteProperty(jwt.claims, name))
const head = (name: string, section: string, header: Record<string, unknown>): Attempt =>
  forged(name, section, jwt => Object.assign(jwt.header, header))

const odd: readonly (readonly [string, unknown])[] = [
  ['a number', 1],
  ['true', true],
  ['null', null],
  ['an object', {}],
  ['an empty list', []],
  ['an empty string', '']
]

const audiences: readonly Attempt[] = [
  claim('aud of another server', 'RFC 7523 §3 (3)', { aud: 'https://other.example' }),
  forged(
    'aud with the name of another host behind it',
    'RFC 7523 §3 (3)',
    (jwt, { issuer }) => (jwt.claims['aud'] = `${issuer}.attacker.invalid`)
  ),
  forged('aud in capitals', 'RFC 7523 §3 (3)', (jwt, { issuer }) => (jwt.claims['aud'] = issuer.toUpperCase())),
  forged('aud with a query behind it', 'RFC 8414 §3.3', (jwt, { issuer }) => (jwt.claims['aud'] = `${issuer}?x=1`)),
  forged('aud with a path behind it', 'RFC 8414 §3.3', (jwt, { issuer }) => (jwt.claims['aud'] = `${issuer}/elsewhere`)),
  forged(
    'aud that only begins as the issuer does',
    'RFC 8414 §3.3',
    (jwt, { issuer }) => (jwt.claims['aud'] = issuer.slice(0, -1))
  ),
  forged('aud of a list within a list', 'RFC 7519 §4.1.3', (jwt, { issuer }) => (jwt.claims['aud'] = [[issuer]])),
  {
    // RFC 7523 allows it, and what forbids it is not an RFC yet
    level: 'warning',
    ...forged(
      'aud of this server and another',
      'rfc7523bis §4',
      (jwt, { issuer }) => (jwt.claims['aud'] = [issuer, 'https://other.example'])
    )
  },
  without('aud', 'RFC 7523 §3 (3)'),
  ...odd.map(([words, aud]) => claim(`aud is ${words}`, 'RFC 7519 §4.1.3', { aud }))
]

const times: readonly Attempt[] = [
  without('exp', 'RFC 7523 §3 (4)'),
  claim('expired two minutes ago', 'RFC 7523 §3 (4)', { exp: now() - 120, iat: now() - 180 }),
  claim('expired in 1970', 'RFC 7523 §3 (4)', { exp: 1 }),
  claim('exp before iat', 'RFC 7523 §3 (4)', { exp: now() - 100, iat: now() }),
  claim('exp as text', 'RFC 7519 §4.1.4', { exp: String(now() + 60) }),
  ...odd.slice(1).map(([words, exp]) => claim(`exp is ${words}`, 'RFC 7519 §4.1.4', { exp })),
  claim('exp of zero', 'RFC 7519 §4.1.4', { exp: 0 }),
  claim('exp of less than nothing', 'RFC 7519 §4.1.4', { exp: -1 }),
  claim('valid from an hour on', 'RFC 7523 §3 (5)', { nbf: now() + 3600, exp: now() + 7200 }),
  claim('nbf as text', 'RFC 7519 §4.1.5', { nbf: 'soon' }),
  claim('nbf is an object', 'RFC 7519 §4.1.5', { nbf: {} }),
  claim('iat as text', 'RFC 7519 §4.1.6', { iat: 'now' }),
  claim('iat is an object', 'RFC 7519 §4.1.6', { iat: {} })
]

const parties: readonly Attempt[] = [
  without('iss', 'RFC 7523 §3 (1)'),
  without('sub', 'RFC 7523 §3 (2)'),
  claim('iss of another', 'RFC 7523 §3 (1)', { iss: 'somebody-else' }),
  claim('sub of another', 'RFC 7523 §3 (2)', { sub: 'somebody-else' }),
  claim('iss and sub of a client nobody has', 'RFC 6749 §5.2', { iss: 'nobody', sub: 'nobody' }),
  ...odd.map(([words, iss]) => claim(`iss is ${words}`, 'RFC 7519 §4.1.1', { iss })),
  ...odd.map(([words, sub]) => claim(`sub is ${words}`, 'RFC 7519 §4.1.2', { sub })),
  forged('iss in a list', 'RFC 7519 §4.1.1', (jwt, { client }) => (jwt.claims['iss'] = [client.client_id])),
  {
    name: 'client_id of another beside it',
    section: 'RFC 7521 §4.2',
    wires: target => [tokenRequest(target, { params: { client_id: 'somebody-else' } })]
  }
]

const identifiers: readonly Attempt[] = [
  ...odd.map(([words, jti]) => claim(`jti is ${words}`, 'RFC 7519 §4.1.7', { jti })),
  {
    name: 'sent twice',
    section: 'OpenID Connect Core §9',
    wires: target => {
      const wire = tokenRequest(target)
      return [wire, wire]
    }
  },
  {
    name: 'sent again with another signature of the same claims',
    section: 'OpenID Connect Core §9',
    wires: target => {
      const jwt = goodAssertion(target)
      const again = { ...jwt, header: { ...jwt.header, typ: 'JWT' } }
      return [tokenRequest(target, { assertion: compact(jwt) }), tokenRequest(target, { assertion: compact(again) })]
    }
  }
]

const headers: readonly Attempt[] = [
  ...['none', 'None', 'NONE', 'nOnE', '', 'HS1', 'ES256K', 'RS1'].map(alg => head(`alg "${alg}"`, 'RFC 8725 §3.1', { alg })),
  forged('without alg', 'RFC 7515 §4.1.1', jwt => delete jwt.header['alg']),
  ...odd.slice(0, 5).map(([words, alg]) => head(`alg is ${words}`, 'RFC 7515 §4.1.1', { alg })),
  ...['none', 'None'].map(alg =>
    spoilt(`alg "${alg}" without a signature`, 'RFC 8725 §3.2', (_jwt, target) => {
      const { claims } = goodAssertion(target)
      return `${part({ alg })}.${part(claims)}.`
    })
  ),
  head('a crit that nobody understands', 'RFC 7515 §4.1.11', { crit: ['attack'], attack: 1 }),
  head('an empty crit', 'RFC 7515 §4.1.11', { crit: [] }),
  head('a crit that is no list', 'RFC 7515 §4.1.11', { crit: 'exp' }),
  head('a crit that names what is not there', 'RFC 7515 §4.1.11', { crit: ['nowhere'] }),
  head('an unencoded payload', 'RFC 7797 §7', { b64: false, crit: ['b64'] }),
  ...['at+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'oauth-authz-req+jwt', 'token-introspection+jwt'].map(typ => ({
    level: 'warning' as const,
    ...head(`a JWT of the type ${typ}`, 'RFC 8725 §3.11', { typ })
  })),
  ...['../../../../dev/null', "' OR 1=1 --", '\u0000', 'x'.repeat(5000)].map((kid, index) =>
    strangerKid(`a kid that is an attack, ${index + 1}`, kid)
  ),
  forged('a key of its own in the header', 'RFC 8725 §3.10', jwt => {
    const key = strangersKey()
    jwt.header = { alg: key.alg, jwk: key.publicJwk }
    jwt.key = key
  }),
  ...['jku', 'x5u'].map(member =>
    forged(`a ${member} that leads to a key of its own`, 'RFC 8725 §3.10', jwt => {
      const key = strangersKey()
      jwt.header = { alg: key.alg, kid: 'mine', [member]: 'https://attacker.invalid/keys' }
      jwt.key = key
    })
  )
]

function strangerKid(name: string, kid: string): Attempt {
  return forged(name, 'RFC 8725 §3.10', jwt => {
    jwt.header['kid'] = kid
    jwt.key = { ...strangersKey(), alg: 'ES256' }
    jwt.header['alg'] = 'ES256'
  })
}

const signatures: readonly Attempt[] = [
  forged('signed by a stranger', 'RFC 7523 §3 (9)', jwt => {
    jwt.key = strangersKey()
    jwt.header['alg'] = 'ES256'
  }),
  spoilt('without its signature', 'RFC 7515 §5.2', jwt => jwt.replace(/[^.]*$/, '')),
  spoilt('with half a signature', 'RFC 7515 §5.2', jwt => jwt.slice(0, -20)),
  spoilt('with a signature of zeros', 'RFC 7518 §3.4', jwt => jwt.replace(/[^.]*$/, Buffer.alloc(64).toString('base64url'))),
  spoilt('with one bit of the signature changed', 'RFC 7515 §5.2', flipped),
  spoilt('with other claims below the signature', 'RFC 7515 §5.2', (jwt, target) => {
    const [header = '', , signature = ''] = jwt.split('.')
    return `${header}.${part({ ...goodAssertion(target).claims, exp: now() + 600 })}.${signature}`
  }),
  spoilt('with another header above the signature', 'RFC 7515 §5.2', (jwt, target) => {
    const [, claims = '', signature = ''] = jwt.split('.')
    return `${part({ ...goodAssertion(target).header, attack: 1 })}.${claims}.${signature}`
  }),
  spoilt('with a part too many', 'RFC 7515 §7.1', jwt => `${jwt}.${part({})}`),
  spoilt('with a part too few', 'RFC 7515 §7.1', jwt => jwt.slice(0, jwt.lastIndexOf('.'))),
  spoilt('as JSON', 'RFC 7515 §7.2', jwt => {
    const [protectedHeader, payload, signature] = jwt.split('.')
    return JSON.stringify({ protected: protectedHeader, payload, signature })
  }),
  ...['', '.', '..', '...', 'x', 'null', '{}'].map(text => spoilt(`"${text}" in its place`, 'RFC 7523 §2.2', () => text)),
  ...[
    ['[]', 'a list'],
    ['null', 'null'],
    ['"text"', 'text'],
    ['{', 'no JSON'],
    ['\ufeff{}', 'JSON behind a mark']
  ].map(([text = '', words = '']) =>
    spoilt(`whose claims are ${words}`, 'RFC 7519 §7.2', (_jwt, target) => {
      const { header, key } = goodAssertion(target)
      const input = `${part(header)}.${part(text)}`
      return `${input}.${signatureOf(input, key)}`
    })
  ),
  spoilt('with aud twice, of which the last counts', 'RFC 7519 §4', (_jwt, target) => {
    const { header, claims, key } = goodAssertion(target)
    const text = JSON.stringify(claims).replace(/\}$/, ',"aud":"https://other.example"}')
    const input = `${part(header)}.${part(text)}`
    return `${input}.${signatureOf(input, key)}`
  }),
  {
    ...spoilt('of 200 kB', 'RFC 7519 §4', (_jwt, target) => {
      const jwt = goodAssertion(target)
      jwt.claims['padding'] = 'x'.repeat(200_000)
      return compact(jwt)
    }),
    refused: isSurvived
  }
]

function flipped(jwt: string): string {
  const at = jwt.lastIndexOf('.') + 5
  return `${jwt.slice(0, at)}${jwt[at] === 'A' ? 'B' : 'A'}${jwt.slice(at + 1)}`
}

/** The public key as the secret of an HMAC: the oldest confusion there is. */
const confusions: readonly Attempt[] = (['spki', 'jwk', 'pem-line'] as const).map(form =>
  forged(`an HMAC with the public key as its secret (${form})`, 'RFC 8725 §2.1', (jwt, { key }) => {
    if (key === undefined) return
    const object = createPublicKey({ key: key.publicJwk, format: 'jwk' })
    const pem = object.export({ type: 'spki', format: 'pem' }).toString()
    const secrets = { spki: pem, jwk: JSON.stringify(key.publicJwk), 'pem-line': pem.trimEnd() }
    jwt.header['alg'] = 'HS256'
    jwt.key = { alg: 'HS256', key: secrets[form] }
  })
)

/** Wrong ways of sending a good one. */
const ways: readonly Attempt[] = [
  ...[
    '',
    'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
    'jwt-bearer',
    'URN:IETF:PARAMS:OAUTH:CLIENT-ASSERTION-TYPE:JWT-BEARER'
  ].map(type => ({
    name: `client_assertion_type "${type}"`,
    section: 'RFC 7521 §4.2',
    wires: (target: Target) => [tokenRequest(target, { params: { client_assertion_type: type } })]
  })),
  {
    name: 'a secret in the Authorization header beside it',
    section: 'RFC 6749 §2.3',
    ignorable: noBasic,
    wires: target => [
      tokenRequest(target, {
        headers: { authorization: `Basic ${Buffer.from(`${target.client.client_id}:x`).toString('base64')}` }
      })
    ]
  }
]

const all: readonly Attempt[] = [
  ...[...audiences, ...times, ...parties, ...identifiers, ...headers, ...signatures],
  ...confusions.map(attempt => ({
    ...attempt,
    held: ({ key }: Target) => (key === undefined ? 'the client has no public key' : undefined)
  })),
  ...ways
]

/** The cases. */
export const assertionAttempts: readonly Attempt[] = all.map(attempt => ({
  ...attempt,
  held: target =>
    needsAssertion(target.client.token_endpoint_auth_method)
      ? attempt.held?.(target)
      : `the client authenticates by ${target.client.token_endpoint_auth_method}, without an assertion`
}))
