/** The options of `upstream()`: which OpenID provider people sign in at, and who they are here. */
import type { CryptoKey, JWK } from 'jose'
import { importJWK } from 'jose/key/import'
import type { Request, Response } from 'express'
import type { InteractionPrompt } from '../endpoints/authorization/interaction.ts'
import {
  ConfigurationError,
  eachOf,
  flag,
  fn,
  integer,
  isSecureAddress,
  objectLike,
  oneOf,
  required,
  text,
  textLike,
  type Checks,
  type Read
} from '../options.ts'
import { scopeList } from '../tokens/scope.ts'

/** A provider's claims of a person: its ID Token and its userinfo endpoint, the ID Token where both say something. */
export type UpstreamClaims = Readonly<Record<string, unknown>> & {
  /** Names the person at the provider. */
  readonly sub: string
}

/** A person's tokens at the provider, for calling its APIs for them. Never sent to a client of this server. */
export interface UpstreamTokens {
  /** The access token. */
  readonly access_token: string
  /** Seconds since the epoch; undefined where the provider did not say. */
  readonly expires_at?: number | undefined
  /** The scope values that were granted there; undefined: those asked for. */
  readonly scope?: string | undefined
}

/** A person, as this server knows them. */
export interface UpstreamAccount {
  /** Names the person at this server, for good: never another one's. */
  readonly sub: string
  /** The person's name, on the consent page. */
  readonly name?: string | undefined
}

/** The contents of a consent page of one's own. */
export interface ConsentPage {
  /**
   * The request, and the client it is of. Show the host of `redirect_uri`, and of its `document` what {@link
   * InteractionPrompt.document} says.
   */
  readonly prompt: InteractionPrompt
  /** The person's name. */
  readonly person: string
  /** The scope values that are asked for, each with what it means to people, as far as the server was told. */
  readonly meanings: ReadonlyMap<string, string>
  /** The address the form goes to, by POST. */
  readonly action: string
  /** Its hidden fields, sent back as they are. Beside them one button named `decision`: `allow` or `deny`. */
  readonly fields: Readonly<Record<string, string>>
}

/** The options of `upstream()`. */
export interface UpstreamOptions {
  /** The provider's issuer identifier, as its discovery document has it. */
  readonly issuer: string
  /** This server's client_id there. Its redirect URI there is `{issuer}/oauth2/sign-in` of this server. */
  readonly client_id: string
  /** This server's secret there; or `keys`. */
  readonly client_secret?: string | undefined
  /** Private keys, as JWKs with `alg`: this server proves itself there by `private_key_jwt`, with the first. */
  readonly keys?: readonly JWK[] | undefined
  /**
   * The way the secret is sent. Default: in the Authorization header, or in the body where the provider's metadata has
   * that alone.
   */
  readonly token_endpoint_auth_method?: 'client_secret_basic' | 'client_secret_post' | undefined
  /**
   * The scope values asked for there; `openid` is one. Add `offline_access`, or what the provider wants instead, for
   * tokens that can be refreshed. Default openid, profile, email.
   */
  readonly scope?: readonly string[] | undefined
  /** Further parameters of the authorization request there, such as `{ hd: 'example.com' }`. */
  readonly parameters?: Readonly<Record<string, string>> | undefined
  /**
   * Finds the person's account here; undefined: none, and the client is told `access_denied`. Told of every sign-in:
   * the place to keep what the provider says of people. Default: the provider's `sub`, and its `name`,
   * `preferred_username` or `email`.
   */
  readonly accountFrom?:
    | ((
        claims: UpstreamClaims,
        tokens: UpstreamTokens
      ) => UpstreamAccount | null | undefined | Promise<UpstreamAccount | null | undefined>)
    | undefined
  /** Answers with a consent page of one's own. Default: a plain one. */
  readonly consentPage?: ((req: Request, res: Response, page: ConsentPage) => unknown) | undefined
  /** Seconds a sign-in lasts in one browser. Default 28800. */
  readonly sessionTtl?: number | undefined
  /**
   * False: people's tokens at the provider are forgotten once they are signed in. Default true: they are kept, sealed,
   * for thirty days after their last use.
   */
  readonly keepTokens?: boolean | undefined
  /** Seconds the provider may take for one answer. Default 10. */
  readonly timeout?: number | undefined
}

const isProvider = (value: string): boolean => {
  if (!URL.canParse(value)) return false
  const url = new URL(value)
  return isSecureAddress(url) && url.search === '' && url.hash === ''
}

export const upstreamChecks = {
  issuer: required(textLike('an https URL (http only on localhost, 127.0.0.1 or [::1])', isProvider)),
  client_id: required(text()),
  client_secret: text(),
  keys: eachOf('private keys', objectLike<JWK>('a private key in JWK form, with alg', isPrivateKey)),
  token_endpoint_auth_method: oneOf(['client_secret_basic', 'client_secret_post']),
  scope: scopeList(['openid', 'profile', 'email']),
  parameters: objectLike<Readonly<Record<string, string>>>('an object of strings', value =>
    Object.values(value).every(one => typeof one === 'string')
  ),
  accountFrom: fn<NonNullable<UpstreamOptions['accountFrom']>>(),
  consentPage: fn<NonNullable<UpstreamOptions['consentPage']>>(),
  sessionTtl: integer({ min: 60, max: 31_536_000, default: 28_800 }),
  keepTokens: flag(true),
  timeout: integer({ min: 1, max: 60, default: 10 })
} satisfies Checks<UpstreamOptions>

/** Every option, read. */
export type ReadUpstream = Read<typeof upstreamChecks>

/** Parameters that are set here for each request to the provider, and so not for {@link UpstreamOptions.parameters}. */
const ours = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'request'
]

/** @throws ConfigurationError for options that do not go together. */
export function checkTogether(options: ReadUpstream): void {
  const { client_secret, keys = [], scope, parameters = {}, token_endpoint_auth_method: method } = options
  if ((client_secret === undefined) === (keys.length === 0))
    throw new ConfigurationError('client_secret', 'must be there, or keys instead of it')
  if (keys.length > 0 && method !== undefined)
    throw new ConfigurationError('token_endpoint_auth_method', 'must not be there beside keys, which are for private_key_jwt')
  if (!scope.includes('openid')) throw new ConfigurationError('scope', 'must include openid')
  const wrong = ours.find(name => name in parameters)
  if (wrong !== undefined) throw new ConfigurationError(`parameters.${wrong}`, 'must not be there: this is set for each request')
}

function isPrivateKey({ kty, alg, d }: Readonly<Record<string, unknown>>): boolean {
  return typeof kty === 'string' && kty !== 'oct' && typeof alg === 'string' && typeof d === 'string'
}

/** @throws ConfigurationError for what is no key. */
export async function importKey(jwk: JWK): Promise<{ readonly key: CryptoKey; readonly kid?: string }> {
  try {
    return { key: (await importJWK(jwk)) as CryptoKey, ...(jwk.kid !== undefined && { kid: jwk.kid }) }
  } catch {
    // the cause is left out: it may quote the key
    throw new ConfigurationError('keys[0]', 'must be a private key in JWK form, with alg')
  }
}
