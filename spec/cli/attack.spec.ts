/** `clientele attack`: whom it attacks, and how it reports. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { AttackReport } from '../../lib/testing/attacks.ts'
import { clientele } from './terminal.ts'

const secret = 'Zx8Q2mV7rT4kLp9sWd3nHy6uJb1cFg5e'
const env = { CLIENT_SECRET: secret }
let server: Server
let issuer: string

// knows its client, and looks at nothing else
beforeAll(async () => {
  server = createServer((req, res) => {
    const isMetadata = req.url?.includes('well-known') === true
    void text(req).then(() => {
      const isClient = req.headers.authorization === `Basic ${Buffer.from(`app:${secret}`).toString('base64')}`
      const body = isMetadata
        ? { issuer, token_endpoint: `${issuer}/<token>` }
        : isClient
          ? { access_token: 'x' }
          : { error: 'invalid_client' }
      res.writeHead(isMetadata || isClient ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const attack = (...more: string[]) => clientele(['attack', issuer, '--client-id', 'app', '--rate', '100', ...more], '', env)

describe('a report', () => {
  it('names what was let through, as text, JSON and HTML', async () => {
    const { code, out } = await attack('--format', 'json')
    const { sent, findings, notApplicable } = JSON.parse(out) as AttackReport
    expect(code).toBe(1)
    expect(sent).toBeGreaterThan(50)
    expect(findings.map(({ name }) => name)).toContain('token: by PUT')
    expect(out).not.toContain(secret)
    const html = await attack('--format', 'html')
    expect(html.out).toMatch(/^<!doctype html>/)
    const text = await attack()
    expect(text.out).toMatch(/ \d+ of \d+ were let through \(\d+ errors, \d+ warnings?\); \d+ do not apply\n$/)
    // what does not apply is in all three, with why
    const reason = 'the metadata has no introspection_endpoint'
    expect(notApplicable).toContainEqual({ name: 'introspection: by GET', section: 'RFC 7662 §2.1', reason })
    expect(text.out).toMatch(/^not applicable:$/m)
    expect(text.out).toContain(`   5 ${reason}\n`)
    expect(html.out).toContain(`<summary>5: ${reason}</summary><ul><li>introspection: without a client</li>`)
  }, 60_000)
})

it.each([
  [['ftp://x', '--client-id', 'a'], 'URL must be an http or https URL'],
  [['https://as.example.com', '--client-id', 'a'], 'as.example.com is not this machine: say --yes where the server is yours'],
  [['http://127.0.0.1.attacker.example', '--client-id', 'a'], 'is not this machine'],
  [['http://127.0.0.1:1', '--client-id', 'a'], 'could not attack http://127.0.0.1:1'],
  [['http://127.0.0.1:1'], '--client-id must be given'],
  [['http://127.0.0.1:1', '--client-id', 'a', '--rate', '0'], '--rate must be'],
  [['http://127.0.0.1:1', '--client-id', 'a', '--rate', '1000'], '--rate must be'],
  [['http://127.0.0.1:1', '--client-id', 'a', '--method', 'private_key_jwt'], '--key must be given'],
  [['http://127.0.0.1:1', '--client-id', 'a', '--method', 'private_key_jwt', '--key', 'package.json'], '--key must be the path']
])('sends nothing for %j', async (given, reason) => {
  const { code, out, err } = await clientele(['attack', ...given], '', env)
  expect([code, out]).toEqual([2, ''])
  expect(err).toContain(reason)
})

it('needs the secret, and takes it from nowhere else', async () => {
  expect((await clientele(['attack', issuer, '--client-id', 'app'])).err).toContain('CLIENT_SECRET must be set')
})
