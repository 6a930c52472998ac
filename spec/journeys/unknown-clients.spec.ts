/** What tells a client that is not there from one whose credential is wrong: nothing that can be seen or asked. */
import { describe, expect, it } from '@jest/globals'
import { createHmac } from 'node:crypto'
import express from 'express'
import request, { type Response } from 'supertest'
import type { ClientMetadata } from '../../lib/index.ts'
import { carrying, claimsOf, makeKey, sign } from '../strategies/assertions.ts'
import { cheapHash } from '../support/clients/cheap-hash.ts'
import { basic, harness, issuer } from '../support/servers/authorization-server.ts'
import { slowStore } from '../support/servers/slow-store.ts'

const key = await makeKey('ES256', { kid: 'k' })
const others = await makeKey('ES256', { kid: 'k' })
const grants = { grant_types: ['client_credentials'] }
const secret = 'a secret of forty-eight characters and some more'
const clients: ClientMetadata[] = [
  { client_id: 'basic', client_secret: secret, ...grants },
  { client_id: 'posting', client_secret: secret, token_endpoint_auth_method: 'client_secret_post', ...grants },
  { client_id: 'signing', client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt', ...grants },
  { client_id: 'keys', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.jwk] }, ...grants }
]
const form = { grant_type: 'client_credentials' }

interface Attempt {
  readonly headers?: Record<string, string>
  readonly form: Record<string, string>
}

function hmac(client_id: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { ...claimsOf(client_id), aud: issuer }
  const text = `${part({ alg: 'HS256' })}.${part(claims)}`
  return `${text}.${createHmac('sha256', 'another secret of this length and more').update(text).digest('base64url')}`
}

const attempts: [string, string, (id: string) => Attempt | Promise<Attempt>][] = [
  ['client_secret_basic', 'basic', id => ({ headers: { Authorization: basic(id, 'wrong') }, form })],
  ['client_secret_post', 'posting', id => ({ form: { ...form, client_id: id, client_secret: 'wrong' } })],
  ['client_secret_post at a client of Basic', 'basic', id => ({ form: { ...form, client_id: id, client_secret: 'wrong' } })],
  ['client_secret_jwt', 'signing', id => ({ form: { ...form, ...carrying(hmac(id)) } })],
  ['client_secret_jwt at a client with keys', 'keys', id => ({ form: { ...form, ...carrying(hmac(id)) } })],
  [
    'private_key_jwt',
    'keys',
    async id => ({
      form: { ...form, ...carrying(await sign(others.privateKey, { alg: 'ES256', kid: 'k' }, { ...claimsOf(id), aud: issuer })) }
    })
  ],
  [
    'private_key_jwt at a client with a secret',
    'signing',
    async id => ({
      form: { ...form, ...carrying(await sign(others.privateKey, { alg: 'ES256', kid: 'k' }, { ...claimsOf(id), aud: issuer })) }
    })
  ],
  // the last: from then on every refusal of this process costs what such a secret costs
  ['a hashed secret', 'human', id => ({ headers: { Authorization: basic(id, 'wrong') }, form })]
]

const neighbours = Array.from({ length: 10 }, (_, index) => `somebody-${index}`)

/** Clients with hashed secrets only where they are needed: those that use up the network's budget, so that it takes less time. */
function clientsFor(known: string): readonly ClientMetadata[] {
  const human = (client_id: string): ClientMetadata => ({
    ...{ client_id, ...grants },
    credentials: [{ type: 'secret', id: 'old', hash: cheapHash('correct horse') }]
  })
  return known === 'human' ? [...clients, ...['human', ...neighbours].map(human)] : clients
}

describe.each(attempts)('%s', (_, known, attemptOf) => {
  it('is answered alike, after the same steps of the store, until and after the budgets are used up', async () => {
    const course = async (id: string) => {
      const { store, asked } = slowStore(0)
      const app = express().set('trust proxy', 'loopback')
      await harness({ clients: clientsFor(known), store, guessProtection: { attempts: 1, window: 60 }, resources: [] }, app)
      const answers: unknown[] = []
      const send = async (client_id: string): Promise<Response> => {
        const { headers = {}, form: sent } = await attemptOf(client_id)
        return request(app).post('/oauth2/token').set(headers).type('form').send(sent)
      }
      const record = async (client_id: string): Promise<void> => {
        asked.length = 0
        const { status, headers, body } = await send(client_id)
        answers.push([status, headers['retry-after'], headers['www-authenticate'], body, [...asked]])
      }
      for (let attempt = 0; attempt < 3; attempt++) await record(id)
      for (const neighbour of neighbours) await send(neighbour)
      for (let attempt = 0; attempt < 3; attempt++) await record(id)
      return answers
    }
    expect(await course('nobody')).toEqual(await course(known))
  }, 60_000)
})
