import { describe, expect, it } from '@jest/globals'
import { generateKeys } from '../../lib/index.ts'
import {
  findBackchannelRequest,
  keepBackchannelRequest,
  nameOf,
  notificationOf,
  waitingFor
} from '../../lib/codes/backchannel-request.ts'
import { tokens } from '../tokens/server.ts'

const asked = (now: number, change: object = {}) => ({
  client_id: 'web',
  sub: 'alice',
  scope: ['openid'],
  resources: [],
  acr_values: [],
  requested_at: now,
  expires_at: now + 60_000,
  interval: 5,
  delivery: 'poll' as const,
  auth_method: 'client_secret_basic',
  ...change
})

describe('a backchannel request', () => {
  it('is found by its name, by its person alone', async () => {
    const { server, clock } = await tokens()
    const { auth_req_id, found } = await keepBackchannelRequest(server, asked(clock.now), undefined)
    const name = nameOf(found.reference)
    expect(name).not.toContain(auth_req_id.split('.')[1])
    expect(await findBackchannelRequest(server, name, 'alice')).toEqual(found)
    for (const stranger of ['bob', '', 'Alice', 'alice\n'])
      expect(await findBackchannelRequest(server, name, stranger)).toBeUndefined()
    expect(await findBackchannelRequest(server, auth_req_id, 'alice')).toBeUndefined()
  })

  it('has a token to be told with, which only this server can read', async () => {
    const { server, clock } = await tokens()
    const { auth_req_id, found } = await keepBackchannelRequest(server, asked(clock.now, { delivery: 'ping' }), 'the token')
    expect(notificationOf(server, found.request)).toEqual({ auth_req_id, client_notification_token: 'the token' })
    const other = await tokens({ keys: await generateKeys(['ES256']) })
    expect(() => notificationOf(other.server, found.request)).toThrow('the server met an error')
    expect(notificationOf(server, asked(clock.now))).toBeUndefined()
  })

  it('leaves the list with its time, whatever came before and after it', async () => {
    const { server, clock } = await tokens()
    const keep = (life: number) => keepBackchannelRequest(server, asked(clock.now, { expires_at: clock.now + life }), undefined)
    const long = await keep(120_000)
    const short = await keep(10_000)
    expect((await waitingFor(server, 'alice')).map(({ reference }) => reference)).toEqual([
      short.found.reference,
      long.found.reference
    ])
    clock.now += 10_000
    await keep(1000)
    clock.now += 1000
    expect((await waitingFor(server, 'alice')).map(({ reference }) => reference)).toEqual([long.found.reference])
    clock.now += 109_000
    expect(await waitingFor(server, 'alice')).toEqual([])
  })
})
