/** Who is measured, and in which cases: everybody in every case they have. */
import { cases } from './cases.mjs'

export const control = 'floor again'

const byPassword = ['basic-opaque', 'post-opaque', 'refresh', 'code']

/** @type {readonly { name: string, module?: string, peer?: true, program?: true, cases?: readonly string[] }[]} */
export const targets = [
  { name: 'floor' },
  { name: 'node-http' },
  { name: 'floor-create-server' },
  { name: 'clientele' },
  { name: 'clientele-create-server' },
  { name: 'clientele-before-express' },
  { name: 'oidc-provider', peer: true },
  { name: 'oidc-provider-in-express', peer: true },
  { name: 'oauth2orize', peer: true, cases: byPassword },
  { name: 'node-oauth', peer: true, cases: byPassword },
  {
    name: 'better-auth',
    peer: true,
    cases: ['basic-opaque', 'post-opaque', 'basic-jwt', 'es256-opaque', 'es256-jwt', 'rs256-jwt', 'introspection']
  },
  { name: 'hydra', peer: true, program: true, cases: ['basic-opaque', 'post-opaque'] },
  {
    name: 'spring-authorization-server',
    peer: true,
    program: true,
    cases: ['basic-opaque', 'post-opaque', 'basic-jwt']
  },
  { name: control, module: 'floor' }
]

/** Those that are no Node: what is in their heap is not for us to ask. */
export const others = targets.filter(({ program }) => program === true).map(({ name }) => name)
export const peers = targets.filter(({ peer }) => peer === true).map(({ name }) => name)

/** The targets of a case as entries for `measure`. */
export function entriesFor(bench, names) {
  return targets
    .filter(({ name, cases: able = cases.map(({ name }) => name) }) => names.includes(name) && able.includes(bench.name))
    .map(({ name, module = name }) => ({ name, module }))
}

/** The cases that tell stores apart: one write, two, three and a comparison, a code taken, and one read. */
export const storeCases = ['basic-opaque', 'es256-opaque', 'refresh', 'code', 'introspection']
export const stores = ['memory', 'sqlite', 'postgres', 'redis']

/** What several processes can share: nothing, as a JWT needs none; and a store that is a server. */
export const processCases = [
  { name: 'basic-jwt', store: 'memory' },
  { name: 'basic-opaque', store: 'redis' }
]
export const processCounts = [1, 2, 3, 4]
