/** clientele/client-auth in the hands of the libraries it is for: what each sends, how the token's file may change, and whom it is never sent to. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { fetchToken as fetchMcpToken } from '@modelcontextprotocol/client'
import { fetchToken as fetchMcpTokenV1 } from '@modelcontextprotocol/sdk/client/auth.js'
import { ConfigurationError } from 'clientele'
import {
  ClientAuthenticationError,
  federatedJwt,
  spiffeJwt,
  workloadGrant,
  type ClientAuthentication,
  type WorkloadJwtOptions
} from 'clientele/client-auth'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'

const issuer = 'https://as.example'
const metadata = {
  issuer,
  token_endpoint: `${issuer}/token`,
  authorization_endpoint: `${issuer}/authorize`,
  response_types_supported: ['code']
}
const client_id = 'deployer'
const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const jwtSpiffe = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
const jwt = (name: string) =>
  `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.${Buffer.from(name).toString('base64url')}.c2ln`

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'client-auth-'))
  file = join(directory, 'token')
  writeFileSync(file, `${jwt('first')}\n`)
})
afterEach(() => rmSync(directory, { recursive: true }))

/** What a request would have sent; the answer is a token. */
function recorder() {
  const sent: Record<string, string>[] = []
  const send = (_url: unknown, init?: { readonly body?: unknown }): Promise<Response> => {
    sent.push(Object.fromEntries(new URLSearchParams(init?.body as URLSearchParams)))
    return Promise.resolve(Response.json({ access_token: 'at', token_type: 'Bearer' }))
  }
  return { send, sent }
}

/** Each library's own way to a token, given how its client authenticates: resolves to the form it sent. */
const libraries: readonly [
  string,
  (auth: ClientAuthentication, as?: typeof metadata) => Promise<Record<string, string> | undefined>
][] = [
  [
    'openid-client',
    async (auth, as = metadata) => {
      const { send, sent } = recorder()
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- openid-client waits for it, though its type does not say so
      const config = new client.Configuration(as, client_id, undefined, auth)
      config[client.customFetch] = send
      await client.clientCredentialsGrant(config, { scope: 'deploy' })
      return sent[0]
    }
  ],
  [
    'oauth4webapi',
    async (auth, as = metadata) => {
      const { send, sent } = recorder()
      await oauth.clientCredentialsGrantRequest(as, { client_id }, auth, { scope: 'deploy' }, { [oauth.customFetch]: send })
      return sent[0]
    }
  ],
  ['the MCP SDK', (auth, as) => throughMcp(fetchMcpToken, auth, as)],
  ['the MCP SDK, version 1', (auth, as) => throughMcp(fetchMcpTokenV1, auth, as)]
]

async function throughMcp(fetchToken: typeof fetchMcpToken | typeof fetchMcpTokenV1, auth: ClientAuthentication, as = metadata) {
  const { send, sent } = recorder()
  const provider = {
    redirectUrl: undefined,
    clientMetadata: { redirect_uris: [] },
    clientInformation: () => ({ client_id }),
    tokens: () => undefined,
    saveTokens: () => undefined,
    redirectToAuthorization: () => undefined,
    saveCodeVerifier: () => undefined,
    codeVerifier: () => '',
    prepareTokenRequest: () => new URLSearchParams({ grant_type: 'client_credentials', scope: 'deploy' }),
    addClientAuthentication: auth
  }
  await fetchToken(provider, as.issuer, { metadata: as, fetchFn: send })
  return sent[0]
}

const options = (more: Partial<WorkloadJwtOptions> = {}): WorkloadJwtOptions => ({ file, issuer, client_id, ...more })
/** What was thrown before anything was sent; openid-client puts it into an error of its own. */
const failure = (request: Promise<unknown>): Promise<unknown> =>
  request.then(
    () => undefined,
    (error: unknown) => (error instanceof Error && 'code' in error ? error.cause : error)
  )
const read = async () => (await libraries[0]?.[1](federatedJwt(options())))?.['client_assertion']

describe.each(libraries)('%s', (_name, request) => {
  it.each([
    ['federatedJwt', federatedJwt, jwtBearer],
    ['spiffeJwt', spiffeJwt, jwtSpiffe]
  ])(
    '%s: sends the token of the file as an assertion of its type, and nothing else',
    async (_method, method, client_assertion_type) => {
      const expected = { client_id, client_assertion_type, client_assertion: jwt('first') }
      expect(await request(method(options()))).toEqual({ grant_type: 'client_credentials', scope: 'deploy', ...expected })
    }
  )

  it('asks get for a token for the server it is about to call', async () => {
    const get = (audience: string) => Promise.resolve(jwt(audience))
    const form = await request(federatedJwt(options({ file: undefined, get })))
    expect(form?.['client_assertion']).toBe(jwt(issuer))
  })

  it('workloadGrant: sends the token as the grant, without a client', async () => {
    const { client_id: _none, ...rest } = options()
    const form = await request(workloadGrant(rest))
    expect(form).toEqual({ grant_type: 'client_credentials', scope: 'deploy', assertion: jwt('first') })
  })

  it('sends nothing to another server than the one it is for', async () => {
    const other = JSON.parse(JSON.stringify(metadata).replaceAll(issuer, 'https://evil.example')) as typeof metadata
    expect(await failure(request(federatedJwt(options()), other))).toBeInstanceOf(ClientAuthenticationError)
  })

  it('sends nothing where there is no token, and does not say what is there instead', async () => {
    for (const auth of [
      federatedJwt(options({ file: join(directory, 'absent') })),
      federatedJwt(options({ file: directory })),
      federatedJwt(options({ file: undefined, get: () => 'hunter2' })),
      federatedJwt(options({ file: undefined, get: () => undefined as never }))
    ]) {
      const thrown = await failure(request(auth))
      expect(thrown).toBeInstanceOf(ClientAuthenticationError)
      expect(String(thrown)).not.toContain('hunter2')
    }
  })
})

