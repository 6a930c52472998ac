/**
 * A network that keeps guessing secrets which scrypt keeps, a fifth of a second each: it pays for that itself. Wrong ones have no
 * character that is encoded: those are compared both ways, at twice the price.
 */
import { beforeAll, describe, expect, it, jest } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import express from 'express'
import request from 'supertest'
import { hashSecret } from '../../lib/index.ts'
import { cheapHash } from '../support/clients/cheap-hash.ts'
import { basic, harness } from '../support/servers/authorization-server.ts'

async function setup(ids: readonly string[], options: object = {}) {
  const app = express().set('trust proxy', 'loopback')
  const human = (client_id: string) => {
    const credentials = [{ type: 'secret', id: 'old', hash: cheapHash('correct horse') }] as const
    return { client_id, grant_types: ['client_credentials'], credentials }
  }
  const clients = ids.map(human)
  const made = await harness({ clients, resources: [], guessProtection: { attempts: 1, window: 600 }, ...options }, app)
  const send = (id: string, secret: string, from = '192.0.2.1') =>
    request(app)
      .post('/oauth2/token')
      .set('Authorization', basic(id, secret))
      .set('X-Forwarded-For', from)
      .type('form')
      .send({ grant_type: 'client_credentials' })
  return { ...made, send }
}

describe('a network that has used up its wrong guesses', () => {
  it('has nothing computed for it any more, whatever ids it makes up; what was right before stays right', async () => {
    const neighbours = Array.from({ length: 10 }, (_, index) => `neighbour-${index}`)
    const { send } = await setup(['human', 'sleeping', ...neighbours])
    expect((await send('human', 'correct horse')).status).toBe(200)
    await Promise.all(neighbours.map((neighbour, index) => send(neighbour, `wrong-${index}`)))
    const begun = performance.now()
    await hashSecret('correct horse')
    const computation = performance.now() - begun
    const asked = performance.now()
    for (let index = 0; index < 50; index++)
      expect((await send(`nobody-${index}-more`, randomBytes(8).toString('hex'))).status).toBe(429)
    // on a busy machine one computation takes longer as well
    expect(performance.now() - asked).toBeLessThan(25 * computation)
    expect((await send('human', 'correct horse')).status).toBe(200)
    // nobody has seen this one yet
    expect((await send('sleeping', 'correct horse')).status).toBe(429)
    expect((await send('sleeping', 'correct horse', '192.0.2.2')).status).toBe(200)
  }, 60_000)
})

describe('more computations than can be done', () => {
  let statuses: readonly number[]
  /** The neighbour's answer, and how many of the flood had theirs before it. */
  let neighbour: { readonly status: number; readonly before: number }
  let told: readonly (readonly unknown[])[]

  beforeAll(async () => {
    const { app, send } = await setup(['human'], { guessProtection: { attempts: 1000, window: 600 }, onError: undefined })
    app.set('env', 'production')
    const spy = jest.spyOn(console, 'error')
    // the first that is put off says that as many wait as may
    const full = new Promise<void>(resolve => void spy.mockImplementation(() => resolve()))
    let computed = 0
    const flood = Array.from({ length: 100 }, async (_, index) => {
      const { status } = await send('human', `wrong-${index}`)
      if (status === 401) computed++
      return status
    })
    await Promise.race([full, Promise.all(flood)])
    const { status } = await send('human', 'correct horse', '192.0.2.2')
    neighbour = { status, before: computed }
    statuses = await Promise.all(flood)
    told = [...spy.mock.calls]
    spy.mockRestore()
  }, 120_000)

  it('are put off for the network that asks for them, and its neighbour’s right secret goes through', () => {
    expect(new Set(statuses)).toEqual(new Set([401, 503]))
    expect(neighbour.status).toBe(200)
    // who is next but one waits a few computations, and not for the fifty before
    expect(neighbour.before).toBeLessThan(25)
  })

  it('are no fault with a stack', () => {
    expect(told.length).toBeGreaterThan(0)
    for (const call of told) {
      expect(call).toHaveLength(1)
      expect(call[0]).toMatch(/^TemporarilyUnavailableError: too many secrets of this network [^\n]*$/)
    }
  })
})
