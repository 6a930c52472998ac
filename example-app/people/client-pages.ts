/** The page an operator opens: what each client proves itself with, until when, and whether anyone still uses it. */
import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { AuthorizationServer, CredentialInfo, StoredClients } from 'clientele'
import type { IssuerSettings } from '../config/schema.ts'
import { operatorOf, type OperatorPagesOptions } from './operators.ts'
import { sendPage } from '../views.ts'

interface ClientPagesOptions extends OperatorPagesOptions {
  readonly server: AuthorizationServer
  /** The clients of this issuer: nobody sees another's. */
  readonly clients: IssuerSettings['clients']
  /** Those of the store. */
  readonly stored: Pick<StoredClients, 'list'>
  readonly withSession: RequestHandler
}

/** The page `/account/clients` of an issuer. */
export function clientPages(options: ClientPagesOptions): Router {
  const { base, withSession } = options
  const router = Router({ caseSensitive: true })
  router.get(`${base}/account/clients`, withSession, async (req: Request, res: Response) => {
    const person = operatorOf(req, res, 'account/clients', options)
    if (person === undefined) return
    const clients = await describeClients(options)
    sendPage(res, 'clients', { base, title: 'Clients', wide: true, person, clients })
  })
  return router
}

interface ClientOnPage {
  readonly client_id: string
  readonly name: string
  readonly isPublic: boolean
  /** Whether it was added to the store while the server ran. */
  readonly added: boolean
  readonly disabled: boolean
  readonly credentials: readonly CredentialOnPage[]
}

interface CredentialOnPage {
  readonly name: string
  readonly label: string | undefined
  readonly state: CredentialInfo['state']
  readonly created: string
  readonly expires: string
  readonly used: string
  /** What a token of another platform, or a workload, has to be: names and values. */
  readonly rule: readonly (readonly [name: string, value: string])[]
}

async function describeClients({ clients, stored, server }: ClientPagesOptions): Promise<readonly ClientOnPage[]> {
  const kept = await stored.list()
  const disabled = new Set(kept.filter(client => client.disabled).map(({ client_id }) => client_id))
  const added = kept.flatMap(({ metadata }) => (metadata === undefined ? [] : [{ ...metadata, added: true }]))
  return Promise.all(
    [...clients.map(client => ({ ...client, added: false })), ...added].map(async client => {
      const { client_id, client_name, token_endpoint_auth_method } = client
      const isPublic = token_endpoint_auth_method === 'none'
      const isDisabled = disabled.has(client_id)
      // one that is disabled is nobody's to the server
      const listed = isPublic || isDisabled ? [] : await server.credentials.listCredentials(client_id)
      const credentials = listed.map(onPage)
      return { client_id, name: client_name ?? client_id, isPublic, added: client.added, disabled: isDisabled, credentials }
    })
  )
}

function onPage(info: CredentialInfo): CredentialOnPage {
  const { credential, label, state, source, created_at, expires_at, last_used_at } = info
  return {
    name: credential === 'secret:1' && source === 'configured' ? 'client_secret' : (info.subject ?? info.jwks_uri ?? credential),
    label,
    state,
    created: created_at === undefined ? 'configured' : moment(created_at),
    expires: expires_at === undefined ? 'never' : moment(expires_at),
    used: last_used_at === undefined ? 'not seen' : moment(last_used_at),
    rule: ruleOf(info)
  }
}

/** The rule of a federated credential, or the SPIFFE ID of a workload; nothing of other credentials. */
function ruleOf({ rule, spiffe_id }: CredentialInfo): CredentialOnPage['rule'] {
  const wanted: readonly (readonly [string, string | undefined])[] = [
    ['Issuer', rule?.issuer],
    ['Subject', rule?.subject],
    ['Audience', rule?.audience],
    ...claimsOf(rule?.claims ?? {}, ''),
    ['SPIFFE ID', spiffe_id]
  ]
  return wanted.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}

/** Each claim by its path, with the values that it may have. */
function claimsOf(claims: object, path: string): readonly (readonly [string, string])[] {
  return Object.entries(claims).flatMap(([name, wanted]: [string, unknown]) => {
    const here = path === '' ? `Claim ${name}` : `${path} › ${name}`
    if (typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted)) return claimsOf(wanted, here)
    const values: readonly unknown[] = [wanted].flat()
    return [[here, values.map(value => JSON.stringify(value)).join(' or ')] as const]
  })
}

/** The server does not know where the operator is. */
function moment(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? 'never' : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
