/** What a look-up of a registered client costs as they become many: a database for each number of them, and a server on each. */
import { generateKeys } from '../../dist/lib/index.js'
import { table } from '../report.mjs'
import { fill, rowKeyOf } from './databases.mjs'
import { columns, inTurns, started } from './drive.mjs'
import { issuer, randomBelow, whole } from './shared.mjs'

/** An authorization request of a client that exists, without anybody there: one look into the store, and nothing written. */
function authorizationRequest(client_id) {
  const query = new URLSearchParams({
    client_id,
    response_type: 'code',
    redirect_uri: 'https://client.example.com/cb',
    prompt: 'none',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256'
  })
  return `GET /oauth2/authorize?${query.toString()} HTTP/1.1\r\nHost: x\r\n\r\n`
}

/** Registers one client; answers with what is kept of any of them. */
async function registeredRecord(database, setting) {
  const { child, said: port } = await started('server.mjs', setting)
  const response = await fetch(`http://127.0.0.1:${port}/oauth2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['https://client.example.com/cb'], token_endpoint_auth_method: 'none' })
  })
  const { client_id } = await response.json()
  child.disconnect()
  const value = await database.valueLike(`%"client_id":"${client_id}"%`)
  // as the server keeps the records of its issuer apart
  const kind = `${issuer.length}:${issuer}registered_client`
  return id => [rowKeyOf({ kind, id }), value.replaceAll(client_id, id)]
}

const clientId = index => index.toString(16).padStart(32, '0')

/** Puts so many clients into a database, and starts a server on it. */
async function serverOf(database, count, keys) {
  const setting = { engine: database.engine, address: database.address, keys }
  const recordOf = await registeredRecord(database, setting)
  await fill(database, 0, count, index => recordOf(clientId(index)))
  const { child, said: port } = await started('server.mjs', setting)
  const random = randomBelow(count)
  return { child, port, requestOf: () => authorizationRequest(clientId(random())), status: 303 }
}

/**
 * @param engines functions that open a database of their own each time, undefined where the engine is not installed.
 * @returns a table.
 */
export async function growthOfClients(engines, counts, { warmUp, ...plan }) {
  const rows = [['engine', 'clients', ...columns]]
  const keys = await generateKeys(['ES256'])
  for (const open of engines) {
    const databases = await Promise.all(counts.map(open))
    if (databases.includes(undefined)) continue
    const servers = []
    try {
      for (const [index, count] of counts.entries()) servers.push({ ...(await serverOf(databases[index], count, keys)), warmUp })
      const cells = await inTurns(servers, plan)
      rows.push(...counts.map((count, index) => [databases[index].engine, whole(count), ...cells[index]]))
    } finally {
      for (const { child } of servers) child.disconnect()
      for (const database of databases) await database.stop()
    }
  }
  return table(rows)
}
