/** The configuration file's members, their defaults, and what each must be. Every message completes "<path> …". */
import { isIP } from 'node:net'
import { z } from 'zod'
import { clientMetadata } from './clients.ts'

const text = z.string('must be a string').min(1, 'must not be empty')
const file = z.string('must be the path of a file').min(1, 'must be the path of a file')
const flag = z.boolean('must be true or false')
const record = z.record(z.string(), z.json('must be JSON'), 'must be an object')

function list<T extends z.ZodType>(item: T) {
  return z.array(item, 'must be a list')
}

function oneOf<const T extends string>(...values: readonly [T, ...T[]]) {
  return z.enum(values, `must be ${oxford(values.map(value => `"${value}"`))}`)
}

function whole(min: number, max: number, unit = 'seconds') {
  const message = `must be a whole number of ${unit} from ${min} to ${max}`
  return z.int(message).min(min, message).max(max, message)
}

function object<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, 'must be an object')
}

/** "a, b or c" */
function oxford(words: readonly string[]): string {
  return words.join(', ').replace(/, ([^,]*)$/, ' or $1')
}

/** Every grant the configuration knows, whether or not this version offers it. */
export const grantTypes = [
  'authorization_code',
  'client_credentials',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:openid:params:grant-type:ciba'
] as const

const year = 31_536_000

const scopeValue = z
  .string('must be a scope value')
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be a scope value: printable ASCII without spaces, quotes and backslashes')

/** In plain text, or as `clientele hash-secret` prints it. */
const password = text.refine(
  value => !value.startsWith('$scrypt$') || /^\$scrypt\$ln=\d{1,2},r=\d{1,2},p=\d{1,2}\$[\w-]+\$[\w-]{43}$/.test(value),
  'must be as clientele hash-secret printed it'
)

const account = object({ sub: text, username: text, password, claims: record.default({}) })

const resource = object({
  resource: text.refine(value => URL.canParse(value) && !value.includes('#'), 'must be an absolute URI without a fragment'),
  scopes: list(scopeValue),
  access_token_format: oneOf('jwt', 'opaque').default('jwt'),
  access_token_signing_alg: oneOf('RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519').default('ES256'),
  introspection_clients: list(text).default([])
})

const tls = object({
  port: whole(1, 65_535, 'a port').optional(),
  key: file,
  cert: file,
  client_ca: list(file).default([])
})

const certificateHeader = object({
  name: z.string('must be the name of a header').regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/i, 'must be the name of a header'),
  format: oneOf('rfc9440', 'url-encoded-pem', 'envoy-xfcc', 'base64-der'),
  trusted_proxies: list(
    z.string('must be an IP address').refine(value => isIP(value.replace(/\/\d+$/, '')) !== 0, 'must be an IP address or network')
  ).min(1, 'must name at least one address')
})

const address = z.url('must be a URL').optional()
const jwks = z.looseObject({ keys: list(record) }, 'must be a JWK Set').optional()

const trustedIssuer = object({ issuer: text, jwks, jwks_uri: address }).refine(
  issuer => (issuer.jwks === undefined) !== (issuer.jwks_uri === undefined),
  either('jwks', 'jwks_uri')
)

/** Which of two members is missing, or one too many. */
function either(one: string, other: string) {
  return { path: [one], message: `or ${other} must be given, and not both` }
}

const workloadIssuer = object({
  issuer: text,
  jwks,
  jwks_uri: address,
  max_lifetime: whole(1, year).default(86_400),
  use: oneOf('many', 'once').default('many')
}).refine(issuer => issuer.jwks === undefined || issuer.jwks_uri === undefined, {
  path: ['jwks_uri'],
  message: 'must not be given together with jwks'
})

const trustDomain = object({
  trust_domain: text,
  bundle: z.looseObject({ keys: list(record) }, 'must be a SPIFFE bundle').optional(),
  bundle_endpoint: address
}).refine(
  ({ bundle, bundle_endpoint }) => (bundle === undefined) !== (bundle_endpoint === undefined),
  either('bundle', 'bundle_endpoint')
)

const attester = object({
  jwks,
  trust_anchors: list(file).min(1, 'must name at least one file').optional(),
  clients: list(text).optional()
}).refine(
  ({ trust_anchors, ...given }) => (given.jwks === undefined) !== (trust_anchors === undefined),
  either('jwks', 'trust_anchors')
)

const failureBudget = z.union(
  [z.literal('off'), object({ attempts: whole(1, 1_000_000, 'attempts'), window: whole(1, 86_400) })],
  'must be "off" or an object with attempts and window'
)

const clientDocuments = z.union(
  [
    z.literal('off'),
    object({
      hosts: list(text).min(1, 'must name at least one host, or "*"').default(['*']),
      redirect_uris: oneOf('any', 'same-origin').default('any')
    })
  ],
  'must be "off" or an object with hosts and redirect_uris'
)

/** What hashes begin with; dots and brackets are those of paths. */
const beginning = z
  .string()
  .regex(/^[!-~]{1,32}$/)
  .regex(/^[^.[\]]+$/)

