/**
 * What tenants, registered clients and used assertion ids cost as they become many: Markdown tables. `npm run build` first; then
 * `node bench/growth.mjs`, or with a part's name (`tenants`, `clients`, `jtis`) for that part alone; `--quick` for a hundredth of everything. Takes about ten minutes, and
 * two gigabytes under the temporary folder. PostgreSQL is measured where it is installed.
 */
import { growthOfClients } from './growth/clients.mjs'
import { fill, postgres, rowKeyOf, sqlite } from './growth/databases.mjs'
import { started } from './growth/drive.mjs'
import { issuer, jtiKey, megabytes, timesOf, whole } from './growth/shared.mjs'
import { growthOfTenants } from './growth/tenants.mjs'
import { table } from './report.mjs'

const quick = process.argv.includes('--quick')
/** How many there are of what grows. */
const sizes = (...counts) => counts.map(count => (quick ? Math.max(1, count / 100) : count))
const plan = { warmUp: quick ? 500 : 12_000, rounds: quick ? 5 : 45, each: 300 }

/** Adds a row, and shows it to whoever waits for the whole. */
function tell(rows, row) {
  rows.push(row)
  console.error(row.join('  '))
}

async function growthOfJtis() {
  const databases = [await sqlite(), await postgres()].filter(database => database !== undefined)
  try {
    return await jtisIn(databases)
  } finally {
    for (const database of databases) await database.stop()
  }
}

async function jtisIn(databases) {
  const rows = [['engine', 'live jtis', 'CPU µs', 'new: median ms', 'p99 ms', 'used before: median ms', 'p99 ms', 'memory']]
  const recordOf = index => [rowKeyOf(jtiKey(index)), 'null']
  for (const database of [{ engine: 'memory' }, ...databases]) {
    let filled = 0
    for (const live of sizes(1_000, 1_000_000)) {
      if (database.insert !== undefined) await fill(database, filled, live, recordOf)
      filled = live
      const { said } = await started('jtis.mjs', { engine: database.engine, address: database.address, live, first: 2e9 + live })
      const times = [...timesOf(said.fresh), ...timesOf(said.used)]
      tell(rows, [database.engine, whole(live), whole(said.cpu), ...times, megabytes(said.rss)])
    }
  }
  return table(rows)
}

const parts = {
  tenants: () => growthOfTenants(sizes(1, 1_000, 10_000), plan),
  clients: () => growthOfClients([sqlite, postgres], sizes(10, 10_000, 1_000_000), plan),
  jtis: growthOfJtis
}
const wanted = process.argv.slice(2).filter(argument => argument in parts)
for (const [name, measure] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  console.log(`\n**${name}**, issuer ${issuer}\n\n${await measure()}`)
}
