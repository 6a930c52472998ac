/**
 * Follows README.md and docs/frameworks.md as a newcomer would, in empty folders with the packed tarball: installs what they say, saves the files they show,
 * types the commands they name, and compares what comes with what they promise. Prints the seconds to the first token and to the first protected call.
 */
import { equal, match } from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { freePort } from '../support/processes/free-port.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const installTimeout = 240_000
const startTimeout = 20_000
const bash = promisify(execFile)

/** The fenced blocks of a document: the language, what stands behind it, and the text. */
function blocksOf(document) {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(/^```(\w+) ?([^\n]*)\n(.*?)^```$/gms)].map(([, language, name, body]) => ({ language, name, body }))
}

const readme = blocksOf('README.md')
const frameworks = blocksOf('docs/frameworks.md')

function fileOf(blocks, name) {
  const block = blocks.find(candidate => candidate.name === name)
  if (block === undefined) throw new Error(`no file ${name} is shown`)
  return block.body
}

/** The one line of a shell block that a newcomer copies. */
function lineWith(blocks, part) {
  const lines = blocks.filter(({ language }) => language === 'sh').flatMap(({ body }) => body.split('\n'))
  const line = lines.find(candidate => candidate.includes(part))
  if (line === undefined) throw new Error(`no command with ${part} is shown`)
  return line
}

const install = lineWith(readme, 'npm install clientele')
const askForToken = lineWith(readme, '/oauth2/token')
const callTheApi = lineWith(readme, '$ACCESS_TOKEN')

/** Each of these is somebody's first hour. */
const hours = [
  { name: 'Express 5, ES modules', install, files: { 'app.mjs': fileOf(readme, 'app.mjs') }, start: 'node app.mjs' },
  {
    name: 'Express 5, TypeScript in strict mode',
    install: `${install} && ${lineWith(readme, '@types/express')}`,
    files: { 'app.mts': fileOf(readme, 'app.mjs') },
    build: lineWith(readme, 'npx tsc').split(' && ')[0],
    start: 'node app.mjs'
  },
  { name: 'Express 5, CommonJS', install, files: { 'app.cjs': fileOf(readme, 'app.cjs') }, start: 'node app.cjs' },
  {
    name: 'Express 4, CommonJS',
    install: `${install}@4`,
    files: { 'app.cjs': fileOf(readme, 'app.cjs') },
    start: 'node app.cjs'
  },
  {
    name: 'only the token endpoint',
    install,
    files: { 'token-endpoint.mjs': fileOf(readme, 'token-endpoint.mjs') },
    start: 'node token-endpoint.mjs'
  },
  {
    name: 'NestJS',
    install: lineWith(frameworks, '@nestjs/core'),
    files: { 'main.ts': fileOf(frameworks, 'main.ts'), 'tsconfig.json': fileOf(frameworks, 'tsconfig.json') },
    build: lineWith(frameworks, 'npx tsc').split(' && ')[0],
    start: 'node main.js'
  },
  {
    name: 'Fastify with @fastify/express',
    install: lineWith(frameworks, '@fastify/express'),
    files: { 'fastify.mjs': fileOf(frameworks, 'fastify.mjs') },
    start: 'node fastify.mjs'
  },
  {
    name: 'a serverless function',
    install: lineWith(frameworks, 'serverless-http'),
    files: { 'function.mjs': fileOf(frameworks, 'function.mjs'), 'invoke.mjs': fileOf(frameworks, 'invoke.mjs') },
    start: 'node invoke.mjs'
  }
]

/** Runs every first hour, each a test of its own. @param test runs one, and counts how it went. */
export async function followReadme({ tarball, workspace, test }) {
  const rows = []
  for (const hour of hours) {
    await test(`README: ${hour.name}`, async () => {
      const folder = join(workspace, hour.name.replace(/\W+/g, '-'))
      rows.push({ name: hour.name, ...(await firstTokens(hour, folder, tarball)) })
    })
  }
  await test('README: strategies on routes of one’s own', () => strategies(join(workspace, 'strategies'), tarball))
  for (const { name, token, call } of rows)
    console.log(`${name}: first token after ${token} s, first protected call after ${call} s`)
}

/** From an empty folder to an API that answers: seconds to either. */
async function firstTokens(hour, folder, tarball) {
  const began = performance.now()
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1)
  await prepare(folder, hour, tarball)
  return serving(folder, hour, async (type, refused) => {
    const answer = JSON.parse(await type(askForToken))
    equal(typeof answer.access_token, 'string', JSON.stringify(answer))
    const token = seconds()
    await typed(type, callTheApi, { ACCESS_TOKEN: answer.access_token })
    const call = seconds()
    // what the README says of a wrong secret
    equal(JSON.parse(await type(askForToken.replace('a-long-random-text', 'a-wrong-one'))).error, 'invalid_client')
    if (hour.name !== 'a serverless function') match(refused(), /invalid_client.*secret/)
    return { token, call }
  })
}

async function strategies(folder, tarball) {
  const files = { 'strategies.mjs': fileOf(readme, 'strategies.mjs') }
  const passport = /`(npm install passport)`/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1]
  const hour = { install: `${install} && ${passport}`, files, start: 'node strategies.mjs' }
  await prepare(folder, hour, tarball)
  await serving(folder, hour, async type => {
    for (const part of ['/reports', '/jobs']) await typed(type, lineWith(readme, part))
  })
}

/** Types a command whose comment says what it answers. */
async function typed(type, line, env = {}) {
  const [command, promised] = line.split(/ +# (?=\{)/)
  equal((await type(command, env)).trim(), promised)
}

async function prepare(folder, { install: command, files, build }, tarball) {
  mkdirSync(folder, { recursive: true })
  const typed = command
    .replace(/npm install (--save-dev )?/g, '$&--no-audit --no-fund ')
    .replace(/(?<= )clientele(?= |$)/, tarball)
  await bash('bash', ['-c', typed], { cwd: folder, timeout: installTimeout })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  if (build === undefined) return
  try {
    await bash('bash', ['-c', build], { cwd: folder, timeout: installTimeout })
  } catch (error) {
    throw new Error(`${build}\n${error.stdout}${error.stderr}`, { cause: error })
  }
}

/** Starts what was saved on a port of its own, and ends it once the work is done. */
async function serving(folder, { files, start }, work) {
  const port = await freePort()
  const moved = text => text.replaceAll('3000', String(port))
  for (const name of Object.keys(files)) {
    const script = name.replace(/\.mts$/, '.mjs').replace(/\.ts$/, '.js')
    writeFileSync(join(folder, script), moved(readFileSync(join(folder, script), 'utf8')))
  }
  const [command, ...args] = start.split(' ')
  const env = { ...process.env, NODE_ENV: 'development' }
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (printed += chunk))
  const exited = once(child, 'exit')
  try {
    await untilServing(child, port, () => printed)
    const type = async (line, more = {}) =>
      (await bash('bash', ['-c', moved(line)], { cwd: folder, env: { ...env, ...more }, timeout: startTimeout })).stdout
    return await work(type, () => printed)
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

async function untilServing(child, port, printed) {
  const until = performance.now() + startTimeout
  while (performance.now() < until && child.exitCode === null) {
    try {
      await fetch(`http://localhost:${port}/`)
      return
    } catch {
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  throw new Error(`it does not serve\n${printed()}`)
}
