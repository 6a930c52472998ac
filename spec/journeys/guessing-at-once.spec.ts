import { describe, expect, it } from '@jest/globals'
import { Agent, request as ask } from 'node:http'
import express from 'express'
import { memoryStore, type AuthorizationServerOptions, type ClientMetadata, type Decision, type Store } from '../../lib/index.ts'
import { runs } from '../support/checks/runs.ts'
import { cheapHash } from '../support/clients/cheap-hash.ts'
import { basic, clients, harness, listening } from '../support/servers/authorization-server.ts'
import { endpoint, initialAccessToken, register, registrationHarness } from '../support/servers/registration.ts'
import { slowStore } from '../support/servers/slow-store.ts'

const body = 'grant_type=client_credentials'
const attempts = 20
/** Wrong secrets, at once. */
const many = runs(1000)

interface Sent {
  readonly address: string
  readonly headers: Record<string, string>
  readonly method?: string
  readonly path?: string
}

function statusOf({ address, headers, method = 'POST', path = '/oauth2/token' }: Sent, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = ask(`${address}${path}`, { method, agent, headers }, response => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? body : undefined)
  })
}

const form = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': String(body.length) }

/** Sends all of them at once, and says how often which status came. */
async function all(sent: readonly Sent[]): Promise<Record<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  const statuses = await Promise.all(sent.map(one => statusOf(one, agent)))
  agent.destroy()
  const counts: Record<number, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** A server that counts how many secrets it really compared and found wrong. */
async function guarded(store: Store, options: Partial<AuthorizationServerOptions> = {}) {
  const judged = { wrong: 0 }
  const onDecision = ({ checks }: Decision): void => {
    if (checks.some(({ check, outcome }) => (check === 'secret' || check === 'client') && outcome === 'fail')) judged.wrong++
  }
  const app = express()
  await harness({ store, clock: Date.now, onDecision, guessProtection: { attempts, window: 60 }, ...options }, app)
  return { app, judged }
}

const wrong = (address: string, count: number, id = 'web'): Sent[] =>
  Array.from({ length: count }, (_, index) => ({ address, headers: { ...form, Authorization: basic(id, `guess ${index}`) } }))

describe(`${many} wrong secrets at once, twenty allowed`, () => {
  it.each([0, 2, 20])(
    'are looked at twenty times with a store %i ms away',
    async delay => {
      const { app, judged } = await guarded(slowStore(delay).store)
      await listening(app, async address => {
        expect(await all(wrong(address, many))).toEqual({ 401: attempts, 429: many - attempts })
        expect(judged.wrong).toBe(attempts)
      })
    },
    60_000
  )

  it('also where the client does not exist', async () => {
    const { app, judged } = await guarded(slowStore(2).store)
    await listening(app, async address => {
      expect(await all(wrong(address, 300, 'nobody'))).toEqual({ 401: attempts, 429: 300 - attempts })
      expect(judged.wrong).toBe(attempts)
    })
  }, 60_000)

  it('are looked at two hundred times over many clients: that is what a network has', async () => {
    const { app, judged } = await guarded(slowStore(2).store)
    await listening(app, async address => {
      const sent = Array.from({ length: 500 }, (_, index) => wrong(address, 1, `nobody-${index}`)).flat()
      expect(await all(sent)).toEqual({ 401: 10 * attempts, 429: 500 - 10 * attempts })
      expect(judged.wrong).toBe(500)
      // nobody is locked out by a neighbour
      expect(await all([{ address, headers: { ...form, Authorization: basic('web') } }])).toEqual({ 200: 1 })
      // but a client of that network can be guessed at no further than any
      const before = judged.wrong
      expect(await all(wrong(address, 100))).toEqual({ 429: 100 })
      expect(judged.wrong - before).toBe(attempts)
    })
  }, 60_000)

  it('are looked at twenty times by each process, and one after the other twenty-two times by three', async () => {
    const store = memoryStore()
    const nodes = await Promise.all([1, 2, 3].map(() => guarded(slowStore(2, store).store)))
    const judged = () => nodes.reduce((sum, node) => sum + node.judged.wrong, 0)
    const serve = (rest: typeof nodes, addresses: readonly string[], run: (addresses: readonly string[]) => Promise<void>) => {
      const [node, ...more] = rest
      if (node === undefined) return run(addresses)
      return listening(node.app, async (address): Promise<void> => serve(more, [...addresses, address], run))
    }
    await serve(nodes, [], async addresses => {
      for (let round = 0; round < 15; round++) for (const address of addresses) await all(wrong(address, 1))
      expect(judged()).toBeLessThanOrEqual(attempts + 2)
      await all(addresses.flatMap(address => wrong(address, 100, 'other')))
      expect(judged()).toBeLessThanOrEqual(attempts + 2 + 3 * attempts)
    })
  }, 60_000)
})

