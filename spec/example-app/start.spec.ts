import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { configFile, freePort, node, npm, run, startProcess, stop, type RunningServer } from './running-server.ts'

const secret = 'a-secret-nobody-may-read-in-logs'
const basic = { authorization: `Basic ${Buffer.from(`machine:${secret}`).toString('base64')}` }

function settings(port: number): object {
  const clients = [{ client_id: 'machine', client_secret: secret, grant_types: ['client_credentials'], scope: 'api:read' }]
  const accounts = [{ sub: 'u-alice', username: 'alice', password: 'wonderland' }]
  return {
    issuer: `http://localhost:${port}`,
    clients,
    accounts,
    tenants: [
      { path: '/acme/banking', clients: [{ client_id: 'teller', client_secret: secret, grant_types: ['client_credentials'] }] }
    ]
  }
}

function tokenRequest(url: string, headers: Record<string, string> = basic): Promise<Response> {
  return fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ grant_type: 'client_credentials' })
  })
}

describe('a running server', () => {
  let port: number
  let issuer: string
  let server: RunningServer

  beforeAll(async () => {
    port = await freePort()
    issuer = `http://localhost:${port}`
    server = await startProcess(settings(port), { LOG_LEVEL: 'debug' })
  })
  afterAll(() => stop(server))

  it('says that it is ready, with its issuer, in one line', () => {
    const lines = server
      .stdout()
      .split('\n')
      .filter(line => line.includes('ready') && line.includes(issuer))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ issuer, msg: 'ready' })
  })

  it.each(['127.0.0.1', '[::1]', 'localhost'])('answers on %s', async host => {
    expect((await fetch(`http://${host}:${port}/healthz`)).status).toBe(200)
    expect((await fetch(`http://${host}:${port}/readyz`)).status).toBe(200)
  })

  it('has health and readiness per tenant', async () => {
    expect((await fetch(`${issuer}/acme/banking/healthz`)).status).toBe(200)
    expect((await fetch(`${issuer}/acme/banking/readyz`)).status).toBe(200)
  })

  it.each(['/', '/acme/banking', '/nothing/here', '/healthz', '/.well-known/openid-configuration', '/assets/style.css'])(
    'sends no X-Powered-By and cannot be framed: %s',
    async path => {
      const { headers } = await fetch(issuer + path)
      expect(headers.get('x-powered-by')).toBeNull()
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/)
    }
  )

  it('has a page for addresses that lead nowhere', async () => {
    const page = await fetch(`${issuer}/nothing/here`)
    expect(page.status).toBe(404)
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
  })

  it('serves templates to nobody', async () => {
    expect((await fetch(`${issuer}/assets/login.eta`)).status).toBe(404)
    expect((await fetch(`${issuer}/assets/..%2fmain.ts`)).status).toBe(404)
  })

  it('issues tokens the demo API understands, and the API refuses all else', async () => {
    const { access_token } = (await (await tokenRequest(issuer)).json()) as { access_token: string }
    const ask = (headers: Record<string, string>, query = '') => fetch(`${issuer}/api/whoami${query}`, { headers })
    const answer = await ask({ authorization: `bEaReR ${access_token}` })
    expect(await answer.json()).toMatchObject({ client_id: 'machine', scope: 'api:read' })
    expect(answer.headers.get('x-fapi-interaction-id')).toMatch(/^[0-9a-f-]{36}$/)
    const interaction = '73cac523-d3ae-2289-b106-330a6218710d'
    const echoed = await ask({ authorization: `Bearer ${access_token}`, 'x-fapi-interaction-id': interaction })
    expect(echoed.headers.get('x-fapi-interaction-id')).toBe(interaction)
    expect((await ask({}, `?access_token=${access_token}`)).status).toBe(401)
    const refused = await ask({ authorization: 'Bearer nonsense' })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/)
    const bare = await ask({})
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Bearer(?!.*error=)/)])
    const basic = await ask({ authorization: 'Basic bWFjaGluZTp4' })
    expect([basic.status, basic.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Bearer(?!.*error=)/)])
  })

  it('keeps tenants apart', async () => {
    const teller = { authorization: `Basic ${Buffer.from(`teller:${secret}`).toString('base64')}` }
    const token = (await (await tokenRequest(`${issuer}/acme/banking`, teller)).json()) as { access_token: string }
    expect((await tokenRequest(issuer, teller)).status).toBe(401)
    expect((await tokenRequest(`${issuer}/acme/banking`)).status).toBe(401)
    const headers = { authorization: `Bearer ${token.access_token}` }
    expect((await fetch(`${issuer}/acme/banking/api/whoami`, { headers })).status).toBe(200)
    expect((await fetch(`${issuer}/api/whoami`, { headers })).status).toBe(401)
  })

  it('knows its addresses from the configuration, not from the Host header', async () => {
    const response = await raw(
      port,
      `GET /.well-known/openid-configuration HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n`
    )
    expect(response).toMatch(/^HTTP\/1.1 200/)
    expect(response).toContain(`"issuer":"${issuer}"`)
    expect(response).not.toContain('evil')
  })

  it('writes JSON lines without secrets, tokens and query strings', async () => {
    const { access_token } = (await (await tokenRequest(issuer)).json()) as { access_token: string }
    await tokenRequest(issuer, { authorization: `Basic ${Buffer.from(`machine:wrong-${secret}`).toString('base64')}` })
    await fetch(`${issuer}/oauth2/authorize?client_id=machine&state=very-private`)
    await pause(50)
    const lines = server
      .stdout()
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    expect(lines.filter(line => line['msg'] === 'request').length).toBeGreaterThan(3)
    expect(lines.findLast(line => line['msg'] === 'client authentication refused')).toMatchObject({
      client_id: 'machine',
      outcome: 'refused'
    })
    for (const hidden of [secret, access_token, 'very-private', basic.authorization.slice(6)])
      expect(server.stdout()).not.toContain(hidden)
    expect(server.stderr()).toBe('')
  })
})

