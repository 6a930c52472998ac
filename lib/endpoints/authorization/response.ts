/** The authorization endpoint's answers to clients. Where no redirect can be trusted, a page answers instead. */
import type { Response } from 'express'
import type { EndpointContext } from '../endpoint.ts'
import { sendSeeOther } from '../../http/responses.ts'
import { signFor } from '../../tokens/signed-response.ts'
import { sendFormPost } from './form-post.ts'
import { answerAddress, type TrustedRedirect } from '../../authorization-requests/redirect.ts'
import { carrierOf, isSigned } from '../../authorization-requests/response-mode.ts'

/** Seconds a signed response can be used (JARM §2.1 recommends at most ten minutes). */
const signedResponseTtl = 300

/**
 * Sends the answer to the client in the response mode it asked for. `iss` is in every answer (RFC 9207), inside the
 * signature where there is one. The registered query of the redirect URI stays as it is. 303: a POST must not be
 * repeated at the client (RFC 9700 §4.12).
 */
export async function sendToClient(
  res: Response,
  context: EndpointContext,
  redirect: TrustedRedirect,
  answer: Readonly<Record<string, string>>
): Promise<void> {
  const { redirect_uri, response_mode } = redirect
  const parameters = await parametersOf(context, redirect, answer)
  const carrier = carrierOf(response_mode)
  if (carrier === 'form_post') sendFormPost(res, redirect_uri, parameters)
  else sendSeeOther(res, answerAddress(redirect_uri, parameters, carrier))
}

async function parametersOf(
  context: EndpointContext,
  { client, state, response_mode }: TrustedRedirect,
  answer: Readonly<Record<string, string>>
): Promise<Readonly<Record<string, string>>> {
  const { server } = context
  const parameters = { ...answer, ...(state !== undefined && { state }) }
  if (!isSigned(response_mode)) return { ...parameters, iss: server.issuer }
  const exp = Math.floor(server.clock() / 1000) + signedResponseTtl
  return { response: await signFor(server, client, client.authorization_signed_response_alg, { ...parameters, exp }) }
}
