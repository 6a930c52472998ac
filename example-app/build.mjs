/** Builds a checkout when something is newer than its last build: before the server starts, and before the command runs. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
// of what is built, this is written last
const stamp = join(root, 'dist', 'example-app', 'main.js')
const lock = join(root, 'dist', '.building')
const bundler = join(root, 'node_modules', 'rolldown', 'bin', 'cli.mjs')

/**
 * Builds where that is due, and says so. Several servers may start at once, and none may import what another is halfway through writing: one builds, the others wait.
 *
 * @param {(doing: string) => void} say
 */
export async function build(say) {
  while (isStale() || isLocked()) {
    if (!takeLock()) {
      if (!isLocked()) continue
      await new Promise(resolve => setTimeout(resolve, 100))
      continue
    }
    try {
      if (isStale()) bundle(say)
    } finally {
      rmSync(lock, { force: true })
    }
  }
}

function bundle(say) {
  if (modified(bundler) === 0) refuse('the bundler is not installed: run npm ci first')
  say('building')
  const begun = new Date()
  const stdio = ['ignore', 'ignore', 'inherit']
  const { status } = spawnSync(process.execPath, [bundler, '--config', 'rolldown.config.mjs'], { cwd: root, stdio })
  if (status !== 0) refuse('the build failed')
  // what is edited while the bundler runs counts as newer
  utimesSync(stamp, begun, begun)
}

/** Ends the process with one line. */
export function refuse(reason) {
  rmSync(lock, { force: true })
  console.error(reason)
  process.exit(1)
}

function isStale() {
  const built = modified(stamp)
  const sources = [...['lib', 'example-app', 'cli'].flatMap(files), 'package.json', 'rolldown.config.mjs']
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
