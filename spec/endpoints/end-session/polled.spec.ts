/** What a person allows for a device, or for a client that asks over the backchannel, belongs to the session they allow it in. */
import { describe, expect, it } from '@jest/globals'
import { decodeJwt } from 'jose'
import type { Account, AuthorizationServerOptions, ClientMetadata } from '../../../lib/index.ts'
import { OAuthError } from '../../../lib/index.ts'
import { userinfo, token } from '../../support/servers/authorization-server.ts'
import { asked, askers, backchannelServer, page, poll as pollAuthReqId } from '../../support/servers/backchannel.ts'
import { begun, devices, deviceServer, poll } from '../../support/servers/devices.ts'

const account = (sid: string): Account => ({ sub: 'alice', auth_time: 1_799_999_000, sid })
const scope = 'openid'

interface Told {
  readonly url: string
  readonly claims: Readonly<Record<string, unknown>>
}

function telling(): { readonly told: Told[]; readonly options: Partial<AuthorizationServerOptions> } {
  const told: Told[] = []
  const logout: AuthorizationServerOptions['logout'] = {
    signOut: () => undefined,
    postJson: (url, { body }) => {
      told.push({ url, claims: decodeJwt((body as URLSearchParams).get('logout_token') ?? '') })
      return Promise.resolve(200)
    }
  }
  return { told, options: { logout, refreshTokens: 'registered' } }
}

/** Nobody who signs out waits for the clients that are told. */
async function isTold(told: readonly Told[]): Promise<void> {
  while (told.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
}

const withAddress = (list: readonly ClientMetadata[]) =>
  list.map(client => (client.client_id === 'web' ? { ...client, backchannel_logout_uri: 'https://web.example/out' } : client))

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

/** What each of the two is given by a person in a session, and a way to allow one more. */
const flows = {
  async device(asking: string) {
    const { told, options } = telling()
    const h = await deviceServer({ ...options, clients: withAddress(devices) })
    const allow = async (sid: string) => {
      const { device_code, user_code } = await begun(h.app, 'web', { scope: asking })
      const allowed = await h.server.device.approve(user_code, account(sid))
      return { allowed, collect: () => poll(h.app, device_code) }
    }
    return { ...h, told, allow }
  },
  async backchannel(asking: string) {
    const { told, options } = telling()
    const h = await backchannelServer({}, { ...options, clients: withAddress(askers()) })
    const allow = async (sid: string) => {
      const { auth_req_id } = await asked(h.app, { scope: asking, login_hint: 'alice@example.com' })
      const [waiting] = await h.server.backchannel.pending({ sub: 'alice' })
      const allowed = await h.server.backchannel.approve(page, waiting?.id ?? '', account(sid))
      return { allowed, collect: () => pollAuthReqId(h.app, auth_req_id) }
    }
    return { ...h, told, allow }
  }
}

describe.each(Object.entries(flows))('the grant of a %s request', (_, start) => {
  const refresh = (refresh_token: string) => ({ grant_type: 'refresh_token', refresh_token })

  it('has the session in its ID Token, ends with it, and its client is told', async () => {
    const { app, server, allow, told } = await start(scope)
    const { collect } = await allow('s1')
    const tokens = (await collect()).body as Tokens
    expect(decodeJwt(tokens.id_token)['sid']).toBe('s1')
    const refreshed = await token(app, 'web', refresh(tokens.refresh_token))
    expect(refreshed.status).toBe(200)
    await server.logout.everywhere({ sid: 'another' })
    expect((await userinfo(app, tokens.access_token)).status).toBe(200)
    await server.logout.everywhere({ sid: 's1' })
    expect((await userinfo(app, tokens.access_token)).status).toBe(401)
    const { refresh_token } = refreshed.body as Tokens
    expect((await token(app, 'web', refresh(refresh_token))).body).toMatchObject({ error: 'invalid_grant' })
    await isTold(told)
    expect(told).toEqual([{ url: 'https://web.example/out', claims: expect.objectContaining({ sub: 'alice', sid: 's1' }) }])
  })

  it('goes on with offline_access, and its client is told all the same', async () => {
    const { app, server, allow, told } = await start(`${scope} offline_access`)
    const tokens = (await (await allow('s1')).collect()).body as Tokens
    await server.logout.everywhere({ sid: 's1' })
    expect((await token(app, 'web', refresh(tokens.refresh_token))).status).toBe(200)
    await isTold(told)
    expect(told).toHaveLength(1)
  })

  it('is not there for a session that ends before it is collected', async () => {
    const { server, allow } = await start(scope)
    const { allowed, collect } = await allow('s1')
    expect(allowed).toBe(true)
    await server.logout.everywhere({ sid: 's1' })
    expect((await collect()).body).toMatchObject({ error: 'invalid_grant' })
  })

  it('is not given in a session that has ended', async () => {
    const { server, allow } = await start(scope)
    await allow('s1')
    await server.logout.everywhere({ sid: 's1' })
    await expect(allow('s1')).rejects.toThrow(OAuthError)
  })
})
