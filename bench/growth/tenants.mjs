/** What a request of a tenant costs as tenants become many: a server for each number of them, asked for one tenant and for all. */
import { table } from '../report.mjs'
import { columns, inTurns, started } from './drive.mjs'
import { client, randomBelow, whole } from './shared.mjs'

const body = 'grant_type=client_credentials'
const authorization = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')
const type = 'application/x-www-form-urlencoded'
const head = `Host: x\r\nAuthorization: Basic ${authorization}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}`
const requestTo = tenant => `POST /t${tenant}/oauth2/token HTTP/1.1\r\n${head}\r\n\r\n${body}`

/** Asks every tenant once, then any of them. */
function everyoneFirst(count) {
  const random = randomBelow(count)
  let asked = 0
  return () => requestTo(asked < count ? asked++ : random())
}

/** @returns a table. */
export async function growthOfTenants(counts, { warmUp, ...plan }) {
  const rows = [['tenants', 'requests', ...columns]]
  const servers = []
  try {
    for (const count of counts) {
      const { child, said: port } = await started('server.mjs', { count })
      const all = { requestOf: everyoneFirst(count), warmUp: Math.max(count, warmUp) }
      const one = { requestOf: () => requestTo(0), warmUp: 0 }
      servers.push(
        { ...all, which: 'spread over all', count, child, port, status: 200 },
        { ...one, which: 'to one', count, child, port, status: 200 }
      )
    }
    const cells = await inTurns(servers, plan)
    rows.push(...servers.map(({ count, which }, index) => [whole(count), which, ...cells[index]]))
  } finally {
    for (const { child } of servers) if (child.connected) child.disconnect()
  }
  return table(rows)
}
