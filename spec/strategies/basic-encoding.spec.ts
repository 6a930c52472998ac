/** Clients that do not form-encode what stands in the Authorization header: curl, and half of the libraries there are. */
import { describe, expect, it } from '@jest/globals'
import express from 'express'
import fc from 'fast-check'
import request from 'supertest'
import type { AuthorizationServerOptions, ClientMetadata, Decision, ServerEvent } from '../../lib/index.ts'
import { cheapHash } from '../support/clients/cheap-hash.ts'
import { basic as encoded, harness } from '../support/servers/authorization-server.ts'

const machine = { grant_types: ['client_credentials'] }
const asItIs = (client_id: string, secret: string) => `Basic ${Buffer.from(`${client_id}:${secret}`).toString('base64')}`

async function setup(clients: readonly ClientMetadata[], options: Partial<AuthorizationServerOptions> = {}) {
  const decisions: Decision[] = []
  const events: ServerEvent[] = []
  const app = express()
  const onDecision = (decision: Decision): void => void decisions.push(decision)
  const onEvent = (event: ServerEvent): void => void events.push(event)
  await harness({ clients, resources: [], onDecision, onEvent, ...options }, app)
  const send = (authorization: string, form: object = {}) =>
    request(app)
      .post('/oauth2/token')
      .set('Authorization', authorization)
      .type('form')
      .send({ grant_type: 'client_credentials', ...form })
  const tolerated = () => events.filter(({ type }) => type === 'authentication.tolerated')
  return { send, decisions, tolerated }
}

const secrets = ['a+b', '100%', '100%25', 'aB3/+x9==', '%41', 'a b', 'a%', '%zz%ff', 'ä+ö', '%00', ':+:', 'a%2Bb']

describe.each(secrets)('the secret %j', secret => {
  const clients = [{ client_id: 'app', client_secret: secret, ...machine }]

  it('is right encoded, and nobody hears of it', async () => {
    const { send, tolerated } = await setup(clients)
    expect((await send(encoded('app', secret))).status).toBe(200)
    expect(tolerated()).toEqual([])
  })

  it('is right as it is, and the client is named', async () => {
    const { send, tolerated, decisions } = await setup(clients)
    const answer = await send(asItIs('app', secret))
    expect(answer.status).toBe(200)
    if (!/[+%]/.test(secret)) expect(tolerated()).toEqual([])
    else {
      expect(tolerated()).toMatchObject([{ client_id: 'app', check: 'encoding', section: 'RFC 6749 §2.3.1' }])
      expect(decisions[0]).toMatchObject({ outcome: 'authenticated', client_id: 'app' })
      expect(JSON.stringify([decisions, tolerated()])).not.toContain(JSON.stringify(secret))
    }
  })

  it('is refused as it is where that is enforced', async () => {
    const { send, tolerated } = await setup(clients, { basicEncoding: 'enforce' })
    expect((await send(encoded('app', secret))).status).toBe(200)
    const { status } = await send(asItIs('app', secret))
    expect([status, tolerated()]).toEqual([/[+%]/.test(secret) ? expect.any(Number) : 200, []])
    if (/[+%]/.test(secret)) expect([400, 401]).toContain(status)
  })

  it('is no wrong one’s right one', async () => {
    const { send, tolerated } = await setup(clients)
    for (const wrong of [`${secret}+`, `+${secret}`, encodeURIComponent(encodeURIComponent(`${secret}%`))])
      expect((await send(asItIs('app', wrong))).status).toBe(401)
    expect(tolerated()).toEqual([])
  })
})

describe('the client_id', () => {
  it.each(['a+b', 'svc+billing@example.com', '100%', 'a%20b', '%zz'])('%j is found encoded and as it is', async client_id => {
    const clients = [{ client_id, client_secret: 'right', ...machine }]
    const { send, tolerated } = await setup(clients)
    expect((await send(encoded(client_id, 'right'))).status).toBe(200)
    expect(tolerated()).toEqual([])
    for (const form of [{}, { client_id }]) expect((await send(asItIs(client_id, 'right'), form)).status).toBe(200)
    expect(tolerated()).toMatchObject([{ client_id }, { client_id }])
    expect((await send(asItIs(client_id, 'wrong'))).status).toBe(401)
  })

  it('as it was encoded comes first where both are clients', async () => {
    const clients = [
      { client_id: 'a b', client_secret: 'one', ...machine },
      { client_id: 'a+b', client_secret: 'two', ...machine }
    ]
    const { send, decisions } = await setup(clients)
    expect((await send(asItIs('a+b', 'one'))).status).toBe(200)
    expect(decisions.at(-1)).toMatchObject({ client_id: 'a b' })
    expect((await send(asItIs('a+b', 'two'))).status).toBe(401)
    // named beside it, there is no doubt
    expect((await send(asItIs('a+b', 'two'), { client_id: 'a+b' })).status).toBe(200)
  })
})

it('a generated secret is the same either way', async () => {
  const { server } = await harness({ clients: [{ client_id: 'app', client_secret: 'x', ...machine }] })
  for (let round = 0; round < 20; round++) {
    const { client_secret } = await server.credentials.rotateSecret('app')
    expect(client_secret).toMatch(/^[\w-]+$/)
  }
})

it('nothing but the secret itself is ever right, whatever it is made of', async () => {
  const character = fc.constantFrom('a', '+', '%', ' ', '2', 'B', '5', ':')
  const text = fc.string({ unit: character, minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(text, text, async (secret, presented) => {
      const { send } = await setup([{ client_id: 'app', client_secret: secret, ...machine }])
      const form = new URLSearchParams(`v=${presented.replace(/%(?![0-9A-Fa-f]{2})/g, '%25')}`).get('v')
      const { status } = await send(asItIs('app', presented))
      expect(status === 200).toBe(presented === secret || form === secret)
    }),
    { numRuns: 25 }
  )
})

// the last: from then on every refusal of this process costs what such a secret costs
it('a secret that scrypt keeps is compared both ways too', async () => {
  const credentials = [{ type: 'secret', id: 'old', hash: cheapHash('made+up') }] as const
  const { send, tolerated } = await setup([{ client_id: 'app', credentials, ...machine }])
  expect((await send(asItIs('app', 'made+up'))).status).toBe(200)
  expect(tolerated()).toHaveLength(1)
})
