/** What takes options about workloads, for the spec of every option. */
import { FederatedJwtStrategy, SpiffeJwtStrategy, SpiffeX509Strategy, tokenRouter } from '../../../lib/index.ts'
import {
  trustDomainChecks,
  workloadDialChecks,
  workloadIssuerChecks,
  workloadsTable
} from '../../../lib/assertions/workloads/options.ts'
import { federatedJwtChecks } from '../../../lib/strategies/federated-jwt.ts'
import { workloadStrategyChecks } from '../../../lib/strategies/workload-strategy.ts'

/** @param token what a token router needs. */
export function workloadTakers(token: { readonly issuer: string; readonly store: object; readonly clients: readonly object[] }) {
  const { issuer, store, clients } = token
  const workloads = { issuers: [{ issuer: 'https://platform.example' }] }
  const common = { clients, issuer, workloads }
  return {
    FederatedJwtStrategy: {
      good: { ...common, store },
      table: federatedJwtChecks,
      give: (options: never) => new FederatedJwtStrategy(options)
    },
    SpiffeJwtStrategy: {
      good: common,
      table: workloadStrategyChecks,
      give: (options: never) => new SpiffeJwtStrategy(options)
    },
    SpiffeX509Strategy: {
      good: common,
      table: workloadStrategyChecks,
      give: (options: never) => new SpiffeX509Strategy(options)
    },
    'tokenRouter, workloads': { good: token, table: workloadsTable, at: 'workloads', give: tokenRouter },
    'tokenRouter, workloads.dials': { good: token, table: workloadDialChecks, at: 'workloads.dials', give: tokenRouter },
    'a workload issuer': {
      good: token,
      table: workloadIssuerChecks,
      at: 'workloads.issuers[0]',
      inner: { issuer: 'https://platform.example' },
      give: tokenRouter
    },
    'a trust domain': {
      good: token,
      table: trustDomainChecks,
      at: 'workloads.trustDomains[0]',
      inner: { trustDomain: 'prod.example', bundleEndpoint: 'https://spire.example/bundle' },
      give: tokenRouter
    }
  }
}
