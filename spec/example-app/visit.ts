/** A client of the example app, and what people do on its pages. */
import { createHash } from 'node:crypto'
import { decodeJwt, type JWTPayload } from 'jose'
import { Browser, type PageSeen } from './browser.ts'

export const redirect_uri = 'http://127.0.0.1:9/callback?kept=yes'
export const verifier = 'v'.repeat(43)
export const alice = { username: 'alice', password: 'wonderland' }

type Parameters = Readonly<Record<string, string | undefined>>

/** A good authorization request of the public client `web`, changed as given; undefined leaves a parameter out. */
export function authorizeUrl(issuer: string, change: Parameters = {}): string {
  return `${issuer}/oauth2/authorize?${authorizationQuery(change)}`
}

export function authorizationQuery(change: Parameters = {}): string {
  const query: Parameters = {
    response_type: 'code',
    client_id: 'web',
    redirect_uri,
    scope: 'openid',
    state: 'st',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...change
  }
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return new URLSearchParams(given).toString()
}

/** Opens a request, or the page it leads to. */
export async function open(browser: Browser, issuer: string, change?: Parameters): Promise<PageSeen> {
  return browser.follow(await browser.get(authorizeUrl(issuer, change)), new URL(issuer).origin)
}

/** Which page this is. */
export function pageName({ url, location }: PageSeen): string {
  return location === undefined ? new URL(url).pathname.replace(/^.*\//, '') : 'answer'
}

/** Signs in where asked, agrees where asked; answers with what the client is told, and the pages that came. */
export async function through(
  browser: Browser,
  issuer: string,
  change?: Parameters,
  person: Readonly<Record<string, string>> = alice
): Promise<{ answer: URLSearchParams; pages: string[] }> {
  const pages: string[] = []
  let page = await open(browser, issuer, change)
  while (page.location === undefined) {
    const name = pageName(page)
    pages.push(name)
    if (pages.length > 3 || page.status !== 200) throw new Error(`${pages.join(', ')}: ${page.status} ${page.text}`)
    const filledIn = name === 'login' ? person : { decision: 'allow' }
    page = await browser.follow(await browser.submit(page, filledIn), new URL(issuer).origin)
  }
  return { answer: new URL(page.location).searchParams, pages }
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly id_token: string
  readonly scope: string
}

/** The client redeems what it was answered. */
export async function redeem(issuer: string, answer: URLSearchParams, client_id = 'web', more: Parameters = {}): Promise<Tokens> {
  const form = {
    grant_type: 'authorization_code',
    client_id,
    redirect_uri,
    code: answer.get('code') ?? '',
    code_verifier: verifier
  }
  const body = new URLSearchParams({ ...form, ...(more as Record<string, string>) })
  const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', body })
  const tokens: unknown = await response.json()
  if (response.status !== 200) throw new Error(JSON.stringify(tokens))
  return tokens as Tokens
}

/** The ID Token of whoever signs in. */
export async function identity(browser: Browser, issuer: string, change: Parameters = {}): Promise<JWTPayload> {
  const { answer } = await through(browser, issuer, change)
  return decodeJwt((await redeem(issuer, answer, change['client_id'])).id_token)
}

/** What an address says to whoever holds a token. */
export async function told(address: string, access_token: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(address, { headers: { authorization: `Bearer ${access_token}` } })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
