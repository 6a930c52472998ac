import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { guessProtection } from '../../../lib/credentials/guesses/guess-protection.ts'
import { TemporarilyUnavailableError, TooManyAttemptsError } from '../../../lib/errors.ts'
import {
  authenticateClient,
  ClientSecretBasicStrategy,
  memoryStore,
  oauthErrorHandler,
  type Decision,
  type Key
} from '../../../lib/index.ts'
import { basic, breakableStore, harness, token } from '../../support/servers/authorization-server.ts'

const form = { grant_type: 'client_credentials' }
const limits = { attempts: 3, window: 60 }

async function setup(options: object = limits) {
  const decisions: Decision[] = []
  const app = express().set('trust proxy', 'loopback')
  const made = await harness({ guessProtection: options, onDecision: decision => decisions.push(decision) }, app)
  const send = (secret: string, { id = 'web', from = '192.0.2.1', path = '/oauth2/token' } = {}) =>
    request(app).post(path).set('Authorization', basic(id, secret)).set('X-Forwarded-For', from).type('form').send(form)
  const right = (from?: string) => send('secret of web', from === undefined ? {} : { from })
  const wrong = (times: number, given = {}) => Promise.all(Array.from({ length: times }, () => send('wrong', given)))
  return { ...made, send, right, wrong, decisions }
}

