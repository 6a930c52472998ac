/**
 * Plays those who vouch for the demo's workloads: prints the token that a pod finds in its file system, or the JWT-SVID that a workload is given.
 *
 *     node example-app/demo/workload.mjs pod|svid [folder]
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importJWK, SignJWT } from 'jose'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const [workload, folder = join(root, 'data', 'demo')] = process.argv.slice(2)
if (workload !== 'pod' && workload !== 'svid') {
  console.error('usage: node example-app/demo/workload.mjs pod|svid [folder]')
  process.exit(1)
}

const { issuer, platform, spiffe } = JSON.parse(readFileSync(join(folder, 'material.json'), 'utf8'))
const pod = { iss: platform.issuer, ...platform.pod, jti: randomUUID() }
const [claims, jwk] = workload === 'pod' ? [pod, platform.jwk] : [{ sub: spiffe.id }, spiffe.jwk]
const token = await new SignJWT(claims)
  .setProtectedHeader({ alg: jwk.alg, kid: jwk.kid, typ: 'JWT' })
  .setAudience(issuer)
  .setIssuedAt()
  .setExpirationTime(workload === 'pod' ? '1h' : '5m')
  .sign(await importJWK(jwk))
process.stdout.write(token)
