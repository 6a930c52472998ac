/** DPoP proofs that are wrong in one place (RFC 9449 §4.3), beside a client authentication that is right. */
import { randomUUID } from 'node:crypto'
import { noDpop } from './announced.ts'
import type { Attempt } from './case.ts'
import { compact, now, part, strangersKey, tokenRequest, type Forged, type SigningKey, type Target } from './target.ts'
import type { JsonWebKey } from 'node:crypto'

type Key = SigningKey & { readonly publicJwk: JsonWebKey; readonly privateJwk: JsonWebKey }

function goodProof(url: string, key: Key): Forged {
  const claims = { jti: randomUUID(), htm: 'POST', htu: url, iat: now() }
  return { header: { typ: 'dpop+jwt', alg: key.alg, jwk: key.publicJwk }, claims, key }
}

function proof(name: string, change: (jwt: Forged, key: Key, target: Target) => unknown): Attempt {
  return spoilt(name, 'RFC 9449 §4.3', (jwt, key, target) => {
    change(jwt, key, target)
    return compact(jwt)
  })
}

function spoilt(name: string, section: string, sent: (jwt: Forged, key: Key, target: Target) => string): Attempt {
  return {
    name,
    section,
    wires: target => {
      const wire = tokenRequest(target)
      const key = strangersKey()
      return [{ ...wire, headers: { ...wire.headers, dpop: sent(goodProof(wire.url, key), key, target) } }]
    }
  }
}

const claim = (name: string, claims: Record<string, unknown>): Attempt => proof(name, jwt => Object.assign(jwt.claims, claims))
const head = (name: string, header: Record<string, unknown>): Attempt => proof(name, jwt => Object.assign(jwt.header, header))

const attempts: readonly Attempt[] = [
  claim('for another address', { htu: 'https://attacker.invalid/token' }),
  proof('for another path of this server', jwt => (jwt.claims['htu'] = `${String(jwt.claims['htu'])}/other`)),
  ...['GET', 'post', '', 1, null].map(htm => claim(`for the method ${JSON.stringify(htm)}`, { htm })),
  ...['', 1, null, 'x'].map(htu => claim(`for the address ${JSON.stringify(htu)}`, { htu })),
  ...['htu', 'htm', 'iat', 'jti'].map(name => proof(`without ${name}`, jwt => Reflect.deleteProperty(jwt.claims, name))),
  claim('of an hour ago', { iat: now() - 3600 }),
  claim('of an hour ahead', { iat: now() + 3600 }),
  claim('of no time at all', { iat: 'now' }),
  claim('of a time that is none', { iat: null }),
  ...[1, null, '', {}].map(jti => claim(`with the jti ${JSON.stringify(jti)}`, { jti })),
  ...['JWT', 'at+jwt', 'dpop', '', 1].map(typ => head(`of the type ${JSON.stringify(typ)}`, { typ })),
  proof('without a type', jwt => delete jwt.header['typ']),
  ...['none', 'HS256', '', 1].map(alg => head(`with alg ${JSON.stringify(alg)}`, { alg })),
  proof('without a key', jwt => delete jwt.header['jwk']),
  proof('with another key than it is signed by', jwt => (jwt.header['jwk'] = strangersKey().publicJwk)),
  proof('that shows its private key', (jwt, key) => (jwt.header['jwk'] = key.privateJwk)),
  head('with a symmetric key', { jwk: { kty: 'oct', k: part('secret') } }),
  head('with a key that is none', { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } }),
  head('with a key that is text', { jwk: 'key' }),
  head('with a crit that nobody understands', { crit: ['attack'], attack: 1 }),
  spoilt('without a signature', 'RFC 9449 §4.3', jwt => compact(jwt).replace(/[^.]*$/, '')),
  spoilt('that is no JWT', 'RFC 9449 §4.3', () => 'attack'),
  spoilt(
    'of two proofs in one header',
    'RFC 9449 §4.3',
    (jwt, key) => `${compact(jwt)}, ${compact(goodProof(String(jwt.claims['htu']), key))}`
  ),
  {
    name: 'sent twice',
    section: 'RFC 9449 §11.1',
    wires: target => {
      const first = tokenRequest(target)
      const dpop = compact(goodProof(first.url, strangersKey()))
      const second = tokenRequest(target)
      return [first, second].map(wire => ({ ...wire, headers: { ...wire.headers, dpop } }))
    }
  }
]

/** The cases. */
export const proofAttempts: readonly Attempt[] = attempts.map(attempt => ({
  ...attempt,
  name: `DPoP proof, ${attempt.name}`,
  ignorable: noDpop
}))
