/**
 * Attacks on the other endpoints: authorization, pushed requests, introspection, revocation, userinfo, registration.
 */
import {
  noPkce,
  noPushedRequests,
  noRequestObjects,
  noRequestUris,
  noResponseModes,
  offeredResponseType,
  plainPkce
} from './announced.ts'
import { attackersOrigin, isHarmless, isTheAttackers, type AttackAnswer, type Attempt, type Reason } from './case.ts'
import { registrations } from './registrations.ts'
import { endpointOf, formTo, now, part, proofOf, strangersKey, compact, type Target, type Wire } from './target.ts'

const attacker = `${attackersOrigin}/callback`
/** RFC 7636 Appendix B. */
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const get = (url: string, headers: Readonly<Record<string, string>> = {}): Wire => ({
  url,
  method: 'GET',
  headers,
  body: undefined
})

/** An authorization request: the client's, changed. */
function authorization(
  name: string,
  section: string,
  change: Readonly<Record<string, string | undefined>>,
  { query = '', ignorable }: { readonly query?: string; readonly ignorable?: Reason } = {}
): Attempt {
  return {
    name,
    section,
    refused: isSentToNobody,
    ...(ignorable !== undefined && { ignorable }),
    wires: target => {
      const good = {
        ...{
          response_type: 'code',
          client_id: target.client.client_id,
          redirect_uri: target.client.redirect_uri,
          scope: target.client.scope
        },
        ...{ state: 'attack', code_challenge: challenge, code_challenge_method: 'S256', ...change }
      }
      const given = Object.entries(good).filter((entry): entry is [string, string] => entry[1] !== undefined)
      return [get(`${endpointOf(target, 'authorization_endpoint') ?? ''}?${new URLSearchParams(given).toString()}${query}`)]
    }
  }
}

/** A page that says no; never a redirect to a stranger, nor one that goes on to a sign-in. */
function isSentToNobody({ status, headers }: AttackAnswer): boolean {
  if (status >= 400) return status < 500
  const location = headers.get('location') ?? ''
  return status >= 300 && location.includes('error=') && !isTheAttackers(location)
}

const redirects: readonly Attempt[] = [
  authorization('of a client nobody has', 'RFC 6749 §4.1.2.1', { client_id: 'nobody', redirect_uri: attacker }),
  ...[
    attacker,
    'https://attacker.invalid@localhost/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'http://[::1',
    '//attacker.invalid',
    '/callback',
    '\u0000'
  ].map(redirect_uri => authorization(`back to ${JSON.stringify(redirect_uri)}`, 'RFC 9700 §4.1', { redirect_uri }))
]

/** Addresses that are nearly the client's own. */
const nearly: readonly Attempt[] = (
  [
    ['a path behind it', (uri: string) => `${uri}/more`],
    ['a query behind it', (uri: string) => `${uri}?more=1`],
    ['a fragment behind it', (uri: string) => `${uri}#more`],
    ['a step up in it', (uri: string) => `${uri}/../elsewhere`],
    ['an escape in it', (uri: string) => `${uri}%2e`],
    ['a backslash in it', (uri: string) => uri.replace('://', ':\\\\')],
    ['its path in capitals', (uri: string) => uri.replace(/[^/]*$/, last => last.toUpperCase())],
    ['a host in front of its own', (uri: string) => uri.replace('://', '://attacker.invalid.')],
    ['user info in it', (uri: string) => uri.replace('://', '://attacker.invalid@')]
  ] as const
).map(([words, change]) => ({
  name: `back to its own address with ${words}`,
  section: 'RFC 9700 §2.1',
  refused: isSentToNobody,
  held: ({ client: { redirect_uri: uri } }) =>
    uri !== undefined && change(uri) === uri ? 'of this address that is the same' : undefined,
  wires: target => authorization('', '', { redirect_uri: change(target.client.redirect_uri ?? '') }).wires(target)
}))

const requests: readonly Attempt[] = [
  authorization('with two redirect URIs', 'RFC 6749 §3.1', {}, { query: `&redirect_uri=${encodeURIComponent(attacker)}` }),
  authorization('with two client_ids', 'RFC 6749 §3.1', {}, { query: '&client_id=other' }),
  ...['token', 'id_token token', '', 'Code', 'code attack'].map(response_type =>
    authorization(
      `of the response type ${JSON.stringify(response_type)}`,
      'RFC 9700 §2.1.2',
      { response_type },
      { ignorable: offeredResponseType(response_type) }
    )
  ),
  ...['plain', 'S512', ''].map(code_challenge_method =>
    authorization(
      `with the PKCE method ${JSON.stringify(code_challenge_method)}`,
      'RFC 7636 §4.3',
      { code_challenge_method },
      { ignorable: code_challenge_method === 'S512' ? noPkce : plainPkce }
    )
  ),
  // nothing asks a server in so many words to look at its form: no verifier matches it anyway
  ...['short', '!'.repeat(43), 'a'.repeat(200)].map((code_challenge, index) => ({
    level: 'warning' as const,
    ...authorization(`with a challenge that is none (${index + 1})`, 'RFC 7636 §4.2', { code_challenge }, { ignorable: noPkce })
  })),
  authorization(
    'with an unsigned request object',
    'RFC 9101 §10.1',
    { request: `${part({ alg: 'none' })}.${part({ redirect_uri: attacker })}.` },
    { ignorable: noRequestObjects }
  ),
  authorization(
    'with a request object of a stranger',
    'RFC 9101 §6.2',
    { request: compact({ header: { alg: 'ES256' }, claims: { redirect_uri: attacker, exp: now() + 60 }, key: strangersKey() }) },
    { ignorable: noRequestObjects }
  ),
  authorization(
    'with a request_uri elsewhere',
    'RFC 9101 §10.4',
    { request_uri: `${attackersOrigin}/request` },
    { ignorable: noRequestUris }
  ),
  authorization(
    'with a request_uri made up',
    'RFC 9126 §4',
    { request_uri: 'urn:ietf:params:oauth:request_uri:made-up' },
    { ignorable: noPushedRequests }
  ),
  authorization(
    'with a response mode nobody has',
    'OAuth Multiple Response Types §2.1',
    { response_mode: 'attack' },
    { ignorable: noResponseModes }
  )
]

