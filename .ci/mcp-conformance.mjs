/**
 * The official conformance tool against the example app: its `authorization` command, and of its `server` command what asks nothing but tools of a server, through a
 * proxy that adds a token. `node .ci/mcp-conformance.mjs REPORT` runs on Node 22 and later, prints what the tool says, and writes how many scenarios passed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort } from '../spec/support/processes/free-port.mjs'

const [report] = process.argv.slice(2)
const tool = resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js')
const folder = mkdtempSync(join(tmpdir(), 'clientele-conformance-'))
const children = new Set()

function start(args, env = {}) {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  child.once('close', () => children.delete(child))
  return child
}

/** Runs the tool; resolves to whether every check of it passed. `onText` sees what it prints. */
async function conforms(args, onText = () => undefined) {
  const child = start([tool, ...args])
  child.stdout.on('data', chunk => {
    process.stdout.write(chunk)
    onText(String(chunk))
  })
  const [code] = await once(child, 'close')
  return code === 0
}

/** Goes wherever a browser goes, signs alice in and agrees; ends at the tool's callback. */
async function signIn(from) {
  const cookies = new Map()
  let [url, init] = [from, {}]
  for (let step = 0; step < 20; step += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    const text = await response.text()
    if (location === null && !text.includes('<form')) return
    init = {}
    if (location !== null) {
      url = new URL(location, url).href
      continue
    }
    const fields = new URLSearchParams()
    for (const [, name, value] of text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) fields.set(name, value)
    if (text.includes('name="password"')) for (const [name, value] of Object.entries(alice)) fields.set(name, value)
    else fields.set('decision', 'allow')
    url = new URL(/<form method="post" action="([^"]+)"/.exec(text)[1], url).href
    init = { method: 'POST', body: fields }
  }
}

const alice = { username: 'alice', password: 'wonderland' }
const [port, proxyPort, callbackPort] = [await freePort(), await freePort(), await freePort()]
const issuer = `http://localhost:${port}`
const resource = `${issuer}/mcp`
const secret = 'a-secret-of-the-conformance-run'
const settings = {
  issuer,
  clients: [
    { client_id: 'tool', token_endpoint_auth_method: 'none', redirect_uris: [`http://127.0.0.1:${callbackPort}/callback`] },
    { client_id: 'machine', client_secret: secret, grant_types: ['client_credentials'] }
  ],
  accounts: [{ sub: 'u-alice', ...alice }],
  client_documents: {},
  mcp: {}
}

async function token() {
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'notes:read notes:write' })
  const headers = { authorization: `Basic ${Buffer.from(`machine:${secret}`).toString('base64')}` }
  const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body, headers })
  return (await response.json()).access_token
}

/** Stands before the MCP server and adds the token the tool has no option for. */
function proxyTo(access_token) {
  return createServer((req, res) => {
    const headers = { ...req.headers, authorization: `Bearer ${access_token}` }
    const forwarded = request({ port, host: 'localhost', method: req.method, path: req.url, headers }, answer => {
      res.writeHead(answer.statusCode, answer.headers)
      answer.pipe(res)
    })
    forwarded.on('error', () => res.destroy())
    req.pipe(forwarded)
  })
}

/** What the tool asks of a server with tools alone, at the revision each stands for. */
const serverScenarios = ['server-initialize', 'ping', 'tools-list', 'http-header-validation', 'dns-rebinding-protection']

const outcomes = []
async function scenario(name, run) {
  console.log(`\n== ${name}`)
  outcomes.push({ name, passed: await run() })
}

try {
  const config = join(folder, 'server.json')
  writeFileSync(config, JSON.stringify(settings))
  const server = start(['example-app/start.mjs'], { CONFIG: config, STORE_URL: 'memory:', LOG_LEVEL: 'error' })
  let said = ''
  while (!said.includes('ready')) said += String((await once(server.stdout, 'data'))[0])
  server.stdout.resume()
  const grant = ['--client-id', 'tool', '--resource', resource, '--port', String(callbackPort)]
  await scenario('authorization', () => {
    let printed = ''
    let begun = false
    return conforms(['authorization', '--url', issuer, ...grant], text => {
      printed += text
      const [url] = new RegExp(`${issuer}/oauth2/authorize\\?\\S+`).exec(printed) ?? []
      if (url === undefined || begun || !printed.includes('Waiting')) return
      begun = true
      signIn(url).catch(error => console.error(error))
    })
  })
  const proxy = proxyTo(await token()).listen(proxyPort, 'localhost')
  await once(proxy, 'listening')
  for (const name of serverScenarios)
    await scenario(`server: ${name}`, () =>
      conforms(['server', '--url', `http://localhost:${proxyPort}/mcp`, '--scenario', name])
    )
  proxy.closeAllConnections()
  proxy.close()
} finally {
  for (const child of children) child.kill('SIGTERM')
  rmSync(folder, { recursive: true, force: true })
}

const passed = outcomes.filter(outcome => outcome.passed)
console.log(`\n${outcomes.map(outcome => `${outcome.passed ? 'passed' : 'FAILED'} ${outcome.name}`).join('\n')}`)
if (report !== undefined)
  writeFileSync(report, JSON.stringify({ numPassedTests: passed.length, numFailedTests: outcomes.length - passed.length }))
process.exitCode = passed.length === outcomes.length ? 0 : 1
