/** Ways of making an authorization request: pushed (RFC 9126), signed (RFC 9101), both. */
import * as client from 'openid-client'
import type { KeyParty } from './clients.ts'

type Build = (given: Readonly<Record<string, string>>) => Promise<URL>
type Signer = Pick<KeyParty, 'key'>

/** Sends it to the server first; the browser is left with its `request_uri`. A key binds the code to it. */
export function push(config: client.Configuration, DPoP?: client.DPoPHandle): Build {
  return given => client.buildAuthorizationUrlWithPAR(config, { ...given }, DPoP && { DPoP })
}

/** Signs it with the client's key; the browser carries it. */
export function sign(config: client.Configuration, { key }: Signer): Build {
  return given => client.buildAuthorizationUrlWithJAR(config, { ...given }, key)
}

/** Signs it, and pushes what was signed. */
export function signAndPush(config: client.Configuration, signer: Signer, DPoP?: client.DPoPHandle): Build {
  return async given => {
    const { searchParams } = await sign(config, signer)(given)
    return client.buildAuthorizationUrlWithPAR(config, searchParams, DPoP && { DPoP })
  }
}
