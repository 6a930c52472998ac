/** A target that lets in what it must refuse is not comparable: before anything is measured, it is tried. */
import { clientSecret, isAsserted } from './cases.mjs'
import { judge } from './check.mjs'
import { Connection } from './connection.mjs'
import { assertedRequests, codeRequest, credentialsRequest, introspectionRequest, refreshRequest } from './requests.mjs'

const wrongSecret = `${clientSecret.slice(0, -1)}A`
/** Well-formed, and nobody's. */
const unknownToken = 'x'.repeat(43)

/** How many codes, refresh tokens or access tokens {@link probe} uses up. */
export const probeCount = 2

/** Tries a target's good answer and its refusals. Returns what is wrong, or undefined. */
export async function probe(bench, { port, clientKey, prepared }) {
  const connection = await Connection.open(port)
  const ask = request =>
    new Promise((resolve, reject) => connection.send(request, (status, body) => resolve({ status, body }), reject))
  const tries = {
    async granted(request) {
      const { status, body } = await ask(request)
      const { answer, fault } = judge(bench, status, body)
      if (fault !== undefined) throw new Error(fault)
      return answer
    },
    async refused(what, request) {
      const { status, body } = await ask(request)
      if (status >= 500) throw new Error(`${what} got ${status}: ${body.slice(0, 200)}`)
      if (status === 200 && !body.includes('"active":false')) throw new Error(`${what} was accepted`)
    }
  }
  try {
    await tryOut(bench, { clientKey, prepared }, tries)
    return undefined
  } catch (error) {
    return error.message
  } finally {
    connection.close()
  }
}

async function tryOut(bench, { clientKey, prepared }, { granted, refused }) {
  if (isAsserted(bench)) {
    const [request] = assertedRequests(bench, clientKey, 1)
    await granted(request)
    // an SVID is good until it ends
    if (bench.method === 'spiffe_jwt') return refused('a changed SVID', request.replace(/.{8}$/, 'AAAAAAAA'))
    return refused('a replayed assertion', request)
  }
  switch (bench.grant) {
    case 'refresh_token': {
      const { refresh_token } = await granted(refreshRequest(bench, prepared[0]))
      await granted(refreshRequest(bench, refresh_token))
      // twice replaced: some take the one before for a moment, so that a lost answer is no logout
      return refused('a replaced refresh token', refreshRequest(bench, prepared[0]))
    }
    case 'authorization_code':
      await granted(codeRequest(bench, prepared[0]))
      await refused('a code used before', codeRequest(bench, prepared[0]))
      return refused('a wrong code_verifier', codeRequest(bench, prepared[1], 'w'.repeat(43)))
    case 'introspection':
      await granted(introspectionRequest(bench, prepared[0]))
      return refused('an unknown token', introspectionRequest(bench, unknownToken))
    default:
      await granted(credentialsRequest(bench))
      return refused('a wrong secret', credentialsRequest(bench, wrongSecret))
  }
}
