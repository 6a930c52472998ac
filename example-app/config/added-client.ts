/** A client that is to be added to the store, held against the server that a configuration file describes. */
import { authorizationServer, memoryStore, type PrivateKeySet, type KeySource } from 'clientele'
import { optionsOfSettings } from './server-options.ts'
import type { IssuerSettings, Settings } from './schema.ts'

/** The issuer whose client it is to be. */
export interface AddingIssuer {
  readonly issuer: string
  /** What the file says of it. */
  readonly own: IssuerSettings
  /** The whole file. */
  readonly file: Settings
  readonly keys: PrivateKeySet | KeySource
}

/** Makes the server with this client alone. @throws ConfigurationError naming what is wrong of `clients[0]`. */
export function checkAtServer(client: IssuerSettings['clients'][number], { issuer, own, file, keys }: AddingIssuer): void {
  const { tls, client_certificate_header: header, mcp } = file
  authorizationServer({
    ...optionsOfSettings({ ...own, clients: [client] }, issuer, issuer === file.issuer ? mcp : undefined),
    ...{ keys, store: memoryStore(), scopes: own.scopes, pairwiseSecret: 'x'.repeat(43) },
    certificateMethods: tls !== undefined || header !== undefined,
    interaction: { account: () => undefined, consented: () => false, prompt: () => undefined }
  })
}
