/** Keeps dist/ as new as what it is made of: lib/ and example-app/, bundled as rolldown.config.mjs says. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
// written last
const stamp = join(root, 'dist', 'example-app', 'main.js')
const lock = join(root, 'dist', '.building')
const bundler = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs')

/**
 * Bundles when something is newer than the last bundle. Several processes may ask at once, and none may import what another is
 * halfway through writing: one bundles, the others wait.
 *
 * @throws Error when it cannot be built; the bundler has told why on stderr.
 */
export async function bundle() {
  while (isStale() || isLocked()) {
    if (!takeLock()) {
      if (!isLocked()) continue
      await new Promise(resolve => setTimeout(resolve, 100))
      continue
    }
    try {
      if (isStale()) runBundler()
    } finally {
      rmSync(lock, { force: true })
    }
  }
}

function runBundler() {
  if (modified(bundler) === 0) throw new Error('the bundler is not installed: run npm ci first')
  const begun = new Date()
  const stdio = ['ignore', 'ignore', 'inherit']
  const { status } = spawnSync(process.execPath, [bundler, '--config', 'rolldown.config.mjs'], { cwd: root, stdio })
  if (status !== 0) throw new Error('the build failed')
  // what is edited while the bundler runs counts as newer
  utimesSync(stamp, begun, begun)
}

function isStale() {
  const built = modified(stamp)
  const sources = [...files('lib'), ...files('example-app'), 'package.json', 'rolldown.config.mjs']
  return built === 0 || sources.some(file => modified(join(root, file)) > built)
}

function files(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name))
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function takeLock() {
  mkdirSync(dirname(lock), { recursive: true })
  try {
    const file = openSync(lock, 'wx')
    writeSync(file, String(process.pid))
    closeSync(file)
    return true
  } catch {
    return false
  }
}

/** A lock whose owner is gone (a build that was killed) is removed. */
function isLocked() {
  try {
    const owner = Number(readFileSync(lock, 'utf8'))
    if (owner === 0) return Date.now() - modified(lock) < 1000 || unlock()
    process.kill(owner, 0)
    return true
  } catch (error) {
    return error.code === 'ESRCH' ? unlock() : false
  }
}

function unlock() {
  rmSync(lock, { force: true })
  return false
}
