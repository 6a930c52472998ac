/** What one caller can make the example app's listeners hold, write into the log, or reach unasked. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from 'node:net'
import { pino } from 'pino'
import { memoryStore } from 'clientele'
import { checkConfig } from '../../example-app/config/config.ts'
import { serve, type Serving } from './in-process.ts'

let serving: Serving
let port: number
let neverEnding: Promise<{ answer: string; milliseconds: number }>
const lines: { level: string; msg: string; err?: object }[] = []

beforeAll(async () => {
  const formatters = { level: (level: string) => ({ level }) }
  const log = pino({ level: 'debug', formatters }, { write: line => void lines.push(JSON.parse(line) as (typeof lines)[number]) })
  const machine = { token_endpoint_auth_method: 'client_secret_post', grant_types: ['client_credentials'], response_types: [] }
  const clients = [{ ...machine, client_id: 'machine', client_secret: 'a secret of the machine' }]
  serving = await serve(
    () => ({ clients, tenants: [{ path: '/managed', clients, policy: { credentials_endpoint: true } }] }),
    memoryStore(),
    { log }
  )
  port = Number(new URL(serving.issuer).port)
  const begun = performance.now()
  // it takes ten seconds to be given up: the other specs need not wait for that
  neverEnding = exchange('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ').then(answer => ({
    answer,
    milliseconds: performance.now() - begun
  }))
})
afterAll(() => serving.close())

/** Sends these bytes; what came until the connection was closed. */
function exchange(bytes: string, breakOffAfter?: number): Promise<string> {
  return new Promise(resolve => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes)
      if (breakOffAfter !== undefined) setTimeout(() => socket.destroy(), breakOffAfter)
    })
    socket.on('data', chunk => (answer += String(chunk))).on('error', () => undefined)
    socket.on('close', () => resolve(answer))
  })
}

describe('a listener', () => {
  it('takes 32 KiB of headers and no more', async () => {
    const ask = (length: number) =>
      exchange(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Long: ${'x'.repeat(length)}\r\n\r\n`)
    expect(await ask(31_000)).toMatch(/^HTTP\/1\.1 200/)
    expect(await ask(33_500)).toMatch(/^HTTP\/1\.1 431/)
  })
})

describe('a form that breaks off', () => {
  it.each(['/login', '/consent', '/device', '/ciba', '/logout', '/account/revoke', '/oauth2/authorize'])(
    'is no error in the log, and nothing of it is written there: POST %s',
    async path => {
      lines.length = 0
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\n`
      await exchange(`${head}username=somebody`, 50)
      while (!lines.some(({ level }) => level === 'debug')) await new Promise(resolve => setTimeout(resolve, 10))
      expect(lines.filter(({ level, err }) => level === 'error' || level === 'warn' || err !== undefined)).toEqual([])
      expect(JSON.stringify(lines)).not.toContain('somebody')
    }
  )
})

describe('what is off until it is configured', () => {
  const manage = (base: string) =>
    fetch(`${base}/oauth2/credentials`, {
      method: 'POST',
      body: new URLSearchParams({ action: 'list', client_id: 'machine', client_secret: 'a secret of the machine' })
    })

  it('is the endpoint where clients manage their credentials', async () => {
    expect((await manage(serving.issuer)).status).toBe(404)
    expect((await manage(`${serving.issuer}/managed`)).status).toBe(200)
  })

  it('and what is on: 20 wrong secrets a minute', () => {
    const { policy } = checkConfig({ issuer: 'http://localhost:1' }, '.').settings
    expect([policy.failure_budget, policy.credentials_endpoint]).toEqual([{ attempts: 20, window: 60 }, false])
  })
})

describe('headers that never end', () => {
  it('are not waited for', async () => {
    const { answer, milliseconds } = await neverEnding
    expect(answer).toMatch(/^HTTP\/1\.1 408/)
    expect(milliseconds).toBeLessThan(20_000)
  })
})
