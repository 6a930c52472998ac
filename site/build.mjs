/**
 * Builds the documents and the API reference into dist/site, with a search: files alone, for any web server. `npm run docs -- dev` serves the
 * documents while they are written. What is needed beside the packages of the repository is in package.json here, and is installed where it is
 * missing.
 */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { here, out, root } from './places.mjs'

/** A program in JavaScript, in a process of its own; rejects where it fails. */
function run(script, args, cwd) {
  const child = spawn(process.execPath, [join(cwd, 'node_modules', script), ...args], { cwd, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`${script} ended with ${code}`))))
  })
}

const vitepress = 'vitepress/bin/vitepress.js'
if (!existsSync(join(here, 'node_modules', vitepress))) {
  // nothing that compiles or downloads
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' })
}
if (process.argv[2] === 'dev') {
  await run(vitepress, ['dev'], here)
} else {
  // it empties the folder first
  await run(vitepress, ['build'], here)
  await run('typedoc/bin/typedoc', ['--out', join(out, 'api')], root)
  mkdirSync(join(out, 'bench'))
  for (const name of readdirSync(join(root, 'bench')).filter(name => name.endsWith('.svg')))
    cpSync(join(root, 'bench', name), join(out, 'bench', name))
  cpSync(join(root, 'docs/images'), join(out, 'docs/images'), { recursive: true })
}
