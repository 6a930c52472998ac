/** What an issuer must keep to itself: the keys it signs with, and the secret of its pairwise identifiers. */
import { randomBytes } from 'node:crypto'
import { generateKeys, type AuthorizationServerOptions } from 'clientele'

export type IssuerSecrets = Required<Pick<AuthorizationServerOptions, 'keys' | 'pairwiseSecret'>>

/**
 * The secrets of an issuer. They end with the process, like everything else this server keeps in memory. Whatever makes them last must keep
 * the two apart: keys are replaced from time to time; with another pairwise secret everybody is a stranger to the clients that know people by it.
 */
export async function issuerSecrets(): Promise<IssuerSecrets> {
  return { keys: await generateKeys(), pairwiseSecret: randomBytes(32) }
}
