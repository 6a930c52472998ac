/** A server that is killed between a logout and telling of it: the next one tells. */
import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hang, logoutReceiver } from '../support/servers/logout-receiver.ts'
import { Browser } from './browser.ts'
import { freePort, startProcess, stop } from './running-server.ts'
import { alice, redeem, redirect_uri, through } from './visit.ts'

const folder = mkdtempSync(join(tmpdir(), 'clientele-logout-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('kill -9 after a logout', () => {
  it('every client is told once by the server that comes after', async () => {
    const receiver = await logoutReceiver()
    const issuer = `http://localhost:${await freePort()}`
    const client = (client_id: string) => ({
      ...{ client_id, token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] },
      backchannel_logout_uri: `${receiver.origin}/${client_id}`
    })
    const settings = { issuer, clients: [client('web'), client('other')], accounts: [{ sub: 'u-alice', ...alice }] }
    const env = { STORE_URL: `sqlite:${join(folder, 'state.db')}` }
    const first = await startProcess(settings, env)
    const browser = new Browser()
    const { answer } = await through(browser, issuer)
    const { id_token } = await redeem(issuer, answer)
    await through(browser, issuer, { client_id: 'other' })
    // one has its answer before the server dies, the other has not
    receiver.answers.set('/other', [hang])
    const begun = Date.now()
    const page = await browser.get(`${issuer}/oauth2/end_session?id_token_hint=${id_token}`)
    expect([page.status, Date.now() - begun < 2000]).toEqual([200, true])
    await receiver.reached(2)
    await new Promise(resolve => setTimeout(resolve, 200))
    first.child.kill('SIGKILL')
    await first.ended
    receiver.told.length = 0
    const second = await startProcess(settings, env)
    await receiver.reached(1, 30_000)
    await new Promise(resolve => setTimeout(resolve, 1000))
    expect(receiver.told.map(({ path, claims }) => [path, claims.sub])).toEqual([['/other', 'u-alice']])
    await stop(second)
    await receiver.close()
  }, 60_000)
})
