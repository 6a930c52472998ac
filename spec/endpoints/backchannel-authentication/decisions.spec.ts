import { describe, expect, it } from '@jest/globals'
import { harness } from '../../support/servers/authorization-server.ts'
import { account, ask, asked, askers, backchannelServer, good, page, poll, waiting } from '../../support/servers/backchannel.ts'
import { outcome } from '../../support/servers/devices.ts'

const bob = { sub: 'bob', auth_time: 1_799_999_000 }

describe('the person’s page', () => {
  it('lists what waits for this person alone, the newest first', async () => {
    const { app, server, clock } = await backchannelServer()
    for (const binding_message of ['first', 'second']) {
      await asked(app, { ...good, binding_message })
      clock.now += 1000
    }
    await asked(app, { ...good, login_hint: 'bob', binding_message: 'for bob' })
    const messages = async (sub: string) => (await server.backchannel.pending({ sub })).map(request => request.binding_message)
    expect(await messages('alice')).toEqual(['second', 'first'])
    expect(await messages('bob')).toEqual(['for bob'])
    expect(await messages('mallory')).toEqual([])
  })

  it('lists nothing that is decided, expired, or of a client that is gone', async () => {
    const registered = new Map(askers().map(client => [client.client_id, client]))
    const { app, server, clock } = await backchannelServer({}, { clients: id => registered.get(id) })
    const ids = async () => (await server.backchannel.pending(account)).map(({ id }) => id)
    for (let request = 0; request < 3; request++) await asked(app)
    await asked(app, good, 'other')
    const [ofOther = '', approved = '', denied = '', late = ''] = await ids()
    expect(await server.backchannel.approve(page, approved, account)).toBe(true)
    expect(await server.backchannel.deny(page, denied, account)).toBe(true)
    expect(await ids()).toEqual([ofOther, late])
    registered.delete('other')
    expect(await ids()).toEqual([late])
    clock.now += 120_000
    expect(await ids()).toEqual([])
    for (const id of [approved, denied, late]) {
      expect(await server.backchannel.approve(page, id, account)).toBe(false)
      expect(await server.backchannel.deny(page, id, account)).toBe(false)
    }
  })

  it('has fifty of one client at most; the newcomer is refused, and no other client’s is pushed out', async () => {
    const { app, server, clock } = await backchannelServer()
    await asked(app, { ...good, binding_message: 'of the other' }, 'other')
    await Promise.all(Array.from({ length: 50 }, () => asked(app)))
    expect(new Set((await server.backchannel.pending(account)).map(({ id }) => id)).size).toBe(51)
    expect(outcome(await ask(app, good))).toBe('429 temporarily_unavailable')
    const listed = await server.backchannel.pending(account)
    expect(listed.at(-1)).toMatchObject({ binding_message: 'of the other' })
    await asked(app, good, 'other')
    // what was decided waits no more, nor does what has expired
    expect(await server.backchannel.deny(page, listed[0]?.id ?? '', account)).toBe(true)
    await asked(app)
    expect(outcome(await ask(app, good))).toBe('429 temporarily_unavailable')
    clock.now += 120_000
    await asked(app)
  })

  it('lets nobody decide for another', async () => {
    const server = await backchannelServer()
    const { auth_req_id } = await asked(server.app)
    const id = await waiting(server)
    expect(await server.server.backchannel.approve(page, id, bob)).toBe(false)
    expect(await server.server.backchannel.deny(page, id, bob)).toBe(false)
    expect(outcome(await poll(server.app, auth_req_id))).toBe('400 authorization_pending')
    expect(await server.server.backchannel.approve(page, id, account)).toBe(true)
  })

  it.each(['', 'x', '.', `${'A'.repeat(22)}.${'B'.repeat(43)}`, 'x'.repeat(100_000), '__proto__', '💩'])(
    'decides nothing called %.30s',
    async id => {
      const { server } = await backchannelServer()
      expect(await server.backchannel.approve(page, id, account)).toBe(false)
      expect(await server.backchannel.deny(page, id, account)).toBe(false)
    }
  )

  it('takes one decision of fifty, whichever they are', async () => {
    const server = await backchannelServer()
    const { auth_req_id } = await asked(server.app)
    const id = await waiting(server)
    const { backchannel } = server.server
    const decisions = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        index % 2 === 0 ? backchannel.deny(page, id, account) : backchannel.approve(page, id, account)
      )
    )
    expect(decisions.filter(Boolean)).toHaveLength(1)
    const denied = decisions.indexOf(true) % 2 === 0
    expect(outcome(await poll(server.app, auth_req_id))).toBe(denied ? '400 access_denied' : '200')
  })

  it('of a server that asks nobody has nothing on it', async () => {
    const { server } = await harness()
    expect(await server.backchannel.pending(account)).toEqual([])
    expect(await server.backchannel.approve(page, 'x', account)).toBe(false)
  })
})
