/** Secrets that another server kept, as real libraries hash them: let in, upgraded, and nobody let in where a library fails. */
import { scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import bcrypt from 'bcryptjs'
import {
  builtInStrategies,
  ClientSecretBasicStrategy,
  ClientSecretPostStrategy,
  credentialSets,
  memoryStore,
  ServerError,
  tokenRouter,
  verifySecret,
  type ClientMetadata,
  type SecretHashes
} from '../../../lib/index.ts'
import { clientSecrets } from '../../../lib/clients/client.ts'
import { cheapHash } from '../../support/clients/cheap-hash.ts'
import { publicKey } from '../../support/servers/credential-sets.ts'
import {
  counted,
  generated,
  grant_types,
  hashes,
  kept,
  libraries,
  salt,
  secret,
  served
} from '../../support/clients/old-hashes.ts'
import { issuer, specKeys } from '../../support/servers/authorization-server.ts'

describe.each(Object.entries(hashes))('a secret that %s hashed', (_library, hash) => {
  it('lets in whoever has it, and nobody else, at the header and in the body', async () => {
    const posting = { ...kept('posting', hash), token_endpoint_auth_method: 'client_secret_post' }
    const { ask, askInBody } = await served([kept('old', hash), posting], { secretHashes: libraries })
    const refused = await ask('old', 'correct-horse')
    expect([refused.status, refused.body]).toEqual([401, (await ask('nobody', 'correct-horse')).body])
    expect((await ask('old', secret)).status).toBe(200)
    expect(await askInBody('posting', 'correct horse')).toBe(401)
    expect(await askInBody('posting', secret)).toBe(200)
  })

  it('is kept as scrypt makes of it once it was used, where this library keeps it', async () => {
    const store = memoryStore()
    const clients = [{ client_id: 'old', client_secret: 'configured beside it', grant_types, response_types: [] }]
    const { ask, server } = await served(clients, { secretHashes: libraries, store, clock: Date.now })
    const { id, credential } = await server.credentials.importSecretHash('old', hash, { label: 'from the old server' })
    expect([credential, (await server.credentials.listCredentials('old')).at(-1)]).toEqual([
      `secret:${id}`,
      expect.objectContaining({ id, label: 'from the old server', state: 'live' })
    ])
    expect((await ask('old', secret)).status).toBe(200)
    const other = credentialSets({ issuer, store, clients, keys: await specKeys(), maxAge: 0 })
    const hashOf = async () => {
      const client = await other.clients.find('old')
      return client && clientSecrets(client).find(one => one.id === id)?.hash
    }
    // replaced after the answer
    while ((await hashOf()) === hash) await new Promise(resolve => setTimeout(resolve, 10))
    expect(await verifySecret(secret, await hashOf())).toBe(true)
    expect(JSON.stringify(await server.credentials.listCredentials('old'))).not.toContain(hash)
  })
})

const weak = await weakScrypt()
const another = await bcrypt.hash(secret, 4)

describe('a secret of the application’s own', () => {
  it('is computed with once, and then remembered', async () => {
    const { asked, secretHashes, plain } = counted()
    const { ask } = await served([kept('old', plain)], { secretHashes })
    for (let times = 0; times < 3; times++) expect((await ask('old', secret)).status).toBe(200)
    expect(asked).toEqual([secret])
  })

  it.each([
    ['of a library', another],
    ['of weaker parameters', weak]
  ])('%s is told in the way of today, once', async (_what, hash) => {
    const told: (readonly string[])[] = []
    const onSecretUpgrade = (...given: readonly string[]) => told.push(given)
    const client = kept(`told-${hash.slice(1, 3)}`, hash)
    const { ask } = await served([client], { secretHashes: libraries, onSecretUpgrade })
    expect((await ask(client.client_id, 'wrong')).status).toBe(401)
    for (let times = 0; times < 2; times++) expect((await ask(client.client_id, secret)).status).toBe(200)
    while (told.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
    const [[client_id, id, better = ''] = []] = told
    expect([told.length, client_id, id]).toEqual([1, client.client_id, 'old'])
    expect(await verifySecret(secret, better)).toBe(true)
  })

  it('is found among several, and the longest beginning that fits is asked', async () => {
    const never = jest.fn(() => true)
    const client: ClientMetadata = {
      ...kept('old', hashes.bcrypt),
      credentials: [
        { type: 'secret', id: 'one', hash: hashes.pbkdf2 },
        { type: 'secret', id: 'two', hash: await bcrypt.hash('another', 4) },
        { type: 'secret', id: 'three', hash: cheapHash('a third') }
      ]
    }
    const { ask, decisions } = await served([client], { secretHashes: { $: never, ...libraries } })
    for (const presented of [secret, 'another', 'a third']) expect((await ask('old', presented)).status).toBe(200)
    expect(decisions.map(({ credential }) => credential)).toEqual(['secret:one', 'secret:two', 'secret:three'])
    expect(never).not.toHaveBeenCalled()
  })

  it('is refused when it has expired, and when it is too long, however right its beginning is', async () => {
    const { secretHashes, plain } = counted(presented => presented === secret || presented === 'x'.repeat(1024))
    const ended = { ...kept('ended', plain), credentials: [{ type: 'secret' as const, id: 'old', hash: plain, expires_at: 1 }] }
    const { ask, decisions } = await served([ended, kept('old', plain)], { secretHashes })
    expect((await ask('ended', secret)).status).toBe(401)
    expect((await ask('old', 'x'.repeat(1025))).status).toBe(401)
    expect(decisions[0]?.checks).toContainEqual(expect.objectContaining({ check: 'secret_expiry', outcome: 'fail' }))
  })
})

/** What scrypt made of the secret when 2^10 was thought to be enough. */
async function weakScrypt(): Promise<string> {
  const key = await promisify<string, Buffer, number, object, Buffer>(scrypt)(secret, salt, 32, { N: 1024, r: 8, p: 1 })
  return `$scrypt$ln=10,r=8,p=1$${salt.toString('base64url')}$${key.toString('base64url')}`
}

describe('whoever is not let in', () => {
  it('costs one comparison of each kind, the client there or not', async () => {
    const { asked, secretHashes, plain } = counted()
    const { ask } = await served([kept('old', plain), generated], { secretHashes })
    for (const client_id of ['old', 'nobody', 'generated']) {
      expect((await ask(client_id, `wrong-for-${client_id}`)).status).toBe(401)
      expect(asked.at(-1)).toBe(`wrong-for-${client_id}`)
    }
    expect(asked).toHaveLength(3)
  })

  it('has nothing compared where its network has used up its guesses', async () => {
    const { asked, secretHashes, plain } = counted()
    const guessProtection = { attempts: 1, window: 600 }
    const neighbours = Array.from({ length: 10 }, (_, index) => kept(`neighbour-${index}`, cheapHash('right')))
    const { ask } = await served([kept('old', plain), ...neighbours], { secretHashes, guessProtection })
    await Promise.all(neighbours.map(({ client_id }) => ask(client_id, 'wrong')))
    const before = asked.length
    expect((await ask('nobody', 'wrong-again')).status).toBe(429)
    expect(asked).toHaveLength(before)
  })
})

describe('a function that fails lets nobody in, and is no fault of the server’s', () => {
  const throwing = (error: unknown) => () => {
    throw error
  }
  it.each<[string, () => unknown, string]>([
    ['throws', throwing(new Error('ECONNREFUSED')), 'failed; see the cause'],
    ['throws what is no error', throwing(null), 'failed; see the cause'],
    ['throws a fault of the server', throwing(new ServerError({ reason: 'x' })), 'failed; see the cause'],
    ['rejects', () => Promise.reject(new Error('ECONNREFUSED')), 'failed; see the cause'],
    ['answers nothing', () => undefined, 'must answer true or false'],
    ['answers 1', () => 1, 'must answer true or false'],
    ['answers "true"', () => Promise.resolve('true'), 'must answer true or false'],
    ['answers an object', () => ({}), 'must answer true or false'],
    [
      'answers something that rejects',
      () => ({ then: (_: unknown, no: (e: Error) => void) => no(new Error('x')) }),
      'failed; see the cause'
    ]
  ])('one that %s', async (_what, verify, reason) => {
    const { secretHashes, plain } = counted(verify as never)
    const { ask, errors } = await served([kept('old', plain), generated], { secretHashes })
    for (const presented of [secret, 'wrong']) {
      const { status, body } = await ask('old', presented)
      expect([status, body['error'], body['access_token']]).toEqual([503, 'temporarily_unavailable', undefined])
      expect(errors.at(-1)).toMatchObject({ reason: `secretHashes["$plain$"] ${reason}` })
    }
    // who has nothing to do with it is answered as ever
    expect((await ask('generated', 'a generated one')).status).toBe(200)
    expect((await ask('nobody', 'wrong')).status).toBe(401)
  })

  describe('one that never answers', () => {
    afterEach(() => void jest.useRealTimers())

    it('has five seconds, for all that wait for it together, and keeps no other secret waiting', async () => {
      const { secretHashes, plain } = counted(() => new Promise(() => undefined))
      const human = kept('human', cheapHash('made up'))
      const { ask, errors } = await served([kept('old', plain), human, generated], { secretHashes })
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] })
      const statuses: number[] = []
      const many = Array.from({ length: 10 }, (_, index) =>
        ask('old', `${secret} ${index}`).then(({ status }) => statuses.push(status))
      )
      while (jest.getTimerCount() < 10) await new Promise(resolve => setImmediate(resolve))
      expect((await ask('human', 'made up')).status).toBe(200)
      expect((await ask('generated', 'a generated one')).status).toBe(200)
      expect(statuses).toEqual([])
      jest.advanceTimersByTime(5000)
      await Promise.all(many)
      expect([statuses, errors.length]).toEqual([Array(10).fill(503), 10])
      expect(errors[0]).toMatchObject({ reason: 'secretHashes["$plain$"] did not answer within 5000 ms' })
    })
  })
})

