/** A server that is killed between a logout and telling of it, and the one that comes after, on one store. */
import { expect } from '@jest/globals'
import { Browser } from '../../example-app/browser.ts'
import { freePort, startProcess, stop } from '../../example-app/running-server.ts'
import { alice, redeem, redirect_uri, through } from '../../example-app/visit.ts'
import { hang, logoutReceiver } from '../servers/logout-receiver.ts'

/** Every client is told once: the one that had its answer by the server that died, the other by the next. */
export async function killBetweenLogoutAndTelling(STORE_URL: string): Promise<void> {
  const receiver = await logoutReceiver()
  const issuer = `http://localhost:${await freePort()}`
  const client = (client_id: string) => ({
    ...{ client_id, token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri] },
    backchannel_logout_uri: `${receiver.origin}/${client_id}`
  })
  const settings = { issuer, clients: [client('web'), client('other')], accounts: [{ sub: 'u-alice', ...alice }] }
  const first = await startProcess(settings, { STORE_URL })
  const browser = new Browser()
  const { answer } = await through(browser, issuer)
  const { id_token } = await redeem(issuer, answer)
  await through(browser, issuer, { client_id: 'other' })
  // one has its answer before the server dies, the other has not
  receiver.answers.set('/other', [hang])
  const page = await browser.get(`${issuer}/oauth2/end_session?id_token_hint=${id_token}`)
  // the person had the answer although one receiver never gives any
  expect(page.status).toBe(200)
  await receiver.reached(2)
  await new Promise(resolve => setTimeout(resolve, 200))
  first.child.kill('SIGKILL')
  await first.ended
  receiver.told.length = 0
  const second = await startProcess(settings, { STORE_URL })
  await receiver.reached(1, 30_000)
  await new Promise(resolve => setTimeout(resolve, 1000))
  expect(receiver.told.map(({ path, claims }) => [path, claims.sub])).toEqual([['/other', 'u-alice']])
  await stop(second)
  await receiver.close()
}
