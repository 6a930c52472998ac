/** An ID Token of a pairwise client as a hint of whom to ask over the backchannel: it leads to the person, and only there. */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import { memoryStore, type PersonHint } from '../../lib/index.ts'
import { redeemed, token } from '../support/servers/authorization-server.ts'
import { life, lively } from '../support/servers/grant-life.ts'

const pairwise = (client_id: string, more = {}) =>
  lively(client_id, { subject_type: 'pairwise', sector_identifier_uri: `https://${client_id}.example`, ...more })

async function start() {
  const hints: PersonHint[] = []
  const backchannelAuthentication = {
    identify(hint: PersonHint) {
      hints.push(hint)
      return 'sub' in hint && hint.sub === 'alice' ? 'alice' : undefined
    }
  }
  const made = await life({ pairwiseSecret: 'p'.repeat(32), backchannelAuthentication })
  made.clients.set('web', pairwise('web')).set('other', pairwise('other'))
  const ask = (id_token_hint: string, client_id = 'web') =>
    token(made.app, client_id, { scope: 'openid', id_token_hint }, '/oauth2/bc-authorize')
  return { ...made, hints, ask }
}

describe('id_token_hint of a pairwise client at the backchannel endpoint', () => {
  it('reaches the application as the person’s own sub, expired or not', async () => {
    const { app, ask, hints, clock } = await start()
    const { id_token } = await redeemed(app, 'web', { scope: 'openid' })
    expect(decodeJwt(id_token).sub).not.toBe('alice')
    clock.now += 30 * 86_400_000
    expect((await ask(id_token)).status).toBe(200)
    expect(hints).toEqual([{ sub: 'alice' }])
  })

  it('of another client is none, and of a client that could not ask then leads to nobody', async () => {
    const { app, ask, hints, clients } = await start()
    const { id_token } = await redeemed(app, 'other', { scope: 'openid' })
    expect(await ask(id_token)).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    clients.set('web', pairwise('web', { grant_types: ['authorization_code'] }))
    const early = await redeemed(app, 'web', { scope: 'openid' })
    clients.set('web', pairwise('web'))
    expect(await ask(early.id_token)).toMatchObject({ status: 400, body: { error: 'unknown_user_id' } })
    expect(hints).toEqual([])
  })

  it('costs nobody else a step of the store', async () => {
    const store = memoryStore()
    const kinds: string[] = []
    const watched = new Proxy(store, {
      get: (target, name: keyof typeof store) =>
        name === 'set'
          ? (...given: Parameters<typeof store.set>) => {
              kinds.push(given[0].kind)
              return target.set(...given)
            }
          : target[name].bind(target)
    })
    const made = await life({ store: watched, clock: Date.now })
    await redeemed(made.app, 'web', { scope: 'openid' })
    expect(kinds).not.toContain('pairwise_subject')
  })
})
