/** Running a strategy through Passport, and what is left of a request afterwards. */
import { describe, expect, it } from '@jest/globals'
import express, { type Request } from 'express'
import { Strategy as PassportStrategy } from 'passport'
import supertest from 'supertest'
import type { Client } from '../../lib/clients/client.ts'
import { InvalidClientError, ServerError } from '../../lib/errors.ts'
import { readClientRequest, ReadRequest } from '../../lib/http/client-request.ts'
import { strategyRunner, type RunEnd } from '../../lib/authentication/run.ts'
import type { ClientAuthenticationStrategy, Identification } from '../../lib/strategies/strategy.ts'

const client: Client = {
  client_id: 'billing',
  token_endpoint_auth_method: 'told',
  grant_types: [],
  response_types: [],
  redirect_uris: []
}

type Act = (this: Told, req: Request) => void

/** Does what it is told to. */
class Told extends PassportStrategy implements ClientAuthenticationStrategy {
  override readonly name = 'told'
  readonly mechanism = 'told'
  readonly needsOnlyClientRequest: boolean
  readonly act: Act
  constructor(act: Act, needsOnlyClientRequest: boolean) {
    super()
    this.act = act
    this.needsOnlyClientRequest = needsOnlyClientRequest
  }
  identify(): Identification {
    return { outcome: 'present', client_id: 'billing' }
  }
  override authenticate(req: Request): void {
    this.act(req)
  }
}

interface Ended {
  readonly error: unknown
  readonly client: Client | undefined
}

/** Runs a strategy for one request. Answers with the response and with each end of the run. */
async function runTold(act: Act, needsOnlyClientRequest = true) {
  const ends: Ended[] = []
  const strategy = new Told(act, needsOnlyClientRequest)
  const run = strategyRunner([strategy])
  const app = express()
  app.post('/', (req, res, next) => {
    const end: RunEnd = (error, found) => {
      ends.push({ error, client: found })
      if (ends.length === 1) res.json({ ended: true })
    }
    readClientRequest(req).then(request => run(strategy, { req, res, request }, end), next)
  })
  const response = await supertest(app).post('/').type('form').send({ client_id: 'billing' })
  return { response, ends }
}

describe.each([
  ['a stand-in', true],
  ['the request itself', false]
])('strategyRunner, where the strategy is given %s', (_what, light) => {
  it('ends with the client', async () => {
    const { ends } = await runTold(function () {
      this.success(client)
    }, light)
    expect(ends).toEqual([{ error: undefined, client }])
  })

  it('ends with the error', async () => {
    const refusal = new InvalidClientError()
    const { ends } = await runTold(function () {
      this.error(refusal)
    }, light)
    expect(ends).toEqual([{ error: refusal, client: undefined }])
  })

  it('ends with neither where it passes', async () => {
    const { ends } = await runTold(function () {
      this.pass()
    }, light)
    expect(ends).toEqual([{ error: undefined, client: undefined }])
  })

  it.each<[string, Act]>([
    [
      'succeeds twice',
      function () {
        this.success(client)
        this.success({ ...client, client_id: 'another' })
      }
    ],
    [
      'fails after it succeeded',
      function () {
        this.success(client)
        this.error(new InvalidClientError())
        this.fail('Told', 403)
      }
    ]
  ])('ends once where it %s', async (_does, act) => {
    const { response, ends } = await runTold(act, light)
    expect(ends).toEqual([{ error: undefined, client }])
    expect(response.status).toBe(200)
    expect(response.headers['www-authenticate']).toBeUndefined()
  })

  it('lets Passport answer where it fails', async () => {
    const { response, ends } = await runTold(function () {
      this.fail('Told realm="x"')
    }, light)
    expect(ends).toEqual([])
    expect(response.status).toBe(401)
    expect(response.headers['www-authenticate']).toBe('Told realm="x"')
  })

  it('lets Passport answer where it redirects', async () => {
    const { response, ends } = await runTold(function () {
      this.redirect('https://login.example.com/', 303)
    }, light)
    expect(ends).toEqual([])
    expect(response.status).toBe(303)
    expect(response.headers['location']).toBe('https://login.example.com/')
  })
})

describe('strategyRunner', () => {
  it('runs none it was not given', () => {
    const given = new Told(() => undefined, true)
    const other = Object.assign(new Told(() => undefined, true), { name: 'other' })
    expect(() => strategyRunner([given])(other, {} as never, () => undefined)).toThrow(ServerError)
  })

  it('leaves nothing of the request in what the strategy was given', async () => {
    const held: Request[] = []
    await runTold(function (req) {
      held.push(req)
      this.success(client)
    })
    const [stand] = held
    if (!(stand instanceof ReadRequest)) throw new TypeError('the strategy was given something else')
    expect(stand.headers).toEqual({})
    expect(stand.authenticatedClient).toBeUndefined()
    await expect(readClientRequest(stand)).rejects.toThrow(ServerError)
  })
})
