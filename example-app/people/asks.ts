/** Requests of a client, in words for the page where the person decides, and the person's decision. */
import type { Request } from 'express'
import { clientOrigin, type AuthorizationDetail, type Client } from 'clientele'
import { askerOf, documentOf, nameOf } from './client-words.ts'
import { fieldOf } from '../sessions/forms.ts'
import { HttpError, openAgain } from '../http-error.ts'
import { describeResource, describeScope } from './scope-words.ts'

interface Asked {
  readonly client: Client
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  readonly authorization_details: readonly AuthorizationDetail[]
}

/** Gathers what pages/asks.eta shows. */
export function asksOf({ client, scope, resources, authorization_details }: Asked) {
  return {
    client: nameOf(client),
    asker: askerOf(client),
    unvouched: clientOrigin(client) === 'registered',
    document: documentOf(client),
    scopes: scope.map(describeScope),
    resources: resources.map(describeResource),
    details: authorization_details.map(({ type, ...rest }) => ({ type, text: JSON.stringify(rest, null, 2) }))
  }
}

/** Which button was pressed. @throws HttpError for neither; it leads back to `page`. */
export function decisionOf(req: Request, page: string): 'allow' | 'deny' {
  const decision = fieldOf(req, 'decision')
  if (decision === 'allow' || decision === 'deny') return decision
  throw new HttpError(400, 'Choose whether to allow or to deny.', openAgain(page))
}
