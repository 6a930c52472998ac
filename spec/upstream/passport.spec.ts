/** What Passport 0.7 does, as far as this library builds on it or around it. */
import { describe, expect, it } from '@jest/globals'
import type { Request } from 'express'
import passport, { type StrategyCreated } from 'passport'
import request from 'supertest'
import { InvalidClientError } from '../../lib/errors.ts'
import { options, passportApp } from './passport-app.ts'

type Actions = StrategyCreated<passport.Strategy>

/** A strategy that is one function; `this` has Passport's callbacks. */
class Acting extends passport.Strategy {
  override readonly name: string
  private readonly act: (actions: Actions, req: Request) => unknown

  constructor(name: string, act: (actions: Actions, req: Request) => unknown) {
    super()
    this.name = name
    this.act = act
  }

  override authenticate(req: Request): unknown {
    return this.act(this, req)
  }
}

const none = new Acting('none', actions => actions.success({ client_id: 'anyone' }))
const quarterSecond = 250

describe('a strategy called while another request is under way', () => {
  /** Answers nobody before two requests have come; then each with the client it named. */
  const waiting = () => {
    const answers: (() => void)[] = []
    let arrive: () => void = () => undefined
    const arrival = new Promise<void>(resolve => (arrive = resolve))
    const strategy = new Acting('waiting', (actions, req) => {
      answers.push(() => actions.success({ client_id: req.query['client_id'] }))
      arrive()
      if (answers.length === 2) for (const answer of answers) answer()
    })
    return { strategy, arrival }
  }
  const callTwice = async (byName: boolean) => {
    const { strategy, arrival } = waiting()
    const app = passportApp({ strategies: [strategy], use: byName ? 'waiting' : strategy })
    const first = request(app)
      .get('/?client_id=first')
      .timeout(quarterSecond)
      .then(
        ({ body }) => body as unknown,
        () => 'no answer'
      )
    await arrival
    const second = await request(app).get('/?client_id=second')
    return { first: await first, second: second.body as unknown }
  }

  it('by name answers each request with its own client', async () => {
    expect(await callTwice(true)).toEqual({
      first: { client: { client_id: 'first' } },
      second: { client: { client_id: 'second' } }
    })
  })

  it('as an instance answers the second request with the client of the first', async () => {
    expect(await callTwice(false)).toEqual({ first: 'no answer', second: { client: { client_id: 'first' } } })
  })
})

