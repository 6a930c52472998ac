/** The page of `response_mode=form_post`: it sends itself on, and has a button for browsers without scripts. */
import { hash } from 'node:crypto'
import type { Response } from 'express'
import { escapeHtml } from '../../http/html.ts'

const script = 'document.forms[0].submit()'
const style = [
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:20vh auto 0;padding:0 1.5rem;text-align:center}',
  'button{font:inherit;font-weight:600;margin-top:.5rem;padding:.6rem 2rem;border:0;border-radius:.5rem;background:#3556d8;color:#fff}',
  'button:focus-visible{outline:3px solid #8ea5ff;outline-offset:2px}'
].join('')

/** This script, this style, and nothing else. No `form-action`: some browsers apply it to what the client answers. */
const policy = `default-src 'none'; script-src 'sha256-${hash('sha256', script, 'base64')}'; style-src 'sha256-${hash('sha256', style, 'base64')}'; base-uri 'none'; frame-ancestors 'none'`

/** Answers with a page that posts the parameters to the redirect URI (OAuth 2.0 Form Post Response Mode §2). */
export function sendFormPost(res: Response, redirect_uri: string, parameters: Readonly<Record<string, string>>): void {
  const text = page(redirect_uri, parameters)
  res.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'Content-Security-Policy': policy,
    'X-Frame-Options': 'DENY',
    // with no-referrer browsers would send `Origin: null`, which clients take for an attack
    'Referrer-Policy': 'strict-origin'
  })
  res.end(text)
}

function page(redirect_uri: string, parameters: Readonly<Record<string, string>>): string {
  const fields = Object.entries(parameters).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Going back to the application</title>
<style>${style}</style>
<body>
<form method="post" action="${escapeHtml(redirect_uri)}">
${fields.join('\n')}
<p>You are going back to the application. If nothing happens, press the button.</p>
<p><button>Continue</button></p>
</form>
<script>${script}</script>
`
}