describe('guess protection', () => {
  it('tolerates so many wrong secrets, then answers 429 whatever the secret, until the window ends', async () => {
    const { send, right, clock, decisions } = await setup()
    await right().expect(200)
    for (let attempt = 0; attempt < 3; attempt++) expect((await send('wrong')).body).toMatchObject({ error: 'invalid_client' })
    clock.now += 20_000
    for (const secret of ['wrong', 'secret of web']) {
      const { status, body, headers } = await send(secret)
      expect(status).toBe(429)
      expect(body).toEqual({ error: 'temporarily_unavailable', error_description: 'too many attempts, try again later' })
      expect(headers['retry-after']).toBe('40')
      expect(headers['cache-control']).toBe('no-store')
    }
    expect(decisions.at(-1)).toMatchObject({
      client_id: 'web',
      method: 'client_secret_basic',
      outcome: 'refused',
      checks: [{ check: 'failure_budget', outcome: 'fail', received: '192.0.2.1' }]
    })
    clock.now += 40_000
    await right().expect(200)
  })

  it('is on by default, with 20 attempts', async () => {
    const { wrong, right } = await setup({})
    expect((await wrong(20)).map(({ status }) => status)).toEqual(Array(20).fill(401))
    await right().expect(429)
  })

  it('can be left out', async () => {
    const { app } = await harness({ guessProtection: false })
    for (let attempt = 0; attempt < 25; attempt++)
      await request(app).post('/oauth2/token').set('Authorization', basic('web', 'wrong')).type('form').send(form).expect(401)
    await token(app, 'web', form).expect(200)
  })

  it('does not count what was right, malformed, or right at another endpoint', async () => {
    const { send, right, app } = await setup()
    for (let attempt = 0; attempt < 10; attempt++) await right().expect(200)
    for (let attempt = 0; attempt < 10; attempt++)
      await request(app).post('/oauth2/token').set('Authorization', 'Basic !').type('form').send(form).expect(400)
    await send('wrong').expect(401)
    await right().expect(200)
  })

  it('counts at every endpoint together', async () => {
    const { wrong, right } = await setup()
    await wrong(2, { path: '/oauth2/par' })
    await wrong(1)
    await right().expect(429)
  })

  it('never refuses a right secret from another network, an IPv6 one being its /64', async () => {
    const { wrong, right } = await setup()
    await wrong(5)
    await right('192.0.2.2').expect(200)
    await wrong(5, { from: '2001:db8:1:2::1' })
    await right('2001:db8:1:2:ffff::9').expect(429)
    await right('2001:db8:1:3::1').expect(200)
    await right('::ffff:192.0.2.1').expect(429)
  })

  it('lets clients prove themselves by keys, and public ones name themselves, from a network that guesses', async () => {
    const { send, app } = await setup()
    for (let attempt = 0; attempt < 5; attempt++) await send('wrong', { id: 'spa' })
    const answer = await request(app)
      .post('/oauth2/token')
      .set('X-Forwarded-For', '192.0.2.1')
      .type('form')
      .send({ grant_type: 'authorization_code', client_id: 'spa', code: 'x' })
    expect(answer.body).toMatchObject({ error: 'invalid_grant' })
  })

  it('answers for clients that do not exist as for those that do', async () => {
    const { send } = await setup()
    const course = async (id: string) => {
      const answers = []
      for (let attempt = 0; attempt < 5; attempt++) answers.push((await send('wrong', { id })).status)
      return answers
    }
    expect(await course('nobody')).toEqual(await course('web'))
  })

  it('counts unknown clients by network; once used up, every failure there is 429, and the right secret goes through', async () => {
    const { send, right } = await setup()
    for (let attempt = 0; attempt < 30; attempt++) await send('wrong', { id: `nobody-${attempt}` }).expect(401)
    await send('wrong', { id: 'nobody-99' }).expect(429)
    await send('wrong', { id: 'other' }).expect(429)
    await right().expect(200)
    await send('wrong', { id: 'other', from: '192.0.2.2' }).expect(401)
  })

  it('keeps digests, and for unknown clients no more of them than it tolerates attempts', async () => {
    const written = new Set<string>()
    const behind = memoryStore()
    const store = {
      ...Object.fromEntries(
        (['get', 'set', 'take', 'swap', 'delete', 'deleteGrant', 'close'] as const).map(name => [
          name,
          (...given: unknown[]): unknown => Reflect.apply(Reflect.get(behind, name), behind, given)
        ])
      ),
      add: (key: Key, ...rest: [never, number]) => {
        written.add(key.id)
        return behind.add(key, ...rest)
      }
    } as typeof behind
    const protection = guessProtection({ store, ...limits })
    const guess = async (index: number) => (await protection.reserve(`client-${index}`, '192.0.2.1')).wrong()
    for (let attempt = 0; attempt < 1000; attempt++) await guess(attempt)
    expect(written.size).toBe(31)
    for (const id of written) expect(id).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  it('fails closed where the store does not answer', async () => {
    const { store, broken } = breakableStore(memoryStore())
    const { app } = await harness({ guessProtection: limits, store })
    broken.set('get', 'rejects')
    await token(app, 'web', form).expect(503)
  })

  it('counts in this process what the store cannot count', async () => {
    const { store, broken } = breakableStore(memoryStore())
    broken.set('get', 'rejects')
    const protection = guessProtection({ store, ...limits })
    for (let attempt = 0; attempt < 3; attempt++)
      await expect((await protection.reserve('web', 'here')).wrong()).rejects.toThrow(TemporarilyUnavailableError)
    expect(() => protection.reserve('web', 'here')).toThrow(TooManyAttemptsError)
  })

  it.each([
    [{ attempts: 0 }, 'guessProtection.attempts must be a whole number from 1'],
    [{ window: 1.5 }, 'guessProtection.window must be a whole number from 1'],
    [{ atempts: 1 }, 'guessProtection.atempts is not a known option; did you mean attempts?'],
    [true, 'guessProtection must be false or an object'],
    [null, 'guessProtection must be false or an object']
  ])('refuses %j, naming the option', async (given, message) => {
    await expect(harness({ guessProtection: given as never })).rejects.toThrow(message)
  })

  it('can guard a route of one’s own', async () => {
    const clients = [{ client_id: 'web', client_secret: 'right' }]
    const protection = guessProtection({ store: memoryStore(), attempts: 1 })
    const app = express()
    const strategies = [new ClientSecretBasicStrategy({ clients })]
    app.post('/', authenticateClient({ clients, strategies, guessProtection: protection }), (_req, res) => void res.send('in'))
    app.use(oauthErrorHandler())
    const send = (secret: string) => request(app).post('/').set('Authorization', basic('web', secret)).type('form').send({})
    await send('right').expect(200)
    await send('wrong').expect(401)
    await send('right').expect(429)
    expect(() => authenticateClient({ clients, strategies, guessProtection: {} as never })).toThrow(
      'guessProtection must be what guessProtection() returns'
    )
  })
})
