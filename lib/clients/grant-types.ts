/** Grant types that more than their token issuer knows by name. */

/**
 * Backchannel authentication: a client registers for it, an endpoint takes its requests, and a token issuer redeems
 * what comes of them (CIBA Core §4).
 */
export const cibaGrantType = 'urn:openid:params:grant-type:ciba'

/** Device codes: an endpoint hands them out, and a token issuer redeems them (RFC 8628 §3.4). */
export const deviceCodeGrantType = 'urn:ietf:params:oauth:grant-type:device_code'

/** In these a person decides, and it is the person's own access that is given. */
export const grantsOfPeople: readonly string[] = ['authorization_code', 'refresh_token', deviceCodeGrantType]
