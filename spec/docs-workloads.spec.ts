/** docs/workloads as it stands there: what is typed here is served, the whole run is run, and every platform's own token is let in for what it is and nothing else. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from '@jest/globals'
import { authorizationServer, memoryStore, type AuthorizationServerOptions, type Decision } from 'clientele'
import * as presets from 'clientele/workloads'
import express from 'express'
import { areHere } from './support/checks/tools.ts'
import { alwaysAlice, close, listen } from './support/journeys/server.ts'
import { serverKeys } from './support/keys/made-keys.ts'
import { clusterKey, recorded, recordedAt } from './support/workloads/kubernetes/tokens.ts'
import { fetchFromPlatforms, platforms, tokenOf, type Platform } from './support/workloads/platforms.ts'
import { makeTrustDomain } from './support/workloads/trust-domain.ts'

const run = promisify(execFile)
const read = (page: string) => readFileSync(fileURLToPath(new URL(`../docs/workloads/${page}.md`, import.meta.url)), 'utf8')
const blockOf = (page: string, heading: string, language: string) =>
  new RegExp(`^## ${heading}\\n(?:(?!^## ).*\\n)*?\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(read(page))?.[1] ?? ''

const keys = await serverKeys(['ES256'])
const domain = await makeTrustDomain()
const folder = mkdtempSync(join(tmpdir(), 'workloads-'))
const closing: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const end of closing) await end()
  rmSync(folder, { recursive: true })
})

const fetchJson: typeof fetchFromPlatforms = url =>
  url === 'https://spire.example.com/bundle' ? Promise.resolve({ json: domain.bundle }) : fetchFromPlatforms(url)

interface Served {
  readonly issuer: string
  readonly decisions: readonly Decision[]
  send(
    token: string,
    change?: Readonly<Record<string, string>>
  ): Promise<{ status: number; body: Readonly<Record<string, unknown>> }>
}

/** Serves what a page shows, with platforms that answer from here. */
async function served(code: string, more: Partial<AuthorizationServerOptions> = {}): Promise<Served> {
  const { server: listener, host } = await listen(createServer())
  closing.push(() => close(listener))
  const issuer = `http://${host}`
  const decisions: Decision[] = []
  const options = {
    ...{ issuer, keys, store: memoryStore(), interaction: alwaysAlice, scopes: ['deploy'] },
    onDecision: (decision: Decision) => void decisions.push(decision),
    ...more
  }
  const make = (given: AuthorizationServerOptions) =>
    authorizationServer({ ...given, workloads: { ...given.workloads, fetchJson } })
  const names = { ...presets, options, authorizationServer: make }
  const body = `${code.replace(/^import .*$/gm, '')}\nreturn server`
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a program of our own documentation
  const server = new Function(...Object.keys(names), body)(...Object.values(names)) as ReturnType<typeof authorizationServer>
  listener.on('request', express().use(server))
  return {
    issuer,
    decisions,
    async send(token, change = {}) {
      const form = {
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: token,
        ...change
      }
      const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })
      return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> }
    }
  }
}

/** The check that failed, and what it says was wanted and received. */
const failed = ({ decisions }: Served) => decisions.at(-1)?.checks.find(({ outcome }) => outcome === 'fail')

