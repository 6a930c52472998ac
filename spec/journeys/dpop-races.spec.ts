/** One DPoP proof, used two hundred times at once: it is good for one request, whichever comes first. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { makeDpopKey, prove, type DpopKey } from '../support/clients/dpop.ts'
import { api, callback, secretParty } from '../support/journeys/clients.ts'
import type { FetchInit } from '../support/journeys/fetch.ts'
import { whoami } from '../support/journeys/openid-client.ts'
import { startServer, type RunningServer } from '../support/journeys/server.ts'

const party = secretParty('client_secret_post', 'racing', 'a secret of letters and spaces alone')
const racers = 200

let server: RunningServer
let key: DpopKey

beforeAll(async () => {
  server = await startServer({ clients: [party] })
  key = await makeDpopKey()
})
afterAll(() => server.close())

/** How often each answer came, by status and error code. */
async function race(url: string, init: FetchInit): Promise<Readonly<Record<string, number>>> {
  const fetch = server.fetchFor()
  const answers = await Promise.all(Array.from({ length: racers }, () => fetch(url, init)))
  const counts: Record<string, number> = {}
  for (const answer of answers) {
    const { error } = (await answer.json()) as { error?: string }
    const outcome = `${answer.status} ${error ?? ''}`.trim()
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

const credentials = { client_id: party.client_id, client_secret: party.secret }
const tokenForm = { ...credentials, grant_type: 'client_credentials', scope: 'api:read', resource: api }

async function proofFor(method: string, url: string, access_token?: string): Promise<string> {
  return prove(key, method, url, Date.now(), access_token === undefined ? {} : { access_token })
}

async function post(url: string, form: Readonly<Record<string, string>>): Promise<FetchInit> {
  return { method: 'POST', headers: { dpop: await proofFor('POST', url) }, body: new URLSearchParams(form) }
}

describe('one proof, two hundred times at once', () => {
  it('buys one token', async () => {
    const url = `${server.issuer}/oauth2/token`
    expect(await race(url, await post(url, tokenForm))).toEqual({ 200: 1, '400 invalid_dpop_proof': racers - 1 })
  })

  it('pushes one authorization request', async () => {
    const url = `${server.issuer}/oauth2/par`
    const form = { ...credentials, response_type: 'code', redirect_uri: callback, scope: 'api:read' }
    expect(await race(url, await post(url, form))).toEqual({ 201: 1, '400 invalid_dpop_proof': racers - 1 })
  })

  it('calls an API once', async () => {
    const tokenEndpoint = `${server.issuer}/oauth2/token`
    const bought = await server.fetchFor()(tokenEndpoint, await post(tokenEndpoint, tokenForm))
    const { access_token } = (await bought.json()) as { access_token: string }
    const url = whoami(server).href
    const headers = { authorization: `DPoP ${access_token}`, dpop: await proofFor('GET', url, access_token) }
    expect(await race(url, { headers })).toEqual({ 200: 1, '401 invalid_dpop_proof': racers - 1 })
  })
})
