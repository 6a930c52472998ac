/**
 * Builds the documents, the API reference and a search of both into dist/site: files alone, for any web server. `node site/build.mjs dev`
 * serves the documents while they are written. What it needs beside Node is in package.json here, and is installed where it is missing.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = join(here, '..')
export const out = join(root, 'dist/site')

const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: 'inherit' })

/** A program of npm's packages, run in its own process; rejects where it fails. */
function begin(script, args, cwd) {
  const child = spawn(process.execPath, [script, ...args], { cwd, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`${script} ended with ${code}`))))
  })
}

export async function build() {
  if (!existsSync(join(here, 'node_modules/vitepress')))
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], here)
  const vitepress = join(here, 'node_modules/vitepress/bin/vitepress.js')
  if (process.argv[2] === 'dev') return begin(vitepress, ['dev'], here)
  // VitePress empties the folder first
  await begin(vitepress, ['build'], here)
  await begin(join(root, 'node_modules/typedoc/bin/typedoc'), ['--out', join(out, 'api')], root)
  const charts = readdirSync(join(root, 'bench')).filter(name => name.endsWith('.svg'))
  mkdirSync(join(out, 'bench'), { recursive: true })
  for (const name of charts) cpSync(join(root, 'bench', name), join(out, 'bench', name))
  cpSync(join(root, 'docs/images'), join(out, 'docs/images'), { recursive: true })
}

await build()
