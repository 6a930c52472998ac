/**
 * Installs the packed tarball in other projects, as their owners would, starts each and asks it for a token. Each folder
 * beside this file is one such project. Prints `N passed, N failed`; --output <file> writes the counts as JSON.
 */
import { deepEqual, equal } from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { followReadme } from './readme.mjs'
import { freePort } from '../support/processes/free-port.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const secret = 'aZ3kT9wQm4vR7yN2pL6sX8cF'
const installTimeout = 240_000
const startTimeout = 20_000

const { values: flags } = parseArgs({ options: { output: { type: 'string' } } })
const counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }
const workspace = mkdtempSync(join(tmpdir(), 'consumers-'))

function run(command, args, cwd) {
  const options = { cwd, encoding: 'utf8', timeout: installTimeout, stdio: ['ignore', 'pipe', 'pipe'] }
  try {
    return execFileSync(command, args, options)
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`, { cause: error })
  }
}

async function test(name, body) {
  try {
    await body()
    counts.numPassedTests++
    console.log(`ok      ${name}`)
    return true
  } catch (error) {
    counts.numFailedTests++
    console.log(`FAILED  ${name}\n${error.message}`)
    return false
  }
}

function install(project, tarball) {
  const directory = join(workspace, project)
  cpSync(join(here, project), directory, { recursive: true })
  for (const [file, text] of Object.entries(written[project] ?? {})) writeFileSync(join(directory, file), text)
  run('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', tarball], directory)
  const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  if (scripts.build !== undefined) run('npm', ['run', 'build'], directory)
  return directory
}

/** What a project takes from the documentation, word by word. */
const written = {
  method: { 'api-key.ts': `import { isKeyOf } from './keys.js'\n${firstSnippet('docs/adding-a-method.md')}` }
}

function firstSnippet(page) {
  const [, snippet] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, page), 'utf8'))
  return snippet
}

/** Starts the project's application and waits for the line that says it serves. */
async function start(directory) {
  const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const [command, ...args] = scripts.start.split(' ')
  const port = await freePort()
  const env = { ...process.env, PORT: String(port), BILLING_SECRET: secret }
  const child = spawn(command, args, { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  const timeout = setTimeout(() => child.kill('SIGKILL'), startTimeout)
  const stop = async () => {
    child.kill('SIGKILL')
    await exited
  }
  try {
    await untilServing(child)
  } catch (error) {
    await stop()
    throw error
  } finally {
    clearTimeout(timeout)
  }
  return { issuer: `http://127.0.0.1:${port}`, stop }
}

function untilServing(child) {
  let printed = ''
  return new Promise((resolve, reject) => {
    const read = chunk => {
      printed += chunk
      if (printed.includes('serving ')) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('error', reject)
    child.on('exit', (code, signal) => reject(new Error(`ended with ${code ?? signal} before it served\n${printed}`)))
  })
}

async function askForToken(issuer, password, parameters = { grant_type: 'client_credentials', scope: 'api:read' }) {
  const headers = { authorization: `Basic ${Buffer.from(`billing:${password}`).toString('base64')}` }
  const body = new URLSearchParams(parameters)
  const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', headers, body })
  return { status: response.status, answer: await response.json() }
}

async function getsAToken(issuer) {
  const { status, answer } = await askForToken(issuer, secret)
  equal(status, 200, JSON.stringify(answer))
  equal(answer.token_type, 'Bearer')
  equal(typeof answer.access_token, 'string')
  equal(answer.scope, 'api:read')
}

async function isRefused(issuer) {
  const { status, answer } = await askForToken(issuer, `${secret}x`)
  equal(status, 401)
  equal(answer.error, 'invalid_client')
  equal(answer.access_token, undefined)
}

/** What one project shows beside the token every one of them gets. */
const more = {
  method: ownMethodHolds,
  // the two requests before, one of which was refused
  async telemetry(issuer) {
    const { spans, metrics } = await (await fetch(`${issuer}/told`)).json()
    deepEqual([...new Set(spans)].sort(), ['clientele.client_authentication', 'clientele.token'])
    for (const name of ['clientele.authentications', 'clientele.tokens', 'clientele.token.duration'])
      equal(metrics.includes(name), true, name)
  },
  async ts(issuer) {
    const { answer } = await askForToken(issuer, secret, { grant_type: 'urn:example:voucher', voucher: '4711' })
    equal(typeof answer.access_token, 'string', JSON.stringify(answer))
    const headers = { authorization: `Basic ${Buffer.from(`billing:${secret}`).toString('base64')}` }
    const report = await fetch(`${issuer}/reports`, { method: 'POST', headers, body: new URLSearchParams({ month: '5' }) })
    equal((await report.json()).requested_by, 'billing')
    const { client_id, client_assertion } = await (await fetch(`${issuer}/assertion`)).json()
    equal(client_id, 'billing')
    equal((await (await fetch(`${issuer}/rule`)).json()).subject, 'system:serviceaccount:ci:deployer')
    equal(client_assertion, `a.${Buffer.from(issuer).toString('base64url')}.c`)
  }
}

const ownMethod = {
  'a client proves itself by it': { key: 'key of keyed', id: 'keyed', status: 200 },
  'a wrong key is refused': { key: 'key of other', id: 'keyed', status: 401 },
  'a client of another method is refused, whatever its key': { key: 'key of billing', id: 'billing', status: 401 },
  'a client nobody has is refused': { key: 'key of nobody', id: 'nobody', status: 401 }
}

/** The method of the page has every guarantee of a built-in one, and listeners that fail take nothing down: they are warned of once each. */
async function ownMethodHolds(issuer) {
  for (const [name, { id, key, status }] of Object.entries(ownMethod)) {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: id })
    const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', headers: { 'x-api-key': key }, body })
    const answer = await response.json()
    equal(response.status, status, `${name}: ${JSON.stringify(answer)}`)
    equal(answer.error, status === 200 ? undefined : 'invalid_client', name)
  }
  // a request that names two clients, each with what proves it
  const headers = { 'x-api-key': 'key of keyed', authorization: `Basic ${Buffer.from(`billing:${secret}`).toString('base64')}` }
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'keyed' })
  const both = await fetch(`${issuer}/oauth2/token`, { method: 'POST', headers, body })
  equal(both.status, 400, JSON.stringify(await both.json()))
  const warnings = await (await fetch(`${issuer}/warnings`)).json()
  for (const listener of ['onDecision', 'onEvent'])
    equal(warnings.filter(warning => warning.includes(listener)).length, 1, `${listener}: ${JSON.stringify(warnings)}`)
}

async function checkProject(project, tarball) {
  let app
  const started = await test(`${project}: installs and starts`, async () => (app = await start(install(project, tarball))))
  if (!started) return
  try {
    await test(`${project}: a client gets a token`, () => getsAToken(app.issuer))
    await test(`${project}: a wrong secret is refused`, () => isRefused(app.issuer))
    if (more[project] !== undefined) await test(`${project}: what it adds works`, () => more[project](app.issuer))
  } finally {
    await app.stop()
  }
}

try {
  run('npm', ['pack', '--pack-destination', workspace], root)
  const tarball = join(
    workspace,
    readdirSync(workspace).find(name => name.endsWith('.tgz'))
  )
  const projects = readdirSync(here, { withFileTypes: true }).filter(entry => entry.isDirectory())
  for (const { name } of projects) await checkProject(name, tarball)
  await followReadme({ tarball, workspace, test })
} finally {
  rmSync(workspace, { recursive: true, force: true })
}
if (flags.output !== undefined) writeFileSync(flags.output, JSON.stringify(counts))
console.log(`${counts.numPassedTests} passed, ${counts.numFailedTests} failed`)
process.exitCode = counts.numFailedTests === 0 ? 0 : 1