describe('with the MCP SDK', () => {
  const request = (auth: ClientAuthentication) => throughMcp(fetchMcpToken, auth)

  it('the server must be named: whoever runs the MCP server could name another', async () => {
    await expect(request(federatedJwt({ file }))).rejects.toThrow('issuer must be given')
  })

  it('metadata that calls itself the right server is not enough: the address counts', async () => {
    const evil = { ...metadata, token_endpoint: 'https://evil.example/token' }
    for (const [name, through] of libraries.slice(2)) {
      const sent = through(federatedJwt(options()), evil)
      await expect(sent.then(() => name)).rejects.toThrow(ClientAuthenticationError)
    }
  })

  it('without metadata the address alone counts', async () => {
    const params = new URLSearchParams()
    await federatedJwt({ file, issuer })(new Headers(), params, `${issuer}/token`)
    expect(Object.fromEntries(params)).toEqual({ client_assertion_type: jwtBearer, client_assertion: jwt('first') })
    await expect(federatedJwt({ file, issuer })(new Headers(), params, 'https://evil.example/token')).rejects.toThrow(
      'evil.example'
    )
  })
})

describe('the file', () => {
  it('is read again when it was written over, with the same length at the same time', async () => {
    expect(await read()).toBe(jwt('first'))
    writeFileSync(file, jwt('other'))
    expect(await read()).toBe(jwt('other'))
  })

  it('is followed where it is a link into a directory that is swapped, as the kubelet does', async () => {
    const version = (name: string): void => {
      mkdirSync(join(directory, name))
      writeFileSync(join(directory, name, 'token'), jwt(name))
      symlinkSync(name, join(directory, '..data_tmp'))
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
    }
    rmSync(file)
    version('..2026_11_29_1')
    symlinkSync('..data/token', file)
    expect(await read()).toBe(jwt('..2026_11_29_1'))
    version('..2026_11_29_2')
    rmSync(join(directory, '..2026_11_29_1'), { recursive: true })
    expect(await read()).toBe(jwt('..2026_11_29_2'))
  })

  it('is waited for where it is empty, since not every writer renames', async () => {
    writeFileSync(file, '')
    const reading = read()
    setTimeout(() => writeFileSync(file, jwt('second')), 10)
    expect(await reading).toBe(jwt('second'))
  })

  it('may not stay empty, or hold something else', async () => {
    for (const content of ['', '\n', 'hunter2', 'a.b', 'a.b.c.d', '{"token":"a.b.c"}']) {
      writeFileSync(file, content)
      expect(await failure(read())).toMatchObject({ message: `there is no JWT in ${file}` })
    }
  })

  it('may be swapped while it is read: every request sends one that was there', async () => {
    const seen = new Set<string | undefined>()
    for (let round = 0; round < 100; round++) {
      const next = join(directory, 'next')
      writeFileSync(next, jwt(`round ${round % 2}`))
      const reads = Promise.all([read(), read(), read()])
      renameSync(next, file)
      for (const token of await reads) seen.add(token)
    }
    seen.delete(jwt('first'))
    expect([...seen].sort()).toEqual([jwt('round 0'), jwt('round 1')])
  })
})

describe('wrong options', () => {
  it.each([
    ['file', {}],
    ['file', { file: 'x', get: () => 'a.b.c' }],
    ['file', { file: '' }],
    ['get', { get: 'a.b.c' }],
    ['issuer', { file: 'x', issuer: 'as.example' }],
    ['client_id', { file: 'x', client_id: 7 }],
    ['clientId', { file: 'x', clientId: 'deployer' }]
  ])('%s is refused by name: %j', (key, given) => {
    for (const method of [federatedJwt, spiffeJwt]) {
      expect(() => method(given as WorkloadJwtOptions)).toThrow(ConfigurationError)
      expect(() => method(given as WorkloadJwtOptions)).toThrow(expect.objectContaining({ key }))
    }
  })

  it('a grant has no client_id', () => {
    expect(() => workloadGrant({ file, client_id } as WorkloadJwtOptions)).toThrow(expect.objectContaining({ key: 'client_id' }))
  })
})
