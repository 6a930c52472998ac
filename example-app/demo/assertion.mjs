/**
 * Prints a fresh client assertion (RFC 7523) of a demo client:
 *
 *     node example-app/demo/assertion.mjs demo-private-key-jwt [folder]
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importJWK, SignJWT } from 'jose'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const [client_id, folder = join(root, 'data', 'demo')] = process.argv.slice(2)

const { issuer, secrets, jwk } = JSON.parse(readFileSync(join(folder, 'material.json'), 'utf8'))
const ofKey = { alg: jwk.alg, kid: jwk.kid, key: await importJWK(jwk) }
const signers = {
  'demo-secret-jwt': { alg: 'HS256', key: Buffer.from(secrets['demo-secret-jwt']) },
  'demo-private-key-jwt': ofKey
}
// a client that has a document is named by its address
const isDocument = /^https:\/\/localhost:\d+\/demo\/machine\.json$/.test(client_id ?? '')
const signer = isDocument ? ofKey : Object.hasOwn(signers, client_id ?? '') ? signers[client_id] : undefined
if (signer === undefined) {
  console.error(`usage: node example-app/demo/assertion.mjs ${Object.keys(signers).join('|')}|https://… [folder]`)
  process.exit(1)
}

const { key, ...header } = signer
const assertion = await new SignJWT({})
  .setProtectedHeader({ ...header, typ: 'JWT' })
  .setIssuer(client_id)
  .setSubject(client_id)
  .setAudience(issuer)
  .setJti(randomUUID())
  .setIssuedAt()
  .setExpirationTime('60s')
  .sign(key)
process.stdout.write(assertion)
