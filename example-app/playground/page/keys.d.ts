/** A key pair of WebCrypto. */
export interface PageKey {
  readonly privateKey: unknown
}
export function makeKey(options?: { readonly extractable?: boolean }): Promise<PageKey>
/** A request for a certificate, in PEM. */
export function certificateRequest(name: string, key: PageKey): Promise<string>
