/** Clients of Basic as they are: registered for it and posting, or not encoding what they send. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { checkConfig } from '../../example-app/config/config.ts'
import { freePort, startServer, stop, type HostedServer } from './running-server.ts'

const machine = { grant_types: ['client_credentials'] }
const both = { ...machine, client_id: 'both', client_secret: 'one-secret-for-two-methods' }
const plus = { ...machine, client_id: 'plus', client_secret: 'a+secret/with%signs==' }
const one = { ...machine, client_id: 'one', client_secret: 'a-secret-for-one-method' }

let issuer: string
let server: HostedServer

beforeAll(async () => {
  issuer = `http://localhost:${await freePort()}`
  const credentials = [{ type: 'method', id: 'm1', method: 'client_secret_post' }]
  server = await startServer({ issuer, clients: [{ ...both, credentials }, plus, one] })
})
afterAll(() => stop(server))

type Secret = Readonly<Record<'client_id' | 'client_secret', string>>

function ask(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...form })
  return fetch(`${issuer}/oauth2/token`, { method: 'POST', body, headers })
}
const byBasic = ({ client_id, client_secret }: Secret) =>
  ask({}, { Authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}` })
const byPost = ({ client_id, client_secret }: Secret) => ask({ client_id, client_secret })

describe('a client with a second method among its credentials', () => {
  it('gets tokens by either', async () => {
    expect([(await byBasic(both)).status, (await byPost(both)).status]).toEqual([200, 200])
  })

  it('is not let in by one with another secret, and others by their own method alone', async () => {
    const wrong = { ...both, client_secret: 'wrong' }
    const answers = [byBasic(wrong), byPost(wrong), byPost(one), byBasic(one)]
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([401, 401, 401, 200])
  })
})

describe('a Basic credential that was not form-encoded', () => {
  it('is taken as it came, with a warning that names the client and nothing secret', async () => {
    expect((await byBasic(plus)).status).toBe(200)
    const encoded = { client_id: 'plus', client_secret: encodeURIComponent(plus.client_secret) }
    expect((await byBasic(encoded)).status).toBe(200)
    const lines = server.stdout().split('\n')
    const told = lines.filter(line => line.includes('client authentication tolerated'))
    expect(told).toHaveLength(1)
    expect(JSON.parse(told[0] ?? '')).toMatchObject({ level: 'warn', client_id: 'plus', checks: [{ check: 'encoding' }] })
    expect(told[0]).not.toContain(plus.client_secret)
  })

  it('is warned of at start, where a client is configured with what would need it', () => {
    const clients = [both, plus, { ...one, client_id: 'https://one.example' }]
    const posting = { ...plus, client_id: 'posting', token_endpoint_auth_method: 'client_secret_post' }
    const { warnings } = checkConfig({ issuer: 'http://localhost:4010', clients: [...clients, posting] }, '.')
    expect(warnings.map(warning => warning.split(' ')[0])).toEqual(['clients[1].client_secret', 'clients[2].client_id'])
  })
})
