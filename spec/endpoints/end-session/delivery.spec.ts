/** Telling clients that a session ended: what they answer, and what becomes of it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { guardedPost, type ServerEvent } from '../../../lib/index.ts'
import { memoryStore } from '../../../lib/stores/memory.ts'
import { clients, harness, redeemed, type Harness } from '../../support/servers/authorization-server.ts'
import {
  cut,
  endless,
  hang,
  logoutReceiver,
  redirectTo,
  type Answer,
  type LogoutReceiver
} from '../../support/servers/logout-receiver.ts'

let receiver: LogoutReceiver
beforeAll(async () => {
  receiver = await logoutReceiver()
})
afterAll(() => receiver.close())

const signedIn = (made: Harness, sid: string) => {
  made.person.account = { sub: 'alice', auth_time: made.clock.now / 1000 - 10, sid }
}

async function serverWith(change: object = {}, options: object = {}) {
  const events: ServerEvent[] = []
  const [web, ...others] = clients
  const made = await harness({
    clients: [{ ...web, client_id: 'web', backchannel_logout_uri: `${receiver.origin}/web`, ...change }, ...others],
    logout: { signOut: () => undefined, postJson: guardedPost({ allowLoopback: true, timeout: 500 }) },
    onEvent: event => events.push(event),
    ...options
  })
  const logouts = () => events.filter(({ type }) => type.startsWith('logout.'))
  const settled = async (milliseconds = 20_000) => {
    const end = Date.now() + milliseconds
    while (logouts().length === 0 && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 20))
    return logouts()
  }
  return { ...made, events, settled }
}

const secondTime = 1500

describe('a client that', () => {
  it.each<[string, readonly Answer[], object]>([
    ['answers 200', [200], { type: 'logout.delivered', attempts: 1 }],
    ['answers 204', [204], { type: 'logout.delivered', attempts: 1 }],
    ['answers 100 MB', [endless], { type: 'logout.delivered', attempts: 1 }],
    ['answers 400', [400], { type: 'logout.undelivered', attempts: 1, reason: 'it answered 400' }],
    ['answers 404', [404], { type: 'logout.undelivered', attempts: 1 }],
    [
      'redirects',
      [redirectTo('http://169.254.169.254/latest')],
      { type: 'logout.undelivered', attempts: 1, reason: 'it answered 307' }
    ],
    ['answers 503 and then 200', [503, 200], { type: 'logout.delivered', attempts: 2 }],
    ['cuts the connection and then answers 200', [cut, 200], { type: 'logout.delivered', attempts: 2 }],
    ['is silent and then answers 200', [hang, 200], { type: 'logout.delivered', attempts: 2 }],
    ['is down and then refuses', [500, 400], { type: 'logout.undelivered', attempts: 2, reason: 'it answered 400' }]
  ])('%s', async (_name, answers, outcome) => {
    const { app, server, settled, ...made } = await serverWith()
    signedIn({ app, server, ...made }, 's1')
    await redeemed(app)
    receiver.told.length = 0
    receiver.answers.set('/web', [...answers])
    const begun = performance.now()
    await server.logout.everywhere({ sid: 's1' })
    expect(performance.now() - begun).toBeLessThan(400)
    expect(await settled()).toEqual([expect.objectContaining({ client_id: 'web', sid: 's1', ...outcome })])
    // nobody is told again
    await new Promise(resolve => setTimeout(resolve, secondTime))
    expect(receiver.told).toHaveLength((outcome as { attempts: number }).attempts)
    expect(new Set(receiver.told.map(({ claims }) => claims.jti)).size).toBe(receiver.told.length)
  })

  it('is down is asked three times, and no more', async () => {
    const { app, server, settled, ...made } = await serverWith()
    signedIn({ app, server, ...made }, 's1')
    await redeemed(app)
    receiver.told.length = 0
    receiver.answers.set('/web', [500, cut, 503, 200])
    const begun = Date.now()
    await server.logout.everywhere({ sid: 's1' })
    expect(await settled(40_000)).toEqual([
      expect.objectContaining({ type: 'logout.undelivered', attempts: 3, reason: 'it answered 503' })
    ])
    expect(Date.now() - begun).toBeLessThan(40_000)
    expect(receiver.told).toHaveLength(3)
    receiver.answers.clear()
  }, 60_000)

  it.each(['http://10.0.0.1/logout', 'http://169.254.169.254/latest', 'https://[::ffff:10.0.0.1]/', 'http://public.example/'])(
    'registered %s is not asked',
    async backchannel_logout_uri => {
      // the registered address was let in, as it may be where names are looked up later
      const { app, server, settled, ...made } = await serverWith({ backchannel_logout_uri: 'https://10.0.0.1/' })
      signedIn({ app, server, ...made }, 's1')
      await redeemed(app)
      await server.logout.everywhere({ sid: 's1' })
      expect(await settled()).toEqual([expect.objectContaining({ type: 'logout.undelivered', attempts: 1 })])
      await expect(guardedPost()(backchannel_logout_uri, { headers: {}, body: new URLSearchParams() })).rejects.toThrow()
    }
  )

  it('answers one session at a time hears of each once, in spite of two processes', async () => {
    const store = memoryStore()
    const one = await serverWith({}, { store, clock: Date.now })
    const other = await serverWith({}, { store, clock: Date.now })
    one.person.account = { sub: 'alice', auth_time: Math.floor(Date.now() / 1000), sid: 'both' }
    await redeemed(one.app)
    receiver.told.length = 0
    await Promise.all([one.server.logout.everywhere({ sid: 'both' }), other.server.logout.everywhere({ sid: 'both' })])
    await receiver.reached(1)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(receiver.told).toHaveLength(1)
  })
})

describe('a store that fails', () => {
  it('is told to whoever ends the session, and nothing is lost by it', async () => {
    const store = memoryStore()
    let broken = false
    const failing = new Proxy(store, {
      get: (target, name: keyof typeof store) =>
        broken && name === 'add' ? () => Promise.reject(new Error('down')) : (Reflect.get(target, name) as unknown)
    })
    const made = await serverWith({}, { store: failing, clock: Date.now })
    made.person.account = { sub: 'alice', auth_time: Math.floor(Date.now() / 1000), sid: 's9' }
    await redeemed(made.app)
    receiver.told.length = 0
    broken = true
    await expect(made.server.logout.everywhere({ sid: 's9' })).rejects.toMatchObject({ status: 503 })
    broken = false
    await made.server.logout.everywhere({ sid: 's9' })
    await receiver.reached(1)
  })
})
