/**
 * The least that could be called an answer. It reads no configuration, checks nothing it need not, and knows its one client;
 * whatever is slower than this buys something.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { clientSecret, codeChallenge, paths, publicHalf, redirectUri, scope, tokenLifetime } from '../cases.mjs'
import { authenticates } from './least-client.mjs'
import { randomValue, signer } from './least-token.mjs'

const tokenAnswer = token => `{"access_token":"${token}","token_type":"Bearer","expires_in":${tokenLifetime},"scope":"${scope}"}`
const expiry = () => Date.now() + tokenLifetime * 1000

/** What each grant does with an authenticated request: the answer's body, or undefined where there is none. */
const grants = {
  client_credentials({ bench, client, signingJwk }) {
    if (bench.token === 'jwt') {
      const sign = signer(signingJwk, client.client_id)
      return { answer: () => tokenAnswer(sign()) }
    }
    const tokens = new Map()
    return {
      answer() {
        const token = randomValue(32)
        tokens.set(token, { client_id: client.client_id, scope, expires_at: expiry() })
        return tokenAnswer(token)
      }
    }
  },

  /** A family is one entry: its id leads both of its tokens. */
  refresh_token({ client }) {
    const families = new Map()
    const begin = () => {
      const id = randomValue(16)
      const family = { client_id: client.client_id, scope, refresh: `${id}.${randomValue(32)}`, access: '', expires_at: expiry() }
      families.set(id, family)
      return family.refresh
    }
    const answer = form => {
      const presented = form.get('refresh_token') ?? ''
      const id = presented.slice(0, presented.indexOf('.'))
      const family = families.get(id)
      if (family === undefined || !isSame(presented, family.refresh)) return undefined
      const access = `${id}.${randomValue(32)}`
      const refresh = `${id}.${randomValue(32)}`
      families.set(id, { client_id: family.client_id, scope, refresh, access, expires_at: expiry() })
      return `${tokenAnswer(access).slice(0, -1)},"refresh_token":"${refresh}"}`
    }
    return { answer, prepare: begin }
  },

  authorization_code({ client }) {
    const codes = new Map()
    const tokens = new Map()
    const begin = () => {
      const code = randomValue(32)
      codes.set(code, { client_id: client.client_id, redirectUri, codeChallenge })
      return code
    }
    const answer = form => {
      const code = form.get('code')
      const agreed = codes.get(code)
      if (agreed === undefined || agreed.redirectUri !== form.get('redirect_uri')) return undefined
      codes.delete(code)
      const challenge = createHash('sha256').update(form.get('code_verifier')).digest('base64url')
      if (challenge !== agreed.codeChallenge) return undefined
      const token = randomValue(32)
      tokens.set(token, { client_id: client.client_id, scope, expires_at: expiry() })
      return tokenAnswer(token)
    }
    return { answer, prepare: begin }
  },

  introspection({ client }) {
    const tokens = new Map()
    const begin = () => {
      const token = randomValue(32)
      tokens.set(token, { client_id: client.client_id, scope, expires_at: expiry() })
      return token
    }
    const answer = form => {
      const found = tokens.get(form.get('token'))
      if (found === undefined || found.expires_at < Date.now()) return '{"active":false}'
      const exp = Math.floor(found.expires_at / 1000)
      return `{"active":true,"client_id":"${found.client_id}","scope":"${found.scope}","token_type":"Bearer","exp":${exp}}`
    }
    return { answer, prepare: begin }
  }
}

function isSame(presented, kept) {
  return presented.length === kept.length && timingSafeEqual(Buffer.from(presented), Buffer.from(kept))
}

/** A handler of `(req, res)` for the case's requests, their path, and what serve.mjs wants to know. */
export function least(setting) {
  const { bench, signingJwk } = setting
  const isRight = authenticates({ ...setting, clientSecret })
  const grant = grants[bench.grant](setting)
  const handle = (req, res) => {
    let body = ''
    req.on('data', chunk => (body += chunk.latin1Slice()))
    req.on('end', () => {
      const form = new URLSearchParams(body)
      const authenticated = isRight(req, form)
      const answer = authenticated ? grant.answer(form) : undefined
      const text = answer ?? (authenticated ? '{"error":"invalid_grant"}' : '{"error":"invalid_client"}')
      res.writeHead(answer === undefined ? (authenticated ? 400 : 401) : 200, {
        'Content-Type': 'application/json',
        'Content-Length': text.length,
        'Cache-Control': 'no-store'
      })
      res.end(text)
    })
  }
  return {
    handle,
    path: bench.grant === 'introspection' ? paths.introspection : paths.token,
    jwks: { keys: [publicHalf(signingJwk)] },
    prepare: async count => Array.from({ length: count }, () => grant.prepare())
  }
}
