/**
 * The plain pages of a logout, for applications that bring none: one that asks, one that ends it. They work without
 * scripts, and cannot be framed.
 */
import { hash } from 'node:crypto'
import type { Response } from 'express'
import { escapeHtml } from '../../http/html.ts'
import type { LogoutExchange } from './exchange.ts'
import type { LogoutPrompt } from './options.ts'

const style = [
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:20vh auto 0;padding:0 1.5rem}',
  'button{font:inherit;font-weight:600;margin:.5rem .5rem 0 0;padding:.6rem 1.5rem;border:1px solid #3556d8;border-radius:.5rem;background:#fff;color:#3556d8}',
  'button[value=allow]{background:#3556d8;color:#fff}',
  'button:focus-visible{outline:3px solid #8ea5ff;outline-offset:2px}'
].join('')
const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; base-uri 'none'; frame-ancestors 'none'`,
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'same-origin'
}
const cookie = 'clientele-logout'

/** Asks whether to sign out. Its form is good in the browser it was shown in, and for this logout alone. */
export function showConfirmation({ context, req, res }: LogoutExchange, { id, client }: LogoutPrompt): void {
  const known = browserOf(req.headers.cookie)
  const browser = known ?? context.server.random(16).toString('base64url')
  if (known === undefined) res.append('Set-Cookie', cookieFor(context.addressOf('end_session_endpoint'), browser))
  const who = client === undefined ? 'An application' : (client.client_name ?? client.client_id)
  send(
    res,
    'Sign out?',
    `<p><strong>${escapeHtml(who)}</strong> asks to sign you out, here and of every application you used with this sign-in.</p>
<form method="post" action="${escapeHtml(new URL(context.addressOf('end_session_endpoint')).pathname)}">
<input type="hidden" name="logout" value="${escapeHtml(id)}">
<input type="hidden" name="_csrf" value="${proofOf(context, browser, id).toString('base64url')}">
<button name="decision" value="allow">Sign out</button>
<button name="decision" value="deny">Stay signed in</button>
</form>`
  )
}

/** Whether the form is the one this browser was shown. */
export function checkForm({ context, req }: LogoutExchange, id: string, csrf: string): boolean {
  const browser = browserOf(req.headers.cookie)
  if (browser === undefined) return false
  return context.server.keys.verifyMac('logout_form', proved(browser, id), Buffer.from(csrf, 'base64url'))
}

/** Says how it ended. */
export function showDone(res: Response, signedOut: boolean): void {
  if (signedOut) send(res, 'You are signed out', '<p>You can close this page.</p>')
  else send(res, 'You are still signed in', '<p>Nothing was changed. You can close this page.</p>')
}

function proofOf({ server }: LogoutExchange['context'], browser: string, id: string): Buffer {
  return server.keys.mac('logout_form', proved(browser, id))
}

function proved(browser: string, id: string): Buffer {
  return Buffer.from(JSON.stringify([browser, id]))
}

function cookieFor(address: string, value: string): string {
  const { protocol, pathname } = new URL(address)
  return `${cookie}=${value}; Path=${pathname}; HttpOnly; SameSite=Strict${protocol === 'https:' ? '; Secure' : ''}`
}

function browserOf(cookies = ''): string | undefined {
  return new RegExp(`(?:^|; ?)${cookie}=([\\w-]{22})(?:;|$)`).exec(cookies)?.[1]
}

function send(res: Response, title: string, body: string): void {
  res.status(200).set(headers).type('html').send(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${title}</title>
<style>${style}</style>
<body>
<h1>${title}</h1>
${body}
`)
}
