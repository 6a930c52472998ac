/** How long a target takes from the start of its process until it serves, and what it holds then. */
import { cases, clientOf, newKey } from './cases.mjs'
import { median } from './report.mjs'
import { startTarget } from './workers.mjs'

const bench = cases[0]

/**
 * Medians over `rounds` starts, in turn.
 *
 * @param {readonly { name: string, module: string }[]} entries
 * @param {object} serverKeys clientele's, because a server finds its keys and does not make them at each start
 */
export async function measureStartup(entries, rounds, serverKeys) {
  const { client } = clientOf(bench)
  const setting = { bench, client, signingJwk: newKey('ES256', 'server'), store: { kind: 'memory' }, processes: 1, serverKeys }
  const starts = new Map(entries.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, module } of entries) {
      const target = await startTarget(module, setting)
      starts.get(name).push({ time: target.startTime, rss: (await target.usage()).rss })
      await target.stop()
    }
  }
  return [...starts].map(([target, all]) => ({
    target,
    time: median(all.map(({ time }) => time)),
    min: Math.min(...all.map(({ time }) => time)),
    max: Math.max(...all.map(({ time }) => time)),
    rss: median(all.map(({ rss }) => rss))
  }))
}