describe('starting and stopping', () => {
  it('is ready in silence', async () => {
    const port = await freePort()
    const server = await startProcess(settings(port), { LOG_LEVEL: 'silent' })
    await tokenRequest(`http://localhost:${port}`)
    const outcome = await stop(server)
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome?.stdout.trimEnd().split('\n')).toHaveLength(1)
  })

  it.each([
    ['the process itself', node],
    ['npm start', npm]
  ] as const)('ends with 0 on SIGTERM to %s', async (_name, command) => {
    const port = await freePort()
    const server = await startProcess(settings(port), {}, command)
    // a kept-alive connection without a request must not hold it up
    await tokenRequest(`http://localhost:${port}`)
    const begun = Date.now()
    expect(await stop(server)).toMatchObject({ code: 0, stderr: '' })
    expect(Date.now() - begun).toBeLessThan(5000)
    await expect(fetch(`http://localhost:${port}/healthz`)).rejects.toThrow()
  })

  it('finishes the request in flight and takes no new one', async () => {
    const port = await freePort()
    const server = await startProcess(settings(port))
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', chunk => (answer += String(chunk)))
    const body = 'grant_type=client_credentials'
    socket.write(
      `POST /oauth2/token HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic.authorization}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`
    )
    await pause(200)
    server.child.kill('SIGTERM')
    await pause(200)
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow()
    socket.write(body.slice(5))
    expect((await server.ended).code).toBe(0)
    expect(answer).toMatch(/^HTTP\/1.1 200 /)
    socket.destroy()
  })

  it('says in one line that its port is taken', async () => {
    const port = await freePort()
    const first = await startProcess(settings(port))
    const second = await run(node, { CONFIG: configFile(settings(port)) }).ended
    await stop(first)
    expect(second).toMatchObject({ code: 1, stderr: `issuer must name a port this server can listen on (${port} is in use)\n` })
    expect(second.stdout).not.toContain('ready')
  })
})

/** What a hand-written request gets, whole. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', chunk => (answer += String(chunk)))
  socket.write(request)
  await once(socket, 'close')
  return answer
}
