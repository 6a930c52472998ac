/** The methods whose client sends its secret, or nothing. */
import { callback, code_challenge, code_verifier } from '../../servers/authorization-server.ts'
import { api, now, tokenPath, type Send } from './exchange.ts'
import { grant, secret, sendChanged, type Change, type Fault, type MethodScript } from './script.ts'

const basic = (client_id: string, value = secret): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(value)}`).toString('base64')}`

const old = 'gH4nT8wC2kX6zQ0rV5yB9mE1jU7aP3sD'
const registered = {
  client_secret: secret,
  credentials: [{ type: 'secret', id: '2025', value: old, expires_at: now - 86_400 }]
} as const

const byHeader: readonly (readonly [string, string, Change])[] = [
  ['Another secret', 'secret', { headers: { Authorization: basic('billing', 'another-secret') } }],
  ['A secret whose end has come', 'secret_expiry', { headers: { Authorization: basic('billing', old) } }],
  ['A client_id nobody has', 'client', { headers: { Authorization: basic('nobody') } }],
  ['What follows `Basic` is no base64', 'request', { headers: { Authorization: 'Basic billing:secret' } }],
  [
    'The secret is in the body instead',
    'registered_method',
    { headers: { Authorization: undefined }, form: { client_id: 'billing', client_secret: secret } }
  ],
  ['The secret is in the body too', 'one_mechanism', { form: { client_id: 'billing', client_secret: secret } }],
  ['The body names another client', 'one_client_id', { form: { client_id: 'reports' } }],
  ['No header at all', 'supported_method', { headers: { Authorization: undefined } }]
]

const byBody: readonly (readonly [string, string, Change])[] = [
  ['Another secret', 'secret', { form: { client_secret: 'another-secret' } }],
  ['A secret whose end has come', 'secret_expiry', { form: { client_secret: old } }],
  ['A client_id nobody has', 'client', { form: { client_id: 'nobody' } }],
  ['No client_id beside the secret', 'request', { form: { client_id: undefined } }],
  [
    'The secret is in the header instead',
    'registered_method',
    { headers: { Authorization: basic('billing') }, form: { client_id: undefined, client_secret: undefined } }
  ],
  ['The secret is in the header too', 'one_mechanism', { headers: { Authorization: basic('billing') } }],
  ['No secret', 'registered_method', { form: { client_secret: undefined } }]
]

export const faultsOf = (rows: readonly (readonly [string, string, Change])[]): readonly Fault[] =>
  rows.map(([what, check, change]) => ({ what, check, change }))

export const clientSecretBasic: MethodScript = {
  method: 'client_secret_basic',
  registered,
  talk: (send, change) =>
    sendChanged(send, { path: tokenPath, headers: { Authorization: basic('billing') }, form: grant }, change),
  faults: faultsOf(byHeader)
}

export const clientSecretPost: MethodScript = {
  method: 'client_secret_post',
  registered,
  talk: (send, change) =>
    sendChanged(send, { path: tokenPath, form: { ...grant, client_id: 'billing', client_secret: secret } }, change),
  faults: faultsOf(byBody)
}

/** What a browser is sent with. */
const asked = {
  response_type: 'code',
  client_id: 'billing',
  redirect_uri: callback,
  scope: grant.scope,
  resource: api,
  state: 'af0ifjsldkj',
  code_challenge,
  code_challenge_method: 'S256'
}

/** Has a browser get a code; resolves to the grant it is. */
export async function codeGrant(send: Send): Promise<Readonly<Record<string, string>>> {
  const { headers } = await send({ method: 'GET', path: `/oauth2/authorize?${new URLSearchParams(asked).toString()}` })
  const code = new URL(headers.get('location') ?? '').searchParams.get('code') ?? ''
  return { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier }
}

export const none: MethodScript = {
  method: 'none',
  registered: { grant_types: ['authorization_code'], redirect_uris: [callback] },
  async talk(send, change) {
    const form = { ...(await codeGrant(send)), client_id: 'billing' }
    return sendChanged(send, { path: tokenPath, form }, change)
  },
  faults: [
    ...faultsOf([
      ['A client_id nobody has', 'client', { form: { client_id: 'nobody' } }],
      ['A secret, which it has not', 'registered_method', { form: { client_secret: secret } }],
      ['No client_id', 'supported_method', { form: { client_id: undefined } }]
    ]),
    { what: 'Another `code_verifier`: somebody who only saw the code', change: { form: { code_verifier: `${code_verifier}x` } } },
    { what: 'No `code_verifier`', change: { form: { code_verifier: undefined } } },
    {
      what: 'Another `redirect_uri` than the code was asked for with',
      change: { form: { redirect_uri: 'https://other.example.com/cb' } }
    },
    { what: 'The code is presented again', change: { twice: true } }
  ]
}
