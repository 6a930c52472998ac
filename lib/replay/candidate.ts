/** The configuration that kept authentications are judged by again. */
import { attestationBy } from '../assertions/attestation/attestation.ts'
import { dpopNonces } from '../assertions/dpop-nonces.ts'
import { assertionOptionChecks, assertionPolicy, type AssertionPolicy } from '../assertions/assertion-policy.ts'
import { clientRegistry, type ClientRegistry } from '../clients/client.ts'
import type { BasicEncoding } from '../credentials/secrets/client-secret.ts'
import { authoritiesOf, type TrustedAuthorities } from '../certificates/authorities.ts'
import { addressesOf } from '../http/endpoint-paths.ts'
import { ConfigurationError, issuerIdentifier, readOptions } from '../options.ts'
import { policyOf } from '../profiles.ts'
import type { Store } from '../stores/store.ts'
import { builtInStrategies } from '../strategies/index.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import type { AuthorizationServerOptions } from '../authorization-server/options.ts'
import { judgingChecks } from '../token-endpoint/options.ts'
import type { TokenRouterCandidate, TokenRouterOptions } from '../token-endpoint/options.ts'

/** The options of `authorizationServer()` or `tokenRouter()`, as far as they decide who is authenticated. */
export interface ReplayedOptions
  extends
    Required<Pick<TokenRouterOptions, 'issuer' | 'clients'>>,
    Omit<TokenRouterCandidate, 'clients'>,
    Pick<TokenRouterOptions, 'paths' | 'tokenEndpoints' | 'clientDocuments'>,
    Pick<AuthorizationServerOptions, 'mtlsOrigin' | 'registration'> {}

/** The candidate, ready to judge. */
export interface ReplayCandidate {
  readonly clients: ClientRegistry
  /** Whether clients may be there that are not configured. */
  readonly hasOthers: boolean
  readonly methods: ReadonlyMap<string, Pick<ClientAuthenticationStrategy, 'name' | 'mechanism' | 'certificate' | 'public'>>
  readonly policy: AssertionPolicy
  readonly basicEncoding: BasicEncoding | undefined
  /** The authorities its certificates must come from; undefined where nobody can tell: then a chain stays as it was. */
  readonly authorities: TrustedAuthorities | undefined
  /** The time of the record that is judged, milliseconds since the epoch. */
  readonly clock: { now: number }
}

/** A store in which everything is new: what was good once was, when it was judged. */
const fresh = { add: () => Promise.resolve(true) } as Pick<Store, 'add'> as Store

/** @throws ConfigurationError naming the option that is wrong. */
export function replayCandidate(options: ReplayedOptions): ReplayCandidate {
  if (typeof options !== 'object' || (options as unknown) === null) throw new ConfigurationError('options', 'must be an object')
  const issuer = issuerIdentifier().read(options.issuer, 'issuer')
  const given = Object.fromEntries(Object.keys(judgingChecks).map(name => [name, options[name as keyof ReplayedOptions]]))
  const read = readOptions(given, judgingChecks)
  const { profile, assertionAudience, assertionDials, assertionAlgorithms, basicEncoding } = read
  const rules = policyOf(profile)
  const clock = { now: 0 }
  const time = (): number => clock.now
  const clients = clientRegistry(read.clients)
  const policy = assertionPolicy(
    readOptions(
      {
        ...{ issuer, store: fresh, clock: time, assertionAudience, assertionDials },
        legacyAudiences: rules.legacyAudiences ? audiencesOf(options) : [],
        algorithms: assertionAlgorithms ?? rules.algorithms,
        audienceAsStringOnly: rules.audienceAsStringOnly
      },
      assertionOptionChecks
    )
  )
  const mounted = read.strategies ?? builtIn(read, { issuer, clients })
  const strategies = mounted.filter(({ name }) => rules.methods?.includes(name) !== false)
  return {
    ...{ clients, policy, basicEncoding, clock },
    hasOthers: options.registration !== undefined || options.clientDocuments !== undefined,
    methods: new Map(strategies.map(strategy => [strategy.name, strategy])),
    authorities: read.certificateSource && authoritiesOf(read.certificateSource)
  }
}

function builtIn(
  { workloads, attestation, certificateMethods, basicEncoding }: ReturnType<typeof readOptions<typeof judgingChecks>>,
  server: { readonly issuer: string; readonly clients: ClientRegistry }
): readonly ClientAuthenticationStrategy[] {
  const made = { ...server, store: fresh }
  return builtInStrategies({
    ...{ ...made, certificateMethods, basicEncoding, workloads: workloads?.given },
    attestation: attestation && attestationBy(attestation, attesting(server.issuer))
  })
}

/** For what it is called, and what it accepts: nothing is attested here. */
function attesting(issuer: string): Parameters<typeof attestationBy>[1] {
  const mac = (): Buffer => Buffer.alloc(32)
  const shared = { issuer, store: fresh, clock: Date.now }
  return { ...shared, mac, dpop: { ...shared, algorithms: [], nonces: dpopNonces(mac, issuer, Date.now) } }
}

/** Accepted as `aud` beside the issuer, where the dial accepts that. */
function audiencesOf({ issuer, paths, tokenEndpoints, mtlsOrigin }: ReplayedOptions): readonly string[] {
  const { token_endpoint, pushed_authorization_request_endpoint, backchannel_authentication_endpoint } = addressesOf(
    issuer,
    paths
  )
  const own = [token_endpoint, pushed_authorization_request_endpoint, backchannel_authentication_endpoint]
  const aliases = mtlsOrigin === undefined ? [] : own.map(address => mtlsOrigin + new URL(address).pathname)
  return [...own, ...aliases, ...(tokenEndpoints ?? [])]
}
