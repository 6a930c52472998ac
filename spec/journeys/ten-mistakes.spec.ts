/** The mistakes everybody makes once, made in processes of their own: each is told on stderr, by a line that names its cause. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { ClientMetadata } from '../../lib/index.ts'
import { compiled } from '../support/processes/compiled.ts'
import { basic } from '../support/servers/authorization-server.ts'

const issuer = 'http://localhost:4998'
const callback = 'https://client.example.com/cb'
const api = 'https://api.example.com'
const files = 'https://files.example.com'
const { privateKey, publicKey } = await generateKeyPair('ES256')
const now = Math.floor(Date.now() / 1000)
const grant_types = ['client_credentials']
const token_endpoint_auth_method = 'private_key_jwt'
const clients: readonly ClientMetadata[] = [
  {
    client_id: 'web',
    client_secret: 'secret of web',
    redirect_uris: [callback],
    grant_types: [...grant_types, 'authorization_code']
  },
  { client_id: 'late', client_secret: 'secret of late', client_secret_expires_at: now - 60, grant_types },
  { client_id: 'signs', token_endpoint_auth_method, jwks: { keys: [await exportJWK(publicKey)] }, grant_types },
  // nobody listens there
  { client_id: 'unreachable', token_endpoint_auth_method, jwks_uri: 'https://127.0.0.1:9/jwks', grant_types }
]
const entry = compiled(new URL('../support/processes/mistaken-app.ts', import.meta.url))

/** Starts the application as its owner would: in no mode that anybody set. */
function start(mistake: string): ChildProcess {
  const { NODE_ENV: _mode, NODE_OPTIONS: _options, DEBUG: _debug, ...env } = process.env
  const MISTAKEN = JSON.stringify({ mistake, clients })
  return spawn(process.execPath, [entry], { env: { ...env, MISTAKEN }, stdio: ['ignore', 'pipe', 'pipe'] })
}

describe('at start, the process ends with an error that names the option', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['a misspelt option', 'requirePKCE is not a known option; did you mean requirePkce?'],
    ['an option of another type', 'accessTokenTtl must be a whole number'],
    ['no store', 'store must be given: what memoryStore() returns, or another store'],
    ['a store that was not made', 'store must be what the function returns, and not the function: call it'],
    ['an issuer without TLS', 'issuer must be an https URL (http only on localhost, 127.0.0.1 or [::1])'],
    ['no keys', 'keys must be a JWK Set with private keys, such as generateKeys() makes'],
    [
      'keys that nobody waited for',
      'keys must be a JWK Set with private keys, such as generateKeys() makes, and not a promise of it: await it'
    ],
    ['a client without keys', 'clients[0].jwks or jwks_uri must be given for private_key_jwt']
  ]
  let ended: ReadonlyMap<string, { readonly code: number | null; readonly written: string }>

  beforeAll(async () => {
    const all = rows.map(async ([mistake]) => {
      const child = start(mistake)
      const { stderr } = child
      if (stderr === null) throw new Error('its stderr is not read')
      const [written, [code]] = await Promise.all([text(stderr), once(child, 'close') as Promise<[number | null]>])
      return [mistake, { code, written }] as const
    })
    ended = new Map(await Promise.all(all))
  })

  it.each(rows)('%s', (mistake, cause) => {
    const { code, written = '' } = ended.get(mistake) ?? {}
    const lines = written.split('\n').filter(line => /^\w*Error/.test(line))
    expect([code, lines]).toEqual([1, [expect.stringContaining(`ConfigurationError: ${cause}`)]])
  })
})

describe('while it runs, a line names the cause', () => {
  let child: ChildProcess
  let url: string
  let written = ''

  beforeAll(async () => {
    child = start('none')
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (written += chunk))
    const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    url = `http://127.0.0.1:${/serving (\d+)/.exec(String(chunk))?.[1]}`
  })
  afterAll(async () => {
    const closed = once(child, 'close')
    child.kill()
    await closed
  })

  const ask = (form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
      headers
    })
  const as = (client_id: string, secret?: string) => ({ Authorization: basic(client_id, secret) })

  async function asserted(claims: object, client_id = 'signs') {
    const assertion = {
      iss: client_id,
      sub: client_id,
      aud: issuer,
      iat: now,
      exp: now + 60,
      jti: crypto.randomUUID(),
      ...claims
    }
    const client_assertion = await new SignJWT(assertion).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
    return ask({ client_assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' })
  }

  async function atFiles(): Promise<Response> {
    const { access_token } = (await (await ask({ resource: api }, as('web'))).json()) as { access_token: string }
    return fetch(`${url}/files`, { headers: { Authorization: `Bearer ${access_token}` } })
  }

  it.each<[string, () => Promise<Response>, number, string]>([
    [
      'a proxy that Express does not trust',
      () => ask({}, { ...as('web', 'wrong'), 'X-Forwarded-For': '203.0.113.7' }),
      401,
      'It came with X-Forwarded-For, and Express trusts no proxy'
    ],
    [
      'JSON, where there is a parser for JSON alone',
      () =>
        fetch(`${url}/oauth2/token`, {
          method: 'POST',
          headers: { ...as('web'), 'Content-Type': 'application/json' },
          body: JSON.stringify({ grant_type: 'client_credentials' })
        }),
      415,
      'the request body must be application/x-www-form-urlencoded (the Content-Type is of another type; JSON is read only where jsonBody is on)'
    ],
    [
      'a redirect URI that is not registered',
      () =>
        fetch(
          `${url}/oauth2/authorize?${String(new URLSearchParams({ client_id: 'web', redirect_uri: `${callback}/`, response_type: 'code' }))}`
        ),
      400,
      `client "web": this redirect_uri is not registered for the client (asked for ${callback}/, registered ${callback})`
    ],
    [
      'the aud of an assertion',
      () => asserted({ aud: `${issuer}/oauth2/token` }),
      401,
      `client "signs": the check audience failed: expected "${issuer}", received "${issuer}/oauth2/token".`
    ],
    [
      'the aud of an access token',
      atFiles,
      401,
      `GET /files: the access token is not valid (for another resource: expected ${files}, received ${api})`
    ],
    [
      'a secret that has expired',
      () => ask({}, as('late')),
      401,
      'client "late": the check secret_expiry failed: received "secret:'
    ],
    [
      'a clock that is ahead',
      () => asserted({ iat: now + 600, exp: now + 660 }),
      401,
      'client "signs": the check issued_at failed:'
    ],
    [
      'a clock that is behind',
      () => asserted({ iat: now - 660, exp: now - 600 }),
      401,
      'client "signs": the check expiry failed:'
    ],
    [
      'keys of a client that cannot be fetched',
      () => asserted({}, 'unreachable'),
      401,
      'client "unreachable": the check key failed. Make the client\'s jwks_uri answer with its key set'
    ]
  ])('%s', async (_what, send, status, cause) => {
    const before = written.length
    expect((await send()).status).toBe(status)
    while (!written.slice(before).endsWith('\n')) await new Promise(resolve => setTimeout(resolve, 5))
    // one line each, with a page to read on where there is one
    expect(written.slice(before).split('\n')).toEqual([expect.stringContaining(cause), ''])
  })
})
