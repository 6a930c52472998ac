/** The grants: what comes before the token request, and what each puts into it. */
import { random, sha256 } from './bytes.js'

const wait = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000))

/** By name: one sentence, whether a client of a method may use it, and what it does first. `steps` tells the diagram. */
export const grants = {
  client_credentials: {
    about: 'The client asks for itself. No person is involved.',
    suits: method => method !== 'none',
    begin: () => ({ grant_type: 'client_credentials', scope: 'api:read' })
  },
  authorization_code: {
    about: 'A person signs in and allows it; the client gets a code, and redeems it.',
    suits: () => true,
    begin: authorizationCode
  },
  'urn:ietf:params:oauth:grant-type:device_code': {
    about: 'A device without a keyboard shows a code, and a person enters it elsewhere.',
    suits: () => true,
    begin: deviceCode,
    polls: true
  },
  'urn:openid:params:grant-type:ciba': {
    about: 'The client names a person, who is asked on a device of their own.',
    suits: method => method !== 'none',
    begin: backchannel,
    polls: true
  },
  'urn:ietf:params:oauth:grant-type:token-exchange': {
    about: 'A token that the client was handed is exchanged for one of its own.',
    suits: method => method !== 'none',
    begin: exchange
  },
  'urn:ietf:params:oauth:grant-type:jwt-bearer': {
    about: 'An issuer the server trusts says who a person is. Here the demo plays that issuer.',
    suits: method => method !== 'none',
    begin: jwtBearer
  }
}

const scope = 'openid profile offline_access api:read'

/** Sends the person through the authorization endpoint, in a window of their own. */
async function authorizationCode({ setup, metadata, draft, steps, said }) {
  const code_verifier = random(32)
  const state = random(16)
  const redirect_uri = `${setup.issuer}/playground/callback`
  const query = new URLSearchParams({
    ...{ response_type: 'code', client_id: draft.client.client_id, redirect_uri, scope, state },
    ...{ code_challenge: await sha256(code_verifier), code_challenge_method: 'S256' }
  })
  const url = `${metadata.authorization_endpoint}?${query}`
  steps.add('page', 'person', 'opens the authorization endpoint', url)
  steps.add('person', 'server', `GET ${new URL(url).pathname}`)
  said({ text: 'Sign in and allow it in the other window.', href: url })
  const answer = await callback(state)
  if (answer.get('iss') !== metadata.issuer) throw new Error('The answer names another issuer.')
  const code = answer.get('code')
  if (code === null) throw new Error(`No code was issued: ${answer.get('error')}.`)
  steps.add('server', 'person', 'redirects with a code')
  steps.add('person', 'page', 'code, state, iss')
  return { grant_type: 'authorization_code', code, code_verifier, redirect_uri }
}

/** What comes back to /playground/callback with this state. */
function callback(state) {
  const channel = new BroadcastChannel('playground')
  return new Promise(resolve => {
    channel.onmessage = ({ data }) => {
      const answer = new URLSearchParams(data)
      if (answer.get('state') !== state) return
      channel.close()
      resolve(answer)
    }
  })
}

async function deviceCode({ metadata, steps, said, authenticated }) {
  steps.add('page', 'server', 'POST device_authorization')
  const answer = await authenticated(metadata.device_authorization_endpoint, { scope })
  steps.add('server', 'page', `user code ${answer.user_code}`)
  said({ text: `Enter the code ${answer.user_code} in the other window.`, href: answer.verification_uri_complete })
  steps.add('person', 'server', 'signs in, enters the code')
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: answer.device_code,
    interval: answer.interval
  }
}

async function backchannel({ setup, metadata, steps, said, authenticated }) {
  steps.add('page', 'server', 'POST bc-authorize, login_hint=alice')
  const answer = await authenticated(metadata.backchannel_authentication_endpoint, {
    scope,
    login_hint: 'alice',
    binding_message: 'A-42'
  })
  steps.add('server', 'page', 'auth_req_id')
  said({ text: 'Decide as alice in the other window.', href: `${setup.issuer}/ciba` })
  steps.add('person', 'server', 'signs in, allows it')
  return { grant_type: 'urn:openid:params:grant-type:ciba', auth_req_id: answer.auth_req_id, interval: answer.interval ?? 5 }
}

async function exchange({ metadata, steps, authenticated }) {
  steps.add('page', 'server', 'POST token, client_credentials')
  const { access_token } = await authenticated(metadata.token_endpoint, { grant_type: 'client_credentials', scope: 'api:read' })
  steps.add('server', 'page', 'an access token, to be exchanged')
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: access_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: 'https://api.example.com'
  }
}

async function jwtBearer({ setup, postJson, steps }) {
  const { assertion } = await postJson(`${setup.issuer}/playground/assertions`, { sub: 'u-alice' })
  steps.add('server', 'page', 'the demo’s other issuer says who it is')
  return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion, scope: 'api:read' }
}

/** Asks again while the person has not decided (RFC 8628 §3.5). */
export async function polled(ask, interval) {
  for (;;) {
    const answer = await ask()
    if (answer.body?.error !== 'authorization_pending' && answer.body?.error !== 'slow_down') return answer
    await wait(answer.body.error === 'slow_down' ? interval + 5 : interval)
  }
}
