/** The parts of a token endpoint, once every option has been read. */
import type { DpopPolicy } from '../assertions/dpop-proof.ts'
import type { Shadow } from '../authentication/shadow/shadow.ts'
import type { ClientKeys } from '../client-keys/client-keys.ts'
import type { ClientRegistry, ClientSource } from '../clients/client.ts'
import type { Offered } from '../clients/offered.ts'
import type { GuessProtection } from '../credentials/guesses/guess-protection.ts'
import type { BreakReport } from '../events/break-report.ts'
import type { EventSource } from '../events/event-source.ts'
import type { Store } from '../stores/store.ts'
import type { ClientAuthenticationStrategy } from '../strategies/strategy.ts'
import type { TokenIssuer } from '../token-issuers/token-issuer.ts'
import type { TokenServer } from '../tokens/token-server.ts'
import type { WorkloadGrant } from './workload-grant.ts'
import type { ServerAttestation } from './attestation.ts'

/** The parts a token endpoint is made of. An authorization server builds its other endpoints on the same ones. */
export interface TokenEndpointParts {
  readonly server: TokenServer
  /** The store that `server` asks, as the strategies of this server have it. */
  readonly store: Store
  /** Told of what happens at authentication. */
  readonly events: EventSource
  /** Report of the clients that break rules whose dials report. */
  readonly breaks: BreakReport
  readonly clients: ClientRegistry
  /** Whether clients may be described by documents of their own. */
  readonly clientDocuments: boolean
  /** Source of the configured clients. */
  readonly clientSource: ClientSource | ClientRegistry
  /** Everything clients may have registered, as far as a token endpoint can say. */
  readonly offered: Offered
  readonly strategies: readonly ClientAuthenticationStrategy[]
  readonly tokenIssuers: ReadonlyMap<string, TokenIssuer>
  /** Policy for DPoP proofs, here and at protected endpoints. */
  readonly dpop: DpopPolicy
  /** Policy for attestations; undefined: none are taken. */
  readonly attestation: ServerAttestation | undefined
  /** The keys of clients, with their cache. */
  readonly clientKeys: ClientKeys
  /** Addresses that token requests may have been sent to. */
  readonly tokenEndpoints: readonly string[]
  /** Bounds guessing, at all endpoints together. */
  readonly guesses: GuessProtection | undefined
  /** Authenticates clients by a platform's token as a grant; undefined: nobody. */
  readonly workloadGrant: WorkloadGrant | undefined
  /** Whether every token must be bound to a key or a certificate (FAPI 2.0 §5.3.2.1 (4)). */
  readonly senderConstrained: boolean
  /** Tries a candidate configuration beside this one; undefined: nothing is tried. */
  readonly shadow: Shadow | undefined
}
