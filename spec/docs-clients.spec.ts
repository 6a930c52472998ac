/** The recipes of docs/clients, as they stand there, each in a process of its own kind: every one gets its client a token. */
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { whereThereIs } from './support/checks/tools.ts'
import { goTokens, javaTokens } from './support/workloads/compiled-recipes.ts'
import { typescriptArgs } from './support/processes/typescript-process.ts'
import { clientOf, openKitchen, recipesOf, type Kitchen, type Recipe } from './support/workloads/recipes.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const timeout = 60_000

let kitchen: Kitchen
beforeAll(async () => void (kitchen = await openKitchen()))
afterAll(() => kitchen.close())

const methods = [
  ...['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'tls_client_auth'],
  ...['self_signed_tls_client_auth', 'none', 'federated_jwt', 'spiffe_jwt', 'spiffe_x509', 'The grant without a client']
]

/** Whose token it is: that of the client the recipe is about. */
async function expectToken(title: string, access_token: unknown): Promise<void> {
  const verified = await kitchen.server.server.verifyAccessToken(String(access_token))
  const client_id = clientOf(title === 'The grant without a client' ? 'federated_jwt' : title)
  expect([title, verified]).toEqual([title, expect.objectContaining({ client_id, scope: ['api:read'] })])
}

/** Runs programs one after the other in one process, each where its files are; resolves to the token each got, or to what it threw. */
async function tokensOf(recipes: readonly Recipe[], folder: string): Promise<ReadonlyMap<string, string>> {
  mkdirSync(folder, { recursive: true })
  const programs = recipes.map((recipe, index) => {
    const file = join(folder, `${index}.ts`)
    writeFileSync(file, `${kitchen.localised(recipe)}\nexport const got = tokens.access_token\n`)
    return { title: recipe.title, file, cwd: kitchen.folderOf(recipe.title) }
  })
  const main = join(folder, 'main.ts')
  writeFileSync(
    main,
    `globalThis.signIn = async url => new URL((await fetch(url, { redirect: 'manual' })).headers.get('location'))
const got = []
for (const { title, file, cwd } of ${JSON.stringify(programs)}) {
  process.chdir(cwd)
  got.push([title, await import(file).then(recipe => recipe.got, error => String(error?.cause ?? error))])
}
console.log(JSON.stringify(got))
process.exit()`
  )
  const { stdout } = await run(process.execPath, [...typescriptArgs, main], { env: kitchen.env, timeout })
  return new Map(JSON.parse(stdout) as [string, string][])
}

/** The MCP SDK signs no requests with secrets, and presents no certificates. */
const methodsOfMcp = methods.filter(method => !/post|secret_jwt|tls|x509/.test(method))

describe.each([
  ['openid-client', methods],
  ['oauth4webapi', methods],
  ['mcp-sdk', methodsOfMcp]
])('%s', (library, expected) => {
  // Node looks for packages from where a file is
  const folder = join(root, 'node_modules', '.cache', 'clientele', `recipes-${library}-${process.pid}`)
  const recipes = recipesOf(`${library}.md`, 'ts')
  let tokens: ReadonlyMap<string, string>
  beforeAll(async () => void (tokens = await tokensOf(recipes, folder)), timeout)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('has a recipe for every method', () => expect(recipes.map(({ title }) => title)).toEqual(expected))
  it.each(recipes)('$title', ({ title }) => expectToken(title, tokens.get(title)))
})

whereThereIs(
  'bash',
  'curl',
  'openssl'
)('curl', () => {
  const recipes = recipesOf('curl.md', 'sh')
  const signIn = `sign_in() { curl -s -o /dev/null -w '%{redirect_url}' "$1"; }\n`

  it('has a recipe for every method', () => expect(recipes.map(({ title }) => title)).toEqual(methods))
  it.each(recipes)('$title', async recipe => {
    const script = signIn + kitchen.localised(recipe)
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
      env: kitchen.env,
      cwd: kitchen.folderOf(recipe.title),
      timeout
    })
    await expectToken(recipe.title, (JSON.parse(stdout) as { access_token?: string }).access_token ?? stdout)
  })
})

describe.each([
  ['go', ['go'], goTokens],
  ['java', ['java', 'javac', 'keytool'], javaTokens]
] as const)('%s', (language, commands, tokensIn) => {
  const recipes = recipesOf(`${language}.md`, language).filter(({ title }) => title !== 'Client certificates')
  it('has a recipe for every method', () => expect(recipes.map(({ title }) => title)).toEqual(methods))

  whereThereIs(...commands)('as it stands there', () => {
    let tokens: ReadonlyMap<string, string>
    beforeAll(async () => void (tokens = await tokensIn(kitchen)), 300_000)
    it.each(recipes)('$title', ({ title }) => expectToken(title, tokens.get(title)))
  })
})
