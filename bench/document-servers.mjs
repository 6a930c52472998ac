/** The processes of bench/documents.mjs: the server, which is this file on its own, and a host of documents. */
import { execFileSync, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { authorizationServer, generateKeys, memoryStore } from '../dist/lib/index.js'

/** The server: told what to serve, it answers with where, and after that with what it has used. */
function serve() {
  process.once('message', async ({ clients, ca, flooded }) => {
    const http = createServer({ keepAliveTimeout: 60_000 }).listen(0, '127.0.0.1')
    await once(http, 'listening')
    const issuer = `http://localhost:${http.address().port}`
    const server = authorizationServer({
      issuer,
      clients,
      clientDocuments: { hosts: ['*'], ca },
      store: memoryStore(),
      keys: await generateKeys(),
      scopes: ['api:read', 'offline_access'],
      // what the flood does to people who sign in is bounded elsewhere
      anonymousBudget: false,
      onError: () => undefined,
      interaction: {
        account: () => (flooded ? undefined : { sub: randomUUID(), auth_time: Math.floor(Date.now() / 1000) }),
        consented: () => true,
        prompt: (req, res, { id }) => (flooded ? res.end() : server.resume(req, res, id, { consent: true }))
      }
    })
    http.on('request', express().use(server))
    process.on('message', () => {
      globalThis.gc()
      const { user, system } = process.cpuUsage()
      process.send({ cpu: user + system, heap: process.memoryUsage().heapUsed, rss: process.memoryUsage.rss() })
    })
    process.send({ issuer })
  })
  process.once('disconnect', () => process.exit(0))
}

/** A host of documents on this machine, under a certificate of its own. */
export async function documentHost(documentOf) {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-documents-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '1', '-nodes']
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', key, '-out', cert, ...subject]
  execFileSync('openssl', args, { stdio: 'ignore' })
  const ca = readFileSync(cert, 'utf8')
  let asked = 0
  const server = createTlsServer({ key: readFileSync(key), cert: ca }, (req, res) => {
    asked += 1
    const document = documentOf(`https://${req.headers.host}${req.url}`)
    if (document === undefined) res.writeHead(404).end()
    else res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
  }).listen(0, 'localhost')
  await once(server, 'listening')
  rmSync(folder, { recursive: true })
  return { ca, origin: `https://localhost:${server.address().port}`, asked: () => asked, close: () => server.close() }
}

export async function start(setting) {
  const child = fork(fileURLToPath(import.meta.url), ['serve'], {
    execArgv: ['--expose-gc', '--no-memory-reducer', '--no-flush-bytecode'],
    env: { ...process.env, NODE_ENV: 'production' }
  })
  child.send(setting)
  const [{ issuer }] = await once(child, 'message')
  const usage = async () => {
    child.send('usage')
    return (await once(child, 'message'))[0]
  }
  return { issuer, usage, stop: () => child.disconnect() }
}

export function ask(agent, url, form) {
  const body = form === undefined ? undefined : new URLSearchParams(form).toString()
  const headers = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const { port, pathname, search } = new URL(url)
    const options = {
      host: '127.0.0.1',
      port,
      path: pathname + search,
      method: body === undefined ? 'GET' : 'POST',
      agent,
      headers
    }
    const sent = request(options, async answer => {
      const chunks = []
      for await (const chunk of answer) chunks.push(chunk)
      resolve({ status: answer.statusCode, location: answer.headers.location, text: Buffer.concat(chunks).toString() })
    })
    sent.once('error', reject).end(body)
  })
}

if (process.argv[2] === 'serve') serve()
