/** Makes what clientele's windows present through its own endpoints: codes at the authorization endpoint, tokens with them. */
import { scope } from '../cases.mjs'
import { Connection } from '../connection.mjs'
import { authorizationRequest, codeRequest, credentialsRequest } from '../requests.mjs'

const concurrency = 16

/** @returns {(count: number) => Promise<string[]>} */
export function preparation(bench, port) {
  const make = makers[bench.grant]
  return async count => {
    const made = []
    let begun = 0
    const work = async () => {
      const connection = await Connection.open(port)
      const ask = request =>
        new Promise((resolve, reject) =>
          connection.send(request, (status, body, head) => resolve({ status, body, head }), reject)
        )
      try {
        while (begun < count) {
          begun++
          made.push(await make(bench, ask))
        }
      } finally {
        connection.close()
      }
    }
    await Promise.all(Array.from({ length: concurrency }, work))
    return made
  }
}

/**
 * Each makes one of what a grant's requests present, by asking over and over.
 *
 * @type {Record<string, (bench: object, ask: (request: string) => Promise<{ status: number, body: string, head: string }>) => Promise<string>>}
 */
export const makers = {
  authorization_code: (bench, ask) => newCode(bench, ask, scope),
  /** One that buys a refresh token. */
  refreshable_code: (bench, ask) => newCode(bench, ask, `${scope} offline_access`),
  async refresh_token(bench, ask) {
    const code = await makers.refreshable_code(bench, ask)
    return member(await ask(codeRequest(bench, code)), 'refresh_token')
  },
  introspection: async (bench, ask) => member(await ask(credentialsRequest(bench)), 'access_token')
}

async function newCode(bench, ask, scope) {
  const { status, head } = await ask(authorizationRequest(bench, scope))
  const location = /\r\nlocation: *(\S+)/i.exec(head)?.[1]
  const code = location === undefined ? null : new URL(location).searchParams.get('code')
  if (code === null) throw new Error(`no code: ${status} ${location}`)
  return code
}

function member({ status, body }, name) {
  const value = status === 200 ? JSON.parse(body)[name] : undefined
  if (value === undefined) throw new Error(`no ${name}: ${status} ${body}`)
  return value
}
