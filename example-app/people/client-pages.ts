/** The page an operator opens: what each client proves itself with, until when, and whether anyone still uses it. */
import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { AuthorizationServer, CredentialInfo } from 'clientele'
import { currentAccount, type People } from './accounts.ts'
import type { IssuerSettings } from '../config/schema.ts'
import { HttpError } from '../http-error.ts'
import { showLocalLogin } from './login-page.ts'
import { sendPage } from '../views.ts'

export interface ClientPagesOptions {
  /** Where the issuer is mounted. */
  readonly base: string
  readonly server: AuthorizationServer
  readonly people: People
  /** The clients of this issuer: nobody sees another's. */
  readonly clients: IssuerSettings['clients']
  /** The usernames of those who may. */
  readonly operators: readonly string[]
  readonly withSession: RequestHandler
}

/** The page `/account/clients` of an issuer. */
export function clientPages(options: ClientPagesOptions): Router {
  const { base, people, operators, withSession } = options
  const router = Router({ caseSensitive: true })
  router.get(`${base}/account/clients`, withSession, async (req: Request, res: Response) => {
    const account = currentAccount(req, people)
    const person = account === undefined ? undefined : people.find(account.sub)
    if (person === undefined) {
      showLocalLogin(req, res, base, { page: 'account/clients' })
      return
    }
    if (!operators.includes(person.username)) throw new HttpError(403, 'This page is for operators of this server.')
    const clients = await describeClients(options)
    sendPage(res, 'clients', { base, title: 'Clients', wide: true, person: person.username, clients })
  })
  return router
}

interface ClientOnPage {
  readonly client_id: string
  readonly name: string
  readonly isPublic: boolean
  readonly credentials: readonly CredentialOnPage[]
}

interface CredentialOnPage {
  readonly name: string
  readonly label: string | undefined
  readonly state: CredentialInfo['state']
  readonly created: string
  readonly expires: string
  readonly used: string
}

async function describeClients({ clients, server }: ClientPagesOptions): Promise<readonly ClientOnPage[]> {
  return Promise.all(
    clients.map(async ({ client_id, client_name, token_endpoint_auth_method }) => {
      const isPublic = token_endpoint_auth_method === 'none'
      const listed = isPublic ? [] : await server.credentials.listCredentials(client_id)
      return { client_id, name: client_name ?? client_id, isPublic, credentials: listed.map(onPage) }
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
    used: last_used_at === undefined ? 'not seen' : moment(last_used_at)
  }
}

/** The server does not know where the operator is. */
function moment(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? 'never' : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
