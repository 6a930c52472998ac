/** Grant types that more than their token issuer knows by name. */

/**
 * Backchannel authentication: a client registers for it, an endpoint takes its requests, and a token issuer redeems
 * what comes of them (CIBA Core §4).
 */
export const cibaGrantType = 'urn:openid:params:grant-type:ciba'
