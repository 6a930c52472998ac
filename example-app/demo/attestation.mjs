/**
 * Plays the demo's attester and one instance of a client: makes a key, has the attester vouch for it, asks the server for a challenge or a nonce, and
 * prints the headers of one request:
 *
 *     node example-app/demo/attestation.mjs demo-attested [folder] | curl -H @- …
 */
import { randomUUID, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exportJWK, generateKeyPair, importPKCS8, SignJWT } from 'jose'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const [client_id, folder = join(root, 'data', 'demo')] = process.argv.slice(2)
if (client_id !== 'demo-attested' && client_id !== 'demo-attested-dpop') {
  console.error('usage: node example-app/demo/attestation.mjs demo-attested|demo-attested-dpop [folder]')
  process.exit(1)
}

const { issuer, attester } = JSON.parse(readFileSync(join(folder, 'material.json'), 'utf8'))
const instance = await generateKeyPair('ES256')
const jwk = await exportJWK(instance.publicKey)

// the attester's part: it would look at the device first
const x5c = [new X509Certificate(attester.cert).raw.toString('base64')]
const attestation = await new SignJWT({ cnf: { jwk } })
  .setProtectedHeader({ typ: 'oauth-client-attestation+jwt', alg: 'ES256', x5c })
  .setSubject(client_id)
  .setIssuedAt()
  .setExpirationTime('1h')
  .sign(await importPKCS8(attester.key, 'ES256'))

// the instance's part
const answer = await fetch(`${issuer}/oauth2/challenge`, { method: 'POST' })
const { attestation_challenge: challenge } = await answer.json()
const combined = client_id === 'demo-attested-dpop'
const claims = combined
  ? { htm: 'POST', htu: `${issuer}/oauth2/token`, nonce: answer.headers.get('dpop-nonce') }
  : { aud: issuer, challenge }
const proof = await new SignJWT(claims)
  .setProtectedHeader(
    combined ? { typ: 'dpop+jwt', alg: 'ES256', jwk } : { typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' }
  )
  .setJti(randomUUID())
  .setIssuedAt()
  .sign(instance.privateKey)
const proofHeader = combined ? 'DPoP' : 'OAuth-Client-Attestation-PoP'
process.stdout.write(`OAuth-Client-Attestation: ${attestation}\n${proofHeader}: ${proof}\n`)
