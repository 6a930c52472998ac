/** What takes the options of attestation, for the spec of every option. */
import {
  AttestJwtClientAuthDpopStrategy,
  AttestJwtClientAuthStrategy,
  clientAttestation,
  tokenRouter,
  type TokenRouterOptions
} from '../../../lib/index.ts'
import { attesterChecks } from '../../../lib/assertions/attestation/attesters.ts'
import { attestationOptionChecks, clientAttestationChecks } from '../../../lib/assertions/attestation/options.ts'
import { attestJwtClientAuthDpopChecks } from '../../../lib/strategies/attest-jwt-client-auth-dpop.ts'
import { attestationStrategyChecks } from '../../../lib/strategies/attestation-strategy.ts'

/** @param token options of a token router. */
export function attestationTakers(token: TokenRouterOptions) {
  const { issuer, store, clients } = token
  const attester = { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] } }
  const good = { clients, attestation: clientAttestation({ issuer, store, attesters: [attester] }) }
  const made = (Strategy: new (options: never) => object) => (options: never) => new Strategy(options)
  const attesters = [attester]
  return {
    clientAttestation: { good: { issuer, store, attesters }, table: clientAttestationChecks, give: clientAttestation },
    'an attester': {
      good: { issuer, store },
      table: attesterChecks,
      at: 'attesters[0]',
      inner: attester,
      give: clientAttestation
    },
    'tokenRouter, attestation': {
      good: token,
      table: attestationOptionChecks,
      at: 'attestation',
      inner: { attesters },
      give: tokenRouter
    },
    AttestJwtClientAuthStrategy: { good, table: attestationStrategyChecks, give: made(AttestJwtClientAuthStrategy) },
    AttestJwtClientAuthDpopStrategy: { good, table: attestJwtClientAuthDpopChecks, give: made(AttestJwtClientAuthDpopStrategy) }
  }
}
