/** How long a target takes from the start of its process until a client has its first token, and what it holds then: on this Node, and on newer ones. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cases, clientId, clientOf, clientSecret, newKey, paths, scope } from './cases.mjs'
import { median } from './report.mjs'
import { startTarget } from './workers.mjs'

const bench = cases[0]
/** From the registry; beside the one that runs this. */
const newer = ['22']

/**
 * Best and median of `rounds` starts, in turn. Each target has started once before on each Node: what a Node keeps compiled is there.
 *
 * @param {readonly { name: string, module: string }[]} entries
 * @param {object} serverKeys clientele's, because a server finds its keys and does not make them at each start
 */
export async function measureStartup(entries, rounds, serverKeys) {
  const { client } = clientOf(bench)
  const setting = {
    bench,
    client,
    signingJwk: newKey('ES256', 'server'),
    store: { kind: 'memory' },
    processes: 1,
    serverKeys,
    isStart: true
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-node-'))
  try {
    const nodes = [process.execPath, ...newer.map(major => install(major, folder))]
    const measured = []
    for (const node of nodes) measured.push(...(await measureOn(node, entries, rounds, setting)))
    return measured
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureOn(node, entries, rounds, setting) {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const starts = new Map(entries.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const { name, module } of entries) {
      const started = await startOnce(module, setting, node)
      if (round > 0) starts.get(name).push(started)
    }
  }
  return [...starts].map(([target, all]) => ({
    target,
    node: version,
    time: median(all.map(({ time }) => time)),
    best: Math.min(...all.map(({ time }) => time)),
    cpu: Math.min(...all.map(({ cpu }) => cpu)),
    rss: median(all.map(({ rss }) => rss))
  }))
}

/** Milliseconds until the first token, and of CPU; bytes. */
async function startOnce(module, setting, node) {
  const begun = performance.now()
  const target = await startTarget(module, setting, [], node)
  try {
    await firstToken(target.address.port)
    const time = performance.now() - begun
    const { cpu, rss } = await target.usage()
    return { time, cpu: cpu / 1000, rss }
  } finally {
    await target.stop()
  }
}

async function firstToken(port) {
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope })
  const response = await fetch(`http://127.0.0.1:${port}${paths.token}`, { method: 'POST', headers: { authorization }, body })
  const { access_token } = await response.json()
  if (typeof access_token !== 'string') throw new Error(`the first token request was answered with ${response.status}`)
}

/** The Node of a major release, from the registry. */
function install(major, folder) {
  const name = `node-${process.platform}-${process.arch}`
  const prefix = join(folder, major)
  execFileSync('npm', ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund', `${name}@${major}`], {
    stdio: 'ignore'
  })
  return join(prefix, 'node_modules', name, 'bin', 'node')
}
