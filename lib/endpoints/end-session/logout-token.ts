/** Logout tokens (OpenID Connect Back-Channel Logout §2.4): what tells a client that a session has ended. */
import type { Client } from '../../clients/client.ts'
import { idTokenAlgorithm } from '../../tokens/id-token.ts'
import { subjectFor } from '../../tokens/subject.ts'
import type { TokenServer } from '../../tokens/token-server.ts'

/** Seconds: the specification recommends at most two minutes. */
const lifetime = 120
const event = 'http://schemas.openid.net/event/backchannel-logout'

/** The person whose session ended, and the session; without `sid`: all of theirs. */
export interface EndedSession {
  readonly sub: string
  readonly sid?: string | undefined
}

/** A logout token for one client, signed as its ID Tokens are. Each is good once, for two minutes. */
export function mintLogoutToken(server: TokenServer, client: Client, { sub, sid }: EndedSession): Promise<string> {
  const iat = Math.floor(server.clock() / 1000)
  return server.keys.sign(idTokenAlgorithm(server, client), 'logout+jwt', {
    iss: server.issuer,
    sub: subjectFor(server, client, sub),
    aud: client.client_id,
    iat,
    exp: iat + lifetime,
    jti: server.random(16).toString('base64url'),
    sid,
    events: { [event]: {} }
  })
}
