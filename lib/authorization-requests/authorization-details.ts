/**
 * The `authorization_details` parameter (RFC 9396): what exactly is to be allowed, in types only the host application
 * knows.
 */
import type { Client } from '../clients/client.ts'
import { OAuthError } from '../errors.ts'
import type { AuthorizationDetail } from '../tokens/grant.ts'

/**
 * Judges one detail of its type for a client: `true`, or a sentence for `error_description` on what is wrong. Check
 * every member: what passes is shown to the person and put into tokens.
 */
export type AuthorizationDetailCheck = (detail: AuthorizationDetail, client: Client) => true | string | Promise<true | string>

/** The types there are, each with its check. */
export type AuthorizationDetailTypes = Readonly<Record<string, AuthorizationDetailCheck>>

const longest = 8192
const mostDetails = 20
const deepest = 16

/**
 * Reads and judges the parameter; undefined where it was not sent.
 *
 * @throws OAuthError `invalid_authorization_details` (RFC 9396 §5) for anything else than a list of objects of known
 * types that pass.
 */
export async function readAuthorizationDetails(
  types: AuthorizationDetailTypes,
  client: Client,
  text: string | undefined
): Promise<readonly AuthorizationDetail[] | undefined> {
  if (text === undefined) return undefined
  const details = parse(text)
  for (const detail of details) {
    const check = Object.hasOwn(types, detail.type) ? types[detail.type] : undefined
    if (check === undefined) throw refuse('this type of authorization_details is not known here')
    if (client.authorization_details_types !== undefined && !client.authorization_details_types.includes(detail.type))
      throw refuse('this type of authorization_details is not registered for the client')
    const verdict: unknown = await check(detail, client)
    // whatever else a check returns is not a yes
    if (verdict !== true) throw refuse(typeof verdict === 'string' ? verdict : 'this authorization detail is not acceptable')
  }
  return details
}

function parse(text: string): readonly AuthorizationDetail[] {
  if (text.length > longest) throw refuse(`authorization_details is longer than ${longest} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuse('authorization_details is not JSON')
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > mostDetails)
    throw refuse(`authorization_details must be a list of 1 to ${mostDetails} objects`)
  if (!value.every(isDetail)) throw refuse('each of authorization_details must be an object with a type')
  if (isDeeperThan(value, deepest)) throw refuse('authorization_details is nested too deeply')
  return value
}

function isDetail(value: unknown): value is AuthorizationDetail {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && value.type !== ''
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(member => isDeeperThan(member, levels - 1))
}

function refuse(description: string): OAuthError {
  return new OAuthError('invalid_authorization_details', 400, description)
}