const secretHashes = z
  .record(z.string(), file, 'must be an object of modules, each by what the hashes begin with that it compares')
  .refine(modules => Object.keys(modules).length <= 20, 'must have at most twenty modules')
  .superRefine((modules, context) => {
    for (const key of Object.keys(modules))
      if (!beginning.safeParse(key).success)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: 'must be named by 1 to 32 printable ASCII characters that hashes begin with, without dots and brackets'
        })
  })

const policy = object({
  grant_types: list(oneOf(...grantTypes)).default([...grantTypes]),
  require_pkce: oneOf('public', 'always').default('public'),
  json_body: flag.default(false),
  credentials_endpoint: flag.default(false),
  assertion_audience: oneOf('issuer', 'report', 'legacy').default('issuer'),
  registration: oneOf('off', 'open', 'token').default('off'),
  initial_access_token: text.optional(),
  registration_grant_types: list(oneOf(...grantTypes)).default([]),
  registration_schemes: list(text).default([]),
  refresh_token_rotation: oneOf('unbound', 'always', 'never').default('unbound'),
  refresh_retry_window: whole(0, 300).default(10),
  access_token_ttl: whole(1, year).default(3600),
  authorization_code_ttl: whole(1, 600).default(60),
  refresh_token_ttl: whole(1, 10 * year).default(1_209_600),
  device_code_ttl: whole(1, 86_400).default(600),
  ciba_request_ttl: whole(1, 86_400).default(120),
  failure_budget: failureBudget.default({ attempts: 20, window: 60 }),
  refresh_token_expiration: flag.default(false),
  dpop_nonce: oneOf('off', 'required').default('off'),
  dpop_content_digest: oneOf('off', 'required').default('off'),
  workload_grant: flag.default(false),
  attestation_challenge: oneOf('offered', 'required').default('offered'),
  default_resource: oneOf('inferred', 'none').default('inferred'),
  profile: oneOf('oauth2', 'fapi2-security').default('oauth2')
})
  .refine(({ registration, initial_access_token }) => registration !== 'token' || initial_access_token !== undefined, {
    path: ['initial_access_token'],
    message: 'must be given when registration is "token"'
  })
  .refine(({ registration, profile }) => registration !== 'open' || profile !== 'fapi2-security', {
    path: ['registration'],
    message: 'must be "off" or "token" under the profile "fapi2-security"'
  })

/** Settings that an issuer has of its own, and shares with none of its tenants. */
const issuerSettings = {
  clients: list(clientMetadata).default([]),
  accounts: list(account).default([]),
  scopes: list(scopeValue).default(['openid', 'profile', 'email', 'offline_access', 'api:read', 'api:write']),
  resources: list(resource).default([]),
  trusted_issuers: list(trustedIssuer).default([]),
  workload_issuers: list(workloadIssuer).default([]),
  trust_domains: list(trustDomain).default([]),
  attesters: list(attester).default([]),
  client_documents: clientDocuments.default('off'),
  secret_hashes: secretHashes.default({}),
  policy: policy.prefault({})
}

function pathLike(example: string) {
  return z
    .string(`must be a path such as "${example}"`)
    .regex(/^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/, `must be a path such as "${example}", without a slash at its end`)
}

const mcp = object({
  path: pathLike('/mcp').default('/mcp'),
  required_scopes: list(scopeValue).min(1, 'must name at least one').default(['notes:read']),
  optional_scopes: list(scopeValue).default(['notes:write'])
})

const tenant = object({
  path: pathLike('/acme/banking'),
  ...issuerSettings
})

const listen = object({ host: text.optional(), port: whole(1, 65_535, 'a port').optional() })

/** An entry of Express's `trust proxy`: an address, a network or its name, and neither `true` nor a number of hops. */
const proxy = z
  .string('must be an IP address, a network, "loopback", "linklocal" or "uniquelocal"')
  .refine(
    value => ['loopback', 'linklocal', 'uniquelocal'].includes(value) || isNetwork(value),
    'must be an IP address, a network, "loopback", "linklocal" or "uniquelocal"'
  )

function isNetwork(value: string): boolean {
  const [, address = '', bits = '1'] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(value) ?? []
  const version = isIP(address)
  // a network of no bits is everybody: whoever reached the server could say for whom
  return version !== 0 && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128)
}

/** The whole file. */
export const configSchema = object({
  issuer: z.string('must be the absolute URL of this server'),
  listen: listen.optional(),
  trust_proxy: list(proxy).default([]),
  tls: tls.optional(),
  client_certificate_header: certificateHeader.optional(),
  mcp: mcp.optional(),
  ...issuerSettings,
  tenants: list(tenant).default([])
})

export type Settings = z.infer<typeof configSchema>
export type IssuerSettings = Omit<z.infer<typeof tenant>, 'path'>
export type McpSettings = z.infer<typeof mcp>
export type AccountSettings = z.infer<typeof account>
