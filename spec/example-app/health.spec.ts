import { describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { healthRoutes } from '../../example-app/health.ts'
import { memoryStore } from '../../lib/index.ts'

const ask = async (store: ReturnType<typeof memoryStore>) => {
  const app = express().use(healthRoutes(store))
  const [health, ready] = await Promise.all([request(app).get('/healthz'), request(app).get('/readyz')])
  expect([health.headers['cache-control'], ready.headers['cache-control']]).toEqual(['no-store', 'no-store'])
  return { health: health.status, ready: [ready.status, ready.body] }
}

describe('health', () => {
  it('is good, and so is readiness, while the store answers', async () => {
    expect(await ask(memoryStore())).toEqual({ health: 200, ready: [200, { status: 'ready' }] })
  })

  it('stays good without a store, and readiness does not', async () => {
    const store = memoryStore()
    await store.close()
    expect(await ask(store)).toEqual({ health: 200, ready: [503, { status: 'store not answering' }] })
  })

  it('does not wait for a store that is silent', async () => {
    const silent = { ...memoryStore(), get: () => new Promise<undefined>(() => undefined) }
    expect(await ask(silent as ReturnType<typeof memoryStore>)).toMatchObject({ health: 200, ready: [503, expect.anything()] })
  })
})