const eks = 'https://oidc.eks.eu-central-1.amazonaws.com/id/A1B2C3D4'
const account = {
  sub: 'system:serviceaccount:ci:deployer',
  'kubernetes.io': { namespace: 'ci', serviceaccount: { name: 'deployer', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' } }
}
const pages: Readonly<Record<string, Platform>> = {
  kubernetes: { issuer: eks, claims: account },
  'github-actions': platforms.githubToken,
  'gitlab-ci': platforms.gitlabToken,
  'google-cloud': platforms.googleToken,
  aws: platforms.awsToken,
  azure: platforms.azureToken
}

const itWithCurl = areHere('bash', 'curl') ? it : it.skip

/** Runs the page's whole run, whose token is where the platform would have it. */
async function wholeRun(page: string, { issuer }: Served, token: string): Promise<unknown> {
  const path = join(folder, page)
  writeFileSync(path, token)
  const script = blockOf(page, 'A whole run', 'sh')
    .replaceAll('https://as.example.com', issuer)
    .replace(/\/(?:var\/run\/secrets\/tokens\/as|run\/spiffe\/svid\.jwt)/g, path)
  const env = { PATH: process.env['PATH'], TOKEN: token, AS_TOKEN: token }
  return JSON.parse((await run('bash', ['-euc', script], { env })).stdout)
}

const got = { access_token: expect.any(String), scope: 'deploy' }

describe.each(Object.entries(pages))('%s', (page, platform) => {
  const audienceOf = (issuer: string) => (page === 'azure' ? 'api://as.example.com' : issuer)

  itWithCurl('the whole run gets a token', async () => {
    const as = await served(blockOf(page, 'Here', 'ts'))
    const token = await tokenOf(platform, audienceOf(as.issuer))
    expect(await wholeRun(page, as, token)).toMatchObject(got)
  })

  it('the token alone says whose it is', async () => {
    const as = await served(blockOf(page, 'Here', 'ts'))
    expect(await as.send(await tokenOf(platform, audienceOf(as.issuer)))).toMatchObject({ status: 200, body: got })
  })
})

describe('spiffe', () => {
  itWithCurl('the whole run gets a token', async () => {
    const as = await served(blockOf('spiffe', 'Here', 'ts'))
    expect(await wholeRun('spiffe', as, await domain.jwtSvid('/billing', as.issuer))).toMatchObject(got)
  })
})

describe('README', () => {
  it('a platform that has no preset', async () => {
    const as = await served(/```ts\n([^]*?)```/.exec(read('README'))?.[1] ?? '')
    const platform = { issuer: 'https://ci.example.com', claims: { sub: 'pipeline:4711:main', trigger: 'push' } }
    expect(await as.send(await tokenOf(platform, as.issuer))).toMatchObject({ status: 200, body: got })
    expect(await as.send(await tokenOf(platform, as.issuer, { trigger: 'fork' }))).toMatchObject({ status: 401 })
  })
})

type Change = Readonly<Record<string, unknown>>

const byNumber = 'repo:octo-org@65/octo-repo@74:environment:prod'
const sts = (change: object) => ({
  'https://sts.amazonaws.com/': { ...(platforms.awsToken.claims['https://sts.amazonaws.com/'] as object), ...change }
})

const letIn: readonly [page: string, what: string, change: Change][] = [
  ['github-actions', 'a subject of the other form', { sub: byNumber }],
  ['github-actions', 'a repository that was renamed', { sub: 'repo:new/name:environment:prod', repository: 'new/name' }],
  ['github-actions', 'a subject the organisation shaped', { sub: 'octo-org:prod' }],
  [
    'gitlab-ci',
    'a project that was renamed',
    { sub: 'project_path:new/name:ref_type:branch:ref:main', project_path: 'new/name' }
  ],
  ['google-cloud', 'a standard token, without the instance', { google: undefined }]
]

const refused: readonly [page: string, what: string, change: Change, check: string][] = [
  ['github-actions', 'another repository under the old name', { repository_id: '99' }, 'federated_claims'],
  ['github-actions', 'another owner under the old name', { repository_owner_id: '99' }, 'federated_claims'],
  ['github-actions', 'a number that is no text', { repository_id: 74 }, 'federated_claims'],
  ['github-actions', 'a pull request', { event_name: 'pull_request' }, 'federated_claims'],
  ['github-actions', 'what runs for a fork on the base branch', { event_name: 'pull_request_target' }, 'federated_claims'],
  [
    'github-actions',
    'a job without the environment',
    { environment: undefined, sub: 'repo:octo-org/octo-repo:ref:refs/heads/main' },
    'federated_claims'
  ],
  ['github-actions', 'the audience GitHub has by itself', { aud: 'https://github.com/octo-org' }, 'audience'],
  ['gitlab-ci', 'another project at the old path', { project_id: '99' }, 'federated_claims'],
  ['gitlab-ci', 'a branch that is not protected', { ref_protected: 'false' }, 'federated_claims'],
  ['gitlab-ci', 'a tag with the branch’s name', { ref_type: 'tag' }, 'federated_claims'],
  ['gitlab-ci', 'a merge request', { pipeline_source: 'merge_request_event' }, 'federated_claims'],
  ['gitlab-ci', 'another instance’s issuer', { iss: 'https://gitlab.example.com' }, 'federated_issuer'],
  ['google-cloud', 'another account with the old address', { sub: '104819472310987654322' }, 'federated_subject'],
  ['google-cloud', 'gcloud’s token for a person', { aud: '32555940559.apps.googleusercontent.com' }, 'audience'],
  ['aws', 'another role', { sub: 'arn:aws:iam::123456789012:role/Other' }, 'federated_subject'],
  ['aws', 'another account', sts({ aws_account: '210987654321' }), 'federated_claims'],
  ['azure', 'another identity of the tenant', { oid: '00000000-0a4b-4c6e-9a53-0c2b8f0b7f11' }, 'federated_claims'],
  ['azure', 'a token for Azure itself', { aud: 'https://management.azure.com/' }, 'audience'],
  [
    'kubernetes',
    'a namespace that is called so elsewhere',
    { 'kubernetes.io': { namespace: 'other', serviceaccount: { name: 'deployer' } } },
    'federated_claims'
  ],
  ['kubernetes', 'another service account', { sub: 'system:serviceaccount:ci:deployer-evil' }, 'federated_subject'],
  ['kubernetes', 'a token that lives for a year', { exp: Math.floor(Date.now() / 1000) + 31_536_000 }, 'lifetime']
]

describe('the rule of a page', () => {
  const servers = new Map<string, Promise<Served>>()
  const serverOf = (page: string): Promise<Served> => {
    const known = servers.get(page) ?? served(blockOf(page, 'Here', 'ts'))
    servers.set(page, known)
    return known
  }
  const present = async (page: string, change: Change) => {
    const as = await serverOf(page)
    const platform = pages[page] ?? platforms.githubToken
    const token = await tokenOf(platform, page === 'azure' ? 'api://as.example.com' : as.issuer, change)
    return { as, answer: await as.send(token, { client_id: 'deployer' }) }
  }

  it.each(letIn)('%s: holds for %s', async (page, _what, change) => {
    expect((await present(page, change)).answer).toMatchObject({ status: 200, body: got })
  })

  it.each(refused)('%s: refuses %s', async (page, _what, change, check) => {
    const { as, answer } = await present(page, change)
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(failed(as)?.check).toBe(check)
  })
})

describe('tokens that Kubernetes made itself', () => {
  const cluster = 'https://oidc.cluster.example'
  const clients = [
    {
      client_id: 'deployer',
      token_endpoint_auth_method: 'federated_jwt',
      grant_types: ['client_credentials'],
      federated_credentials: [
        presets.kubernetes({
          issuer: cluster,
          namespace: 'ci',
          serviceAccount: 'deployer',
          serviceAccountUid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798',
          audience: 'https://as.example'
        })
      ]
    }
  ]
  const workloads = { issuers: [presets.kubernetes.issuer(cluster, { jwks: { keys: [clusterKey] } })] }
  const as = (now = recordedAt + 60) =>
    served('const server = authorizationServer(options)', { workloads, clients, clock: () => now * 1000 })

  it('a projected one is let in, again and again until it ends', async () => {
    const server = await as()
    for (let use = 0; use < 2; use++) expect((await server.send(recorded.projected)).status).toBe(200)
    expect((await (await as(recordedAt + 3700)).send(recorded.projected)).status).toBe(401)
  })

  it.each([
    ['the one every pod has', recorded.automatic, /audience|lifetime/],
    ['one of a Secret', recorded.legacy, /federated_issuer/]
  ])('%s is refused', async (_, token, check) => {
    const server = await as()
    expect(await server.send(token, { client_id: 'deployer' })).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
    expect(failed(server)?.check).toMatch(check)
  })
})
