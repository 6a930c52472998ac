import { describe, expect, it } from '@jest/globals'
import { Agent, request as send } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import express from 'express'
import { memoryStore, type Decision } from '../../lib/index.ts'
import { runs } from '../support/checks/runs.ts'
import { basic, harness, listening } from '../support/servers/authorization-server.ts'

const guesses = runs(10_000)
const guesser = '203.0.113.7'
const body = 'grant_type=client_credentials'

/** One token request over a connection that is kept, from wherever the proxy says. */
function ask(address: string, agent: Agent, from: string, authorization: string): Promise<{ status: number; retry: unknown }> {
  const headers = {
    Authorization: authorization,
    'X-Forwarded-For': from,
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': body.length
  }
  return new Promise((resolve, reject) => {
    const asked = send(`${address}/oauth2/token`, { method: 'POST', agent, headers }, response => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode ?? 0, retry: response.headers['retry-after'] }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** What is still in use after everything else was collected, in bytes. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}

describe(`${guesses} wrong secrets from one network`, () => {
  it('are looked at twenty times, take no memory, and keep nobody else out', async () => {
    let lookedAt = 0
    const onDecision = ({ client_id, checks }: Decision): void => {
      if (client_id === 'web' && checks.some(({ check, outcome }) => check === 'secret' && outcome === 'fail')) lookedAt++
    }
    const app = express().set('trust proxy', true)
    // one record more than fits would be refused with 503
    const store = memoryStore({ maxEntries: 400 })
    await harness({ store, onDecision, onError: () => undefined, guessProtection: {} }, app)
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    await listening(app, async address => {
      const statuses = new Map<number, number>()
      const guess = async (index: number): Promise<void> => {
        const { status, retry } = await ask(address, agent, guesser, basic('web', `guess ${index}`))
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        expect(retry === undefined).toBe(status !== 429)
      }
      const guessAll = async (first: number, count: number): Promise<void> => {
        for (let index = first; index < first + count; index += 8)
          await Promise.all(Array.from({ length: 8 }, (_, next) => guess(index + next)))
      }
      const first = guesses / 5
      await guessAll(0, first)
      const before = heapInUse()
      for (let done = first; done < guesses; done += 200) {
        await guessAll(done, 200)
        expect(await ask(address, agent, '203.0.113.8', basic('web'))).toEqual({ status: 200, retry: undefined })
      }
      // what is right is no way to find out either: that network waits
      expect((await ask(address, agent, guesser, basic('web'))).status).toBe(429)
      expect([...statuses.keys()].sort()).toEqual([401, 429])
      expect(lookedAt).toBe(statuses.get(401))
      // eight at once may be under way when the last tolerated one is counted
      expect(lookedAt).toBeLessThan(20 + 8)
      expect((statuses.get(401) ?? 0) + (statuses.get(429) ?? 0)).toBe(guesses)
      expect(heapInUse() - before).toBeLessThan(4_000_000)
    })
    agent.destroy()
  }, 120_000)
})
