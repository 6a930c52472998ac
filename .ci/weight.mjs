/**
 * What a user of the package installs for its main entry, in packages and megabytes on disk, with Express, which they have, and beyond it.
 * Run by itself, it fails where that is more than the bounds below: what weighs more was not looked at.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** With some room: 8 packages and 8 MB when this was written, of which source maps are 3 and documents 2. */
const bounds = { packages: 10, megabytes: 9 }

/** Installs the packed package, and other packages alone for comparison; answers what is then there. */
export function weigh() {
  const workspace = mkdtempSync(join(tmpdir(), 'weight-'))
  try {
    execFileSync('npm', ['pack', '--pack-destination', workspace], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    const tarball = join(
      workspace,
      readdirSync(workspace).find(name => name.endsWith('.tgz'))
    )
    const [whole, express] = [installed(workspace, tarball), installed(workspace, 'express@5')]
    const beyond = { packages: whole.packages - express.packages, megabytes: whole.megabytes - express.megabytes }
    return { whole, express, beyond }
  } finally {
    rmSync(workspace, { recursive: true, force: true })
  }
}

/** What installing a package brings. */
export function installed(workspace, specifier) {
  const project = mkdtempSync(join(workspace, 'project-'))
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  const options = { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }
  execFileSync('npm', ['install', '--no-audit', '--no-fund', specifier], options)
  const listed = execFileSync('npm', ['ls', '--all', '--parseable'], options).trim().split('\n')
  return { packages: listed.length - 1, megabytes: blocksIn(join(project, 'node_modules')) / 2048 }
}

/** Of half a kilobyte each, as du counts them. */
function blocksIn(folder) {
  return readdirSync(folder, { recursive: true }).reduce((sum, name) => sum + statSync(join(folder, name)).blocks, 0)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { whole, beyond } = weigh()
  const say = ({ packages, megabytes }) => `${packages} packages, ${megabytes.toFixed(1)} MB`
  console.log(`installed: ${say(whole)}; beyond Express: ${say(beyond)}`)
  const isHeavier = beyond.packages > bounds.packages || beyond.megabytes > bounds.megabytes
  if (isHeavier) console.log(`that is more than ${say(bounds)}`)
  process.exitCode = isHeavier ? 1 : 0
}