/** Endpoints at which a client authenticates: without a proof, by GET, and with a token made up. */
function authenticating(endpoint: string): readonly Attempt[] {
  const to = (target: Target): string => endpointOf(target, `${endpoint}_endpoint`) ?? ''
  return [
    { name: 'without a client', section: 'RFC 6749 §2.3', wires: target => [formTo(to(target), { token: 'x' })] },
    { name: 'by GET', section: 'RFC 7662 §2.1', wires: target => [get(`${to(target)}?token=x`)] },
    {
      name: 'without a token',
      section: 'RFC 7662 §2.1',
      wires: target => [formTo(to(target), proofOf(target).params, proofOf(target).headers)]
    },
    {
      name: 'of a token made up, by a client with a wrong secret',
      section: 'RFC 6749 §2.3',
      wires: target => [
        formTo(
          to(target),
          { token: 'x' },
          { authorization: `Basic ${Buffer.from(`${target.client.client_id}:wrong`).toString('base64')}` }
        )
      ]
    },
    {
      name: 'of a token made up',
      section: 'RFC 7662 §2.2',
      refused: answer => isHarmless(answer) && !/"active"\s*:\s*true/.test(answer.text),
      wires: target => {
        const { headers, params } = proofOf(target)
        return [formTo(to(target), { ...params, token: 'x'.repeat(4000) }, headers)]
      }
    }
  ]
}

const pushed: readonly Attempt[] = [
  {
    name: 'without a client',
    section: 'RFC 9126 §2',
    wires: target => [formTo(endpointOf(target, 'pushed_authorization_request_endpoint') ?? '', { response_type: 'code' })]
  },
  ...[
    { request_uri: 'urn:x' },
    { redirect_uri: attacker },
    { response_type: 'token' },
    { redirect_uri: 'javascript:alert(1)' }
  ].map(change => ({
    name: `with ${JSON.stringify(change)}`,
    section: 'RFC 9126 §2.1',
    ...(change.response_type !== undefined && { ignorable: offeredResponseType(change.response_type) }),
    wires: (target: Target) => {
      const { headers, params } = proofOf(target)
      const { client_id, redirect_uri = attacker } = target.client
      const good = { response_type: 'code', client_id, redirect_uri, code_challenge: challenge, code_challenge_method: 'S256' }
      return [
        formTo(endpointOf(target, 'pushed_authorization_request_endpoint') ?? '', { ...good, ...change, ...params }, headers)
      ]
    }
  }))
]

function accessToken(header: object): (target: Target) => string {
  return ({ issuer, client }) => {
    const key = strangersKey()
    const claims = {
      iss: issuer,
      sub: 'u',
      aud: issuer,
      client_id: client.client_id,
      scope: 'openid',
      iat: now(),
      exp: now() + 60,
      jti: 'x'
    }
    return compact({ header: { typ: 'at+jwt', alg: 'ES256', ...header }, claims, key })
  }
}

const unsigned = ({ issuer }: Target): string =>
  `${part({ typ: 'at+jwt', alg: 'none' })}.${part({ iss: issuer, sub: 'u', aud: issuer, scope: 'openid', exp: now() + 60 })}.`

const bearers: readonly Attempt[] = (
  [
    ['without a token', () => ''],
    ['with a token made up', () => 'Bearer x'],
    ['with an unsigned token', (target: Target) => `Bearer ${unsigned(target)}`],
    ['with a token of a stranger', (target: Target) => `Bearer ${accessToken({})(target)}`],
    [
      'with a token whose header has the key',
      (target: Target) => `Bearer ${accessToken({ jwk: strangersKey().publicJwk })(target)}`
    ],
    [
      'with a token whose header has an address',
      (target: Target) => `Bearer ${accessToken({ jku: 'https://attacker.invalid/keys' })(target)}`
    ],
    ['with a DPoP token and no proof', () => 'DPoP x'],
    ['with a Basic credential', () => 'Basic eDp5'],
    ['with a token of 15 kB', () => `Bearer ${'x'.repeat(7000)}`]
  ] as const
).map(([name, authorization]) => ({
  name,
  section: 'RFC 6750 §3.1',
  wires: target => [
    get(
      endpointOf(target, 'userinfo_endpoint') ?? '',
      authorization(target) === '' ? {} : { authorization: authorization(target) }
    )
  ]
}))

const withRedirect: Reason = ({ client }) =>
  client.redirect_uri === undefined ? 'no redirect URI of the client was given' : undefined

/** The cases, by the metadata name of their endpoint without `_endpoint`. */
export const endpointAttempts: Readonly<Record<string, readonly Attempt[]>> = {
  authorization: [
    ...redirects,
    ...[...nearly, ...requests].map(attempt => ({
      ...attempt,
      held: (target: Target) => withRedirect(target) ?? attempt.held?.(target)
    }))
  ],
  pushed_authorization_request: pushed,
  introspection: authenticating('introspection'),
  revocation: authenticating('revocation').filter(({ name }) => name !== 'of a token made up'),
  userinfo: bearers,
  registration: registrations
}