describe('a hash that nothing compares', () => {
  const clients = [generated, kept('old', hashes.bcrypt)]
  const message =
    'clients[1].credentials[0].hash must be what hashSecret() returns, or secretHashes must have a function for it: it begins with $2b$'

  it('is refused at start where the clients are a list', async () => {
    const keys = await specKeys()
    const store = memoryStore()
    const given = { clients, secretHashes: { $argon2id$: () => false } }
    for (const make of [
      () => new ClientSecretBasicStrategy(given),
      () => new ClientSecretPostStrategy(given),
      () => builtInStrategies({ ...given, issuer, store }),
      () => tokenRouter({ ...given, issuer, store, keys })
    ])
      expect(make).toThrow(message)
    expect(() => tokenRouter({ clients, issuer, store, keys })).toThrow(message)
  })

  it('is told with the refusal where a function finds the clients', async () => {
    const find = (id: string) => clients.find(({ client_id }) => client_id === id)
    const { ask, decisions } = await served([], { clients: find })
    expect((await ask('old', secret)).status).toBe(401)
    expect(decisions[0]?.checks).toContainEqual(
      expect.objectContaining({
        check: 'secret',
        fix: 'The client has a secret that is kept as a hash beginning with $2b$, and nothing compares that: give secretHashes a function for it.'
      })
    )
    expect(JSON.stringify(decisions)).not.toContain(hashes.bcrypt.slice(7))
  })

  it.each([
    ['a secret'],
    [''],
    [`$2b$ ${'x'.repeat(60)}`],
    ['x'.repeat(1025)],
    [`$scrypt$ln=30,r=8,p=5$${'A'.repeat(22)}$${'A'.repeat(43)}`],
    [5]
  ])('is none, and refused wherever it is given: %j', async hash => {
    const given = hash as string
    const words = 'hash must be what hashSecret() returns, or a hash that one of the secretHashes compares'
    expect(() => new ClientSecretBasicStrategy({ clients: [kept('old', given)], secretHashes: libraries })).toThrow(words)
    const { server } = await served([generated], { secretHashes: libraries })
    await expect(server.credentials.importSecretHash('generated', given)).rejects.toThrow(words)
  })

  it.each([
    ['one that has no method for it', 'keyed', 'not_allowed'],
    ['one that nobody knows', 'nobody', 'unknown_client']
  ])('is not taken over for a client, %s', async (_what, client_id, code) => {
    const keyed = {
      client_id: 'keyed',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [publicKey()] },
      grant_types
    }
    const { server } = await served([{ ...keyed, response_types: [] }], { secretHashes: libraries })
    await expect(server.credentials.importSecretHash(client_id, hashes.bcrypt)).rejects.toMatchObject({ code })
  })
})

it.each<[object, string]>([
  [{ $2b$: 'bcrypt' }, 'secretHashes["$2b$"] must be a function'],
  [{ '': () => true }, 'secretHashes[""] must be named by 1 to 32 printable ASCII characters that hashes begin with'],
  [{ 'a b': () => true }, 'secretHashes["a b"] must be named by'],
  [
    Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`$${index}$`, () => true])),
    'secretHashes must be an object of at most 20'
  ]
])('functions that cannot be are refused by name: %o', (secretHashes, message) => {
  expect(() => new ClientSecretBasicStrategy({ clients: [], secretHashes: secretHashes as SecretHashes })).toThrow(message)
})