describe('the object a strategy runs on', () => {
  class WithHashPrivate extends passport.Strategy {
    override readonly name = 'hash'
    override authenticate(): void {
      const actions = this as unknown as Actions
      actions.success({ client_id: this.#clientId() })
    }
    #clientId() {
      return 'hash'
    }
  }
  class WithPrivate extends passport.Strategy {
    override readonly name = 'private'
    private readonly clientId = 'private'
    override authenticate(): void {
      const actions = this as unknown as Actions
      actions.success({ client_id: this.clientId })
    }
  }
  const strategies = [new WithHashPrivate(), new WithPrivate()]

  it('has no #private members when the strategy is called by name', async () => {
    const errors: unknown[] = []
    const onError = (error: unknown) => errors.push(error)
    await request(passportApp({ strategies, use: 'hash', onError }))
      .get('/')
      .expect(500)
    expect(errors).toEqual([expect.any(TypeError)])
  })

  it('has them when the instance is called', async () => {
    const { body } = await request(passportApp({ strategies, use: new WithHashPrivate() })).get('/')
    expect(body).toEqual({ client: { client_id: 'hash' } })
  })

  it("has TypeScript's private members either way", async () => {
    const { body } = await request(passportApp({ strategies, use: 'private' })).get('/')
    expect(body).toEqual({ client: { client_id: 'private' } })
  })

  it('is a fresh one for every request, whose prototype is the strategy', async () => {
    const seen: object[] = []
    const strategy = new Acting('seen', actions => {
      seen.push(actions)
      actions.success({ client_id: 'a' })
    })
    const app = passportApp({ strategies: [strategy], use: 'seen' })
    await request(app).get('/')
    await request(app).get('/')
    expect(new Set(seen).size).toBe(2)
    for (const each of seen) expect(Object.getPrototypeOf(each)).toBe(strategy)
    expect(Object.keys(strategy)).not.toContain('success')
  })
})

describe('fail', () => {
  const failing = (...challenge: unknown[]) =>
    new Acting('failing', actions => Reflect.apply(actions.fail, actions, challenge) as unknown)

  it('lets the next strategy of the list authenticate the same request', async () => {
    const { status, body } = await request(passportApp({ strategies: [failing('Basic realm="a"'), none] })).get('/')
    expect([status, body]).toEqual([200, { client: { client_id: 'anyone' } }])
  })

  it('ends in 401 and the status text when no strategy is left', async () => {
    const { status, text, headers } = await request(passportApp({ strategies: [failing()] })).get('/')
    expect([status, text]).toEqual([401, 'Unauthorized'])
    expect(headers).not.toHaveProperty('content-type')
  })

  it('makes challenges of strings', async () => {
    const { headers } = await request(passportApp({ strategies: [failing('Basic realm="a"')] })).get('/')
    expect(headers['www-authenticate']).toBe('Basic realm="a"')
  })

  it('loses objects', async () => {
    const challenge = { error: 'invalid_client', message: 'no such client' }
    const { status, text, headers } = await request(passportApp({ strategies: [failing(challenge)] })).get('/')
    expect([status, text]).toEqual([401, 'Unauthorized'])
    expect(headers).not.toHaveProperty('www-authenticate')
  })

  it('tells failWithError nothing but the status and its text', async () => {
    const errors: Error[] = []
    const onError = (error: unknown) => errors.push(error as Error)
    const challenge = { error: 'invalid_client', message: 'no such client' }
    await request(
      passportApp({ strategies: [failing(challenge, 400)], options: { ...options, failWithError: true }, onError })
    ).get('/')
    expect(errors.map(error => Object.getOwnPropertyNames(error).sort())).toEqual([['message', 'name', 'stack', 'status']])
    expect(errors[0]).toMatchObject({ name: 'AuthenticationError', message: 'Bad Request', status: 400 })
  })
})

describe('error', () => {
  const refused = new InvalidClientError({ headers: { 'WWW-Authenticate': 'Basic realm="a"' } })
  const refusing = new Acting('refusing', actions => actions.error(refused))

  it('stops the list, and hands the very error to next', async () => {
    const errors: unknown[] = []
    const onError = (error: unknown) => errors.push(error)
    await request(passportApp({ strategies: [refusing, none], onError }))
      .get('/')
      .expect(401)
    expect(errors).toEqual([refused])
    expect(errors[0]).toBe(refused)
  })

  it("keeps the error's status and headers in plain Express, without any error handler", async () => {
    const { status, headers } = await request(passportApp({ strategies: [refusing, none] })).get('/')
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('Basic realm="a"')
  })
})

describe('pass', () => {
  it('lets the request through without a client', async () => {
    const { status, body } = await request(passportApp({ strategies: [new Acting('passing', actions => actions.pass())] })).get(
      '/'
    )
    expect([status, body]).toEqual([200, { client: null }])
  })
})

describe('an async authenticate', () => {
  it('that rejects leaves the request without an answer, in Express 5 too', async () => {
    const rejections: unknown[] = []
    const strategy = new Acting('async', () => {
      const outcome = Promise.reject(new Error('the store is down'))
      // somebody has to handle it, or the process would end; neither Passport nor Express does
      outcome.catch((error: unknown) => rejections.push(error))
      return outcome
    })
    await expect(
      request(passportApp({ strategies: [strategy] }))
        .get('/')
        .timeout(quarterSecond)
    ).rejects.toThrow(/Timeout/)
    expect(rejections).toEqual([new Error('the store is down')])
  })
})

describe('success', () => {
  const client = { client_id: 'billing' }
  const succeeding = new Acting('succeeding', actions => actions.success(client, { scope: 'read' }))
  const propertiesAfter = async (use: NonNullable<Parameters<typeof passportApp>[0]['options']>) => {
    const seen: Record<string, unknown>[] = []
    const app = passportApp({
      strategies: [succeeding],
      options: use,
      handler: (req, res) => {
        const {
          user,
          authInfo,
          authenticatedClient,
          client: nodesClient
        } = req as Request & { client?: unknown; authenticatedClient?: unknown }
        seen.push({ user, authInfo, authenticatedClient, clientIsSocket: nodesClient === req.socket })
        res.end()
      }
    })
    const { status } = await request(app).get('/')
    return { status, ...seen[0] }
  }

  it('with the options of this library sets authenticatedClient and nothing else', async () => {
    expect(await propertiesAfter(options)).toEqual({
      status: 200,
      authenticatedClient: client,
      user: undefined,
      authInfo: undefined,
      clientIsSocket: true
    })
  })

  it('without authInfo: false sets authInfo too', async () => {
    expect(await propertiesAfter({ session: false, assignProperty: 'authenticatedClient' })).toMatchObject({
      authInfo: { scope: 'read' }
    })
  })

  it('without assignProperty makes the client the user', async () => {
    expect(await propertiesAfter({ session: false })).toMatchObject({ user: client, authenticatedClient: undefined })
  })

  it('without session: false and assignProperty wants a session', async () => {
    expect(await propertiesAfter({})).toEqual({ status: 500 })
  })

  it("with assignProperty: 'client' overwrites the name Node has for the socket", async () => {
    expect(await propertiesAfter({ session: false, assignProperty: 'client' })).toMatchObject({ clientIsSocket: false })
  })
})
