/** Builds a checkout when something is newer than its last build: before the server starts, and before the command runs. */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'dist', '.tsbuildinfo')
const lock = join(root, 'dist', '.building')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

/** Several servers may start at once, and none may import what another is halfway through writing: one builds, the others wait. */
export async function build() {
  while (isStale() || isLocked()) {
    if (!takeLock()) {
      if (!isLocked()) continue
      await new Promise(resolve => setTimeout(resolve, 100))
      continue
    }
    try {
      if (isStale()) compile()
    } finally {
      rmSync(lock, { force: true })
    }
  }
}

function compile() {
  if (modified(compiler) === 0) refuse('the compiler is not installed: run npm ci first')
  process.stderr.write('Building, which takes some ten seconds …\n')
  const begun = new Date()
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) refuse('the build failed')
  // the compiler leaves the stamp alone when only times changed; what is edited while it runs must still count as newer
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
  const sources = [...['lib', 'example-app', 'cli'].flatMap(files), 'package.json', 'tsconfig.json', 'tsconfig.build.json']
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