describe('right secrets', () => {
  it('ask the store nothing for it, however many come at once', async () => {
    const { store, asked } = slowStore(2)
    const { app } = await guarded(store, { credentials: { maxAge: 3600 } })
    await listening(app, async address => {
      const right = { address, headers: { ...form, Authorization: basic('web') } }
      expect(await all(Array.from({ length: 300 }, () => right))).toEqual({ 200: 300 })
      expect(asked.filter(one => one.includes('guesses'))).toEqual([])
    })
  }, 60_000)

  it('go through beside as many wrong ones as are tolerated', async () => {
    const { app } = await guarded(slowStore(2).store)
    await listening(app, async address => {
      const right = { address, headers: { ...form, Authorization: basic('web') } }
      const sent = [...wrong(address, attempts - 1), ...Array.from({ length: 100 }, () => right)]
      expect(await all(sent)).toEqual({ 200: 100, 401: attempts - 1 })
    })
  }, 60_000)
})

describe('tokens of registration', () => {
  it('an initial access token is looked at twenty times', async () => {
    let judged = 0
    const registration = {
      access: 'token' as const,
      initialAccessTokens: [],
      checkInitialAccessToken: async (token: string) => {
        judged++
        await new Promise(resolve => setTimeout(resolve, 5))
        return token === initialAccessToken
      }
    }
    const store = slowStore(2).store
    const { app } = await registrationHarness(registration, { store, guessProtection: { attempts, window: 60 } }, express())
    await listening(app, async address => {
      const sent = Array.from({ length: 300 }, (_, index) => ({
        address,
        path: endpoint,
        headers: { 'Content-Length': String(body.length), Authorization: `Bearer guess-${index}` }
      }))
      expect(await all(sent)).toEqual({ 401: attempts, 429: 300 - attempts })
      expect(judged).toBe(attempts)
    })
  }, 60_000)

  it('so is the registration access token of a client, and of one that is not there', async () => {
    const store = slowStore(2).store
    const { app } = await registrationHarness({}, { store, guessProtection: { attempts, window: 60 } }, express())
    const { registration_client_uri } = await register(app)
    await listening(app, async address => {
      for (const path of [new URL(registration_client_uri).pathname, `${endpoint}/${'0'.repeat(32)}`]) {
        const sent = Array.from({ length: 100 }, (_, index) => ({
          address,
          path,
          method: 'GET',
          headers: { Authorization: `Bearer guess-${index}` }
        }))
        expect(await all(sent)).toEqual({ 401: attempts, 429: 100 - attempts })
      }
    })
  }, 60_000)
})

// last: from then on this process computes as much for every wrong secret, so that nobody sees which ones are kept so
describe('forty wrong secrets at once, three allowed', () => {
  it('are looked at no more often where the secret is kept as scrypt makes it', async () => {
    const credentials = [{ type: 'secret', id: 'old', hash: cheapHash('correct horse') }] as const
    const human: ClientMetadata = { client_id: 'human', grant_types: ['client_credentials'], credentials }
    const { app, judged } = await guarded(slowStore(2).store, {
      clients: [...clients, human],
      guessProtection: { attempts: 3, window: 60 }
    })
    await listening(app, async address => {
      expect(await all(wrong(address, 40, 'human'))).toEqual({ 401: 3, 429: 37 })
      expect(judged.wrong).toBe(3)
    })
  }, 60_000)
})
