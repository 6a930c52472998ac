/**
 * The built-in pages: the consent of a person who signed in elsewhere, and what went wrong. No script, nothing from
 * another host.
 */
import type { Response } from 'express'
import type { ConsentedMember } from '../clients/documents/document.ts'
import { redirectHostOf } from '../endpoints/authorization/document-consent.ts'
import { escapeHtml } from '../http/html.ts'
import { isOnLoopback } from '../options.ts'
import type { ConsentPage } from './options.ts'

const style = `:root{color-scheme:light dark;--text:#1c1e21;--quiet:#5a6069;--ground:#f5f6f8;--card:#fff;--line:#d9dde3;--accent:#1f5fbf;--note:#fdf3d8}
@media (prefers-color-scheme:dark){:root{--text:#e8eaed;--quiet:#a3abb6;--ground:#14161a;--card:#1d2026;--line:#3a4049;--accent:#8ab4f8;--note:#3a3115}}
*{box-sizing:border-box}body{margin:0;font:1rem/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground)}
main{max-width:30rem;margin:6vh auto;padding:1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .75rem}p{margin:.75rem 0}ul{padding-left:1.25rem;margin:.5rem 0}li{margin:.25rem 0}
h1,p,li,strong{overflow-wrap:anywhere}.host{font-size:1.1rem;font-weight:600}.quiet{color:var(--quiet);font-size:.9rem}
.note{background:var(--note);border-radius:.5rem;padding:.6rem .8rem}code{font-size:.85em;color:var(--quiet)}
form{display:flex;gap:.75rem;margin-top:1.25rem}button{flex:1;font:inherit;padding:.65rem 1rem;border-radius:.5rem;border:1px solid var(--line);background:transparent;color:inherit;cursor:pointer}
button.yes{background:var(--accent);border-color:var(--accent);color:var(--card);font-weight:600}button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (max-width:32rem){main{margin:0;border:0;border-radius:0;min-height:100vh}}`

/** Answers with a page that nothing may frame, keep or add to. */
function sendPage(res: Response, status: number, title: string, body: string): void {
  res.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer'
  })
  res.status(status).type('html').send(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
`)
}

/** Sends a page that says what went wrong, in a sentence. */
export function sendProblem(res: Response, status: number, sentence: string): void {
  sendPage(
    res,
    status,
    'You could not be signed in',
    `<p>${escapeHtml(sentence)}</p>
<p class="quiet">Nothing was shared. Go back to the application, and begin again there.</p>`
  )
}

/** Asks a person whether a client may act for them: per client, whoever the provider is (RFC 9700 §4.7). */
export function sendConsentPage(res: Response, page: ConsentPage): void {
  const { prompt, person, action, fields } = page
  // where there is a document, its host: the one name that the application did not choose
  const asker = prompt.document?.host ?? prompt.client.client_name ?? prompt.client.client_id
  const hidden = Object.entries(fields).map(([key, value]) => `<input type="hidden" name="${key}" value="${escapeHtml(value)}">`)
  sendPage(
    res,
    200,
    `Allow ${asker}?`,
    `<p>You are signed in as <strong>${escapeHtml(person)}</strong>.</p>
${whoAsks(page, asker)}
${whatIsAsked(page, asker)}
<p>You go on to <strong class="host">${escapeHtml(redirectHostOf(prompt.redirect_uri))}</strong>.</p>
<form method="post" action="${escapeHtml(action)}">
${hidden.join('\n')}
<button type="submit" name="decision" value="deny">Deny</button>
<button class="yes" type="submit" name="decision" value="allow">Allow</button>
</form>
<p class="quiet">Allow only what you have started yourself.</p>`
  )
}

const changeWords: Readonly<Record<ConsentedMember, string>> = {
  client_name: 'its name',
  redirect_uris: 'where you go on to',
  token_endpoint_auth_method: 'how it proves who it is',
  jwks: 'its keys'
}

function whoAsks({ prompt: { client, client_origin, document, redirect_uri } }: ConsentPage, asker: string): string {
  const called = `<strong>${escapeHtml(client.client_name ?? asker)}</strong>`
  const lines: string[] = []
  if (document !== undefined && client.client_name === undefined)
    lines.push('It says no name of its own, and nobody here vouches for it.')
  else if (document !== undefined)
    lines.push(`It calls itself ${called}. It chose that name itself, and nobody here vouches for it.`)
  else if (client_origin === 'registered')
    lines.push(`${called} registered itself here. Nobody vouches for it, nor for its name.`)
  if (document?.loopback ?? (client_origin === 'registered' && isOnLoopback(redirect_uri)))
    lines.push(
      'It runs on your own machine (loopback), where any program can call itself this. Go on only if you have just started it.'
    )
  const changed = (document?.changed ?? []).map(member => changeWords[member])
  if (changed.length > 0) lines.push(`Since you agreed last, it has changed ${changed.join(', ')}.`)
  return lines.map(line => `<p class="note" role="note">${line}</p>`).join('\n')
}

function whatIsAsked({ prompt, meanings }: ConsentPage, asker: string): string {
  const items = prompt.scope.map(value => {
    const meaning = meanings.get(value)
    return `<li>${meaning === undefined ? '' : `${escapeHtml(meaning)} `}<code>${escapeHtml(value)}</code></li>`
  })
  const details = prompt.authorization_details.map(detail => `<li><code>${escapeHtml(JSON.stringify(detail))}</code></li>`)
  const claims = prompt.claims.map(claim => `<li>${escapeHtml(claim.replaceAll('_', ' '))}</li>`)
  const all = [...items, ...details, ...claims]
  const called = `<strong>${escapeHtml(asker)}</strong>`
  const at = prompt.resources.length === 0 ? '' : `<p class="quiet">At ${escapeHtml(prompt.resources.join(', '))}</p>`
  if (all.length === 0) return `<p>${called} would like to act for you. It asks for nothing in particular.</p>${at}`
  return `<p>${called} would like to:</p>\n<ul>${all.join('\n')}</ul>${at}`
}
