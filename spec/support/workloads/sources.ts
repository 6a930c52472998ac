/** Platforms and trust domains whose keys are fetched over real connections, and a token endpoint that trusts them. */
import express from 'express'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import request from 'supertest'
import { memoryStore, tokenRouter, type Decision, type FetchJson, type WorkloadsOptions } from '../../../lib/index.ts'
import { serverKeys } from '../keys/made-keys.ts'
import { makeIssuer, signAs, type ForeignIssuer } from '../servers/trusted-issuer.ts'
import { bearer, bundle, clients as others, cluster, clusterClaims, jwtSpiffe } from '../servers/workloads.ts'

/** On the loopback, so that others on it may be fetched from. */
const issuer = 'http://127.0.0.1:4000'
const keys = await serverKeys(['ES256'])
const registered = { grant_types: ['client_credentials'], response_types: [] }
const start = 1_800_000_000_000

const open: { readonly close: () => void }[] = []
/** Closes every source there is. */
export const closeSources = () => open.splice(0).forEach(({ close }) => close())

/** A platform, or the endpoint of a bundle: what it answers at each path, as JSON where that is no listener. */
export async function source() {
  const answers = new Map<string, unknown>()
  const asked: string[] = []
  const server = createServer((req, res) => {
    const path = req.url ?? ''
    asked.push(path)
    const answer = answers.get(path)
    if (typeof answer === 'function') (answer as RequestListener)(req, res)
    else if (answer === undefined) res.writeHead(404).end()
    else res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=600' }).end(JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const made = { url, answers, asked, close: () => shut(server) }
  open.push(made)
  return made
}

function shut(server: Server): void {
  server.closeAllConnections()
  server.close()
}

export const discovery = '/.well-known/openid-configuration'

/** A platform with discovery; its keys are at `/keys`. */
export async function platform() {
  const at = await source()
  const by: ForeignIssuer = await makeIssuer(at.url)
  at.answers.set(discovery, { issuer: at.url, jwks_uri: `${at.url}/keys` })
  at.answers.set('/keys', { keys: [by.jwk] })
  return { ...at, by }
}

/** A token endpoint that trusts a platform by discovery, another by its keys, and a client's secret. */
export function endpoint(trusted: string, fetchJson?: FetchJson, more: Partial<WorkloadsOptions> = {}) {
  let now = start
  const decisions: Decision[] = []
  const clients = [
    ...others.filter(({ client_id }) => client_id === 'reports'),
    {
      client_id: 'job',
      token_endpoint_auth_method: 'federated_jwt',
      federated_credentials: [
        { issuer: trusted, subject: 'u-alice' },
        { issuer: cluster.issuer, subject: clusterClaims.sub }
      ],
      ...registered
    },
    { client_id: 'mesh', token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://prod.example/billing', ...registered },
    {
      client_id: 'stranger',
      token_endpoint_auth_method: 'federated_jwt',
      ...registered,
      federated_credentials: [{ issuer: cluster.issuer, subject: 'x' }]
    }
  ]
  const issuers = [{ issuer: trusted }, { issuer: cluster.issuer, jwks: { keys: [cluster.jwk] } }]
  const router = tokenRouter({
    ...{
      issuer,
      clients,
      keys,
      scopes: ['jobs'],
      workloads: { issuers, trustDomains: [{ trustDomain: 'prod.example', bundle }], fetchJson, ...more }
    },
    store: memoryStore({ clock: () => now }),
    clock: () => now,
    onDecision: decision => void decisions.push(decision),
    onError: () => undefined
  })
  const app = express().use('/oauth2', router)
  const post = (form: object) =>
    request(app)
      .post('/oauth2/token')
      .type('form')
      .send({ grant_type: 'client_credentials', ...form })
  return {
    decisions,
    later: (seconds: number) => (now += seconds * 1000),
    send: async (by: ForeignIssuer, client_id = 'job', claims: object = {}) =>
      post({
        client_id,
        client_assertion_type: bearer,
        client_assertion: await signAs(by, issuer, now / 1000, { claims: { ...claims, aud: issuer } })
      }),
    svid: async (by: ForeignIssuer) =>
      post({
        client_id: 'mesh',
        client_assertion_type: jwtSpiffe,
        client_assertion: await signAs(by, issuer, now / 1000, {
          claims: { iss: undefined, sub: 'spiffe://prod.example/billing' }
        })
      }),
    secret: () => post({}).auth('reports', 'aZ3kT9wQm4vR7yN2pL6sX8cF')
  }
}
