/** The server of docs/mcp.md, as it is written there: it is run, a person signs in, and a client calls its tool. */
import { afterAll, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import express from 'express'
import * as clientele from 'clientele'
import * as clienteleMcp from 'clientele/mcp'
import * as mcpNode from '@modelcontextprotocol/node'
import * as mcpServer from '@modelcontextprotocol/server'
import { Browser } from '../example-app/browser.ts'
import { asking, issuers, providerOf, redeem, walk } from '../sign-in/journey.ts'

const page = readFileSync(new URL('../../docs/mcp.md', import.meta.url), 'utf8')
const [, written = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
let listening: Server | undefined
afterAll(() => {
  listening?.closeAllConnections()
  listening?.close()
})

/** Runs the lines with these names in the place of what they import, and these values in the place of what is an example there. */
async function run(lines: string, values: Readonly<Record<string, string>>): Promise<Server> {
  const names: Record<string, unknown> = { express, ...clientele, ...clienteleMcp, ...mcpNode, ...mcpServer }
  // what `require` adds to a namespace is no name
  for (const key of ['default', 'module.exports']) Reflect.deleteProperty(names, key)
  const body = Object.entries(values).reduce((text, [from, to]) => text.replaceAll(from, to), lines.replace(/^import .*\n/gm, ''))
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- what a reader would run
  const made = new Function(...Object.keys(names), `return (async () => { ${body}; return listening })()`) as (
    ...given: unknown[]
  ) => Promise<Server>
  return made(...Object.values(names))
}

it('is twenty lines, and works', async () => {
  expect(written.trim().split('\n').length).toBeLessThanOrEqual(20)
  for (const [, source = ''] of written.matchAll(/^import .* from '([^']+)'$/gm))
    expect(source).toMatch(/^(?:express|clientele|@modelcontextprotocol)/)
  const [issuer = ''] = issuers
  const provider = providerOf('the example app')
  const { client_id, client_secret = '' } = provider.bySecret
  // documents of this machine are signed by an authority nobody knows: the client is one that is configured
  const client = `clients: [{ client_id: 'app', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1:7777/callback'] }], signIn })`
  listening = await run(written, {
    'https://mcp.example.com': issuer,
    'https://login.example.com': provider.issuer,
    "client_id: 'mcp'": `client_id: '${client_id}'`,
    'process.env.CLIENT_SECRET': `'${client_secret}'`,
    'signIn })': client,
    'listen(3000)': `listen(${new URL(issuer).port}, 'localhost')`
  })
  // the name is looked up first, on a thread that may be busy
  if (!listening.listening) await once(listening, 'listening')
  const { answer } = await walk(new Browser(), asking(issuer, 'app'), provider)
  const { access_token = '' } = await redeem(issuer, 'app', answer)
  const response = await fetch(`${issuer}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${access_token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream'
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } })
  })
  expect(await response.text()).toContain('You are u-alice')
})
