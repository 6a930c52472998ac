/** The playground: a client that lives in this page, and shows all it does. */
import { random, sha256 } from './bytes.js'
import { breaks, breaksFor } from './breaks.js'
import { diagram } from './diagram.js'
import { decisionOf, draftOf, pageKeys, postJson, readJson, send, wireOf } from './exchange.js'
import { grants, polled } from './grants.js'
import { addProof, methods } from './methods.js'
import { decode, verify } from './tokens.js'
import { answerView, curl, decisionView, el, rawHttp, tokenView } from './view.js'

const $ = id => document.getElementById(id)
const page = { steps: diagram($('diagram'), $('steps')), running: 0 }

const chosen = () => ({ method: $('method').value, grant: $('grant').value, dpop: $('dpop').checked })
const say = text => ($('status').textContent = text)

async function begin() {
  page.setup = await readJson('playground/setup.json')
  page.metadata = await readJson(page.setup.metadata)
  page.setup.challenge = page.metadata.challenge_endpoint
  page.keys = pageKeys(page.setup)
  const offered = page.metadata.token_endpoint_auth_methods_supported.filter(
    method => method in methods && method in page.setup.clients
  )
  $('method').replaceChildren(...offered.map(method => el('option', { value: method }, method)))
  const state = new URLSearchParams(location.hash.slice(1))
  $('method').value = offered.includes(state.get('method')) ? state.get('method') : 'private_key_jwt'
  listGrants(state.get('grant'))
  $('dpop').checked = state.get('dpop') === 'on'
  page.broken = state.get('break') ?? ''
  $('method').addEventListener('change', () => (listGrants($('grant').value), changed()))
  for (const id of ['grant', 'dpop']) $(id).addEventListener('change', changed)
  $('send').addEventListener('click', run)
  $('copy').addEventListener('click', copyLink)
  await prepare()
  document.body.dataset.ready = 'yes'
}

function listGrants(wanted) {
  const offered = Object.keys(grants).filter(
    grant => page.metadata.grant_types_supported.includes(grant) && grants[grant].suits($('method').value)
  )
  $('grant').replaceChildren(...offered.map(grant => el('option', { value: grant }, grant.split(':').at(-1))))
  $('grant').value = offered.includes(wanted) ? wanted : offered[0]
}

function changed() {
  page.broken = ''
  return prepare()
}

/** Shows what would be sent. */
async function prepare() {
  const { method, grant, dpop } = chosen()
  const possible = breaksFor(method, [grant, ...(dpop ? ['dpop'] : [])])
  if (!possible.some(({ id }) => id === page.broken)) page.broken = ''
  $('about').textContent = `${methods[method].about} ${grants[grant].about}`
  $('breaks').replaceChildren(...possible.map(breakButton))
  history.replaceState(null, '', `#${stateOf()}`)
  $('tls').hidden = methods[method].certificate === undefined
  const broken = breaks.find(({ id }) => id === page.broken)
  page.isEdited = false
  page.draft = await newDraft({ grant_type: grant, ...(grant === 'client_credentials' && { scope: 'api:read' }) })
  if (broken !== undefined && broken.needs !== 'authorization_code') await broken.apply(page.draft)
  $('jwts').replaceChildren(...page.draft.jwts.map(editor))
  await showWire()
}

function stateOf() {
  const { method, grant, dpop } = chosen()
  return new URLSearchParams({
    method,
    grant,
    ...(dpop && { dpop: 'on' }),
    ...(page.broken !== '' && { break: page.broken })
  }).toString()
}

function breakButton({ id, label }) {
  const button = el('button', { type: 'button', 'aria-pressed': String(id === page.broken), onclick: () => toggle(id) }, label)
  button.dataset.break = id
  return button
}

async function toggle(id) {
  page.broken = page.broken === id ? '' : id
  await prepare()
  $('breaks').querySelector(`[data-break="${id}"]`).focus()
}

const addressFor = method => (methods[method].certificate === undefined ? page.metadata : page.metadata.mtls_endpoint_aliases)

function newDraft(params, url) {
  const { method, dpop } = chosen()
  const target = url ?? addressFor(method).token_endpoint
  return draftOf({ setup: page.setup, keys: page.keys, method, url: target, params, dpop: dpop && url === undefined })
}

/** Header and claims of a JWT, to be edited. */
function editor(jwt) {
  const id = `edit-${jwt.name}`
  const area = (part, label) =>
    el('textarea', {
      id: `${id}-${part}`,
      rows: JSON.stringify(jwt[part], null, 2).split('\n').length,
      spellcheck: false,
      'aria-label': `${jwt.title}, ${label}`,
      value: JSON.stringify(jwt[part], null, 2),
      oninput: event => edited(event.target, jwt, part)
    })
  return el('details', { open: true }, el('summary', {}, jwt.title), area('header', 'header'), area('claims', 'claims'))
}

async function edited(area, jwt, part) {
  try {
    jwt[part] = JSON.parse(area.value)
    page.isEdited = true
    area.removeAttribute('aria-invalid')
    await showWire()
  } catch {
    area.setAttribute('aria-invalid', 'true')
  }
}

async function showWire() {
  const certificate = page.draft.certificate && (await page.keys.certificate(page.draft.certificate))
  page.wire = await wireOf(page.draft, page.setup)
  $('http').textContent = rawHttp(page.wire)
  $('curl').textContent = curl(page.wire, certificate)
}

/** The whole way: what comes before, the token request, the decision, the answer. */
async function run() {
  const turn = ++page.running
  for (const id of ['decision', 'answer', 'tokens', 'actions', 'after']) $(id).replaceChildren()
  page.steps.clear()
  say('Under way …')
  delete document.body.dataset.done
  try {
    const { grant } = chosen()
    const { interval, ...params } = await grants[grant].begin({ ...page, said: ask, authenticated, postJson })
    const request = async () => exchange(await finished(params))
    const answer = grants[grant].polls ? await polled(request, interval ?? 5) : await request()
    if (turn === page.running) await showAnswer(answer)
  } catch (error) {
    say(error.message)
  }
  await renew()
  document.body.dataset.done = String(turn)
}

/** The request with what the grant gave: the draft as it was edited, or one made now, with whatever is to be broken in it. */
async function finished(params) {
  const broken = breaks.find(({ id }) => id === page.broken)
  const draft = page.isEdited ? page.draft : await newDraft(params)
  if (page.isEdited) Object.assign(draft.params, params)
  if (broken !== undefined && (!page.isEdited || broken.needs === 'authorization_code')) await broken.apply(draft)
  return draft
}

/** What was sent cannot be sent again: the next request has identifiers of its own. */
async function renew() {
  if (!page.isEdited) return
  for (const { claims } of page.draft.jwts) if (claims.jti !== undefined) claims.jti = random(12)
  $('jwts').replaceChildren(...page.draft.jwts.map(editor))
}

/** Says what a person has to do, with a link that opens another window. */
function ask({ text, href }) {
  $('status').replaceChildren(text, ' ', el('a', { href, target: '_blank', rel: 'opener' }, 'Open the window'))
}

/** A request of the client that nothing is broken in. @returns the body of its answer */
async function authenticated(url, params) {
  const aliases = page.metadata.mtls_endpoint_aliases ?? {}
  const name = Object.keys(page.metadata).find(member => page.metadata[member] === url)
  const isTls = methods[chosen().method].certificate !== undefined
  const answer = await exchange(await newDraft(params, isTls ? (aliases[name] ?? url) : url), { isQuiet: true })
  if (answer.status >= 400) throw new Error(`The server refuses: ${answer.body?.error ?? answer.status}.`)
  return answer.body
}

async function exchange(draft, { isQuiet = false } = {}) {
  const certificate = draft.certificate && (await page.keys.certificate(draft.certificate))
  const wire = await wireOf(draft, page.setup)
  if (draft.twice) await send(wire, certificate, page.setup)
  if (!isQuiet) {
    page.wire = wire
    $('http').textContent = rawHttp(wire)
    $('curl').textContent = curl(wire, certificate)
  }
  const answer = await send(wire, certificate, page.setup)
  if (isQuiet) return answer
  const isBad = answer.status >= 400
  for (const { signer, title } of draft.jwts) if (signer !== undefined) page.steps.add(signer, 'page', title)
  if (draft.certificate?.by === 'domain') page.steps.add('domain', 'page', 'X.509-SVID')
  if (certificate !== undefined) page.steps.add('page', 'tls', 'request, key of certificate')
  page.steps.add(certificate === undefined ? 'page' : 'tls', 'server', `POST token, ${draft.method}`, isBad)
  page.steps.add(
    'server',
    certificate === undefined ? 'page' : 'tls',
    isBad ? `${answer.status} ${answer.body?.error ?? ''}` : '200, tokens',
    isBad
  )
  return answer
}

async function showAnswer(answer) {
  const decision = await decisionOf(answer.trace_id, page.setup)
  const failed = decision?.checks.find(({ outcome }) => outcome === 'fail')
  $('decision').replaceChildren(...decisionView(decision))
  $('answer').replaceChildren(answerView(answer))
  if (failed !== undefined) say(`Refused, by the check ${failed.check}. The client is told ${answer.body?.error} and no more.`)
  else
    say(answer.status < 400 ? 'The client has its tokens.' : `The client is authenticated, and refused: ${answer.body?.error}.`)
  if (answer.status >= 400) return
  page.tokens = answer.body
  const jwks = await readJson(page.metadata.jwks_uri)
  for (const name of ['access_token', 'id_token']) {
    const decoded = answer.body[name] && decode(answer.body[name])
    if (decoded) $('tokens').append(tokenView(name, decoded, await verify(answer.body[name], jwks)))
  }
  offerActions()
}

function offerActions() {
  const { refresh_token } = page.tokens
  const isPublic = chosen().method === 'none'
  const action = (label, act) => el('button', { type: 'button', onclick: () => after(label, act) }, label)
  const { introspection_endpoint, revocation_endpoint } = page.metadata
  $('actions').replaceChildren(
    ...[
      action('Call the API', callApi),
      isPublic
        ? undefined
        : action('Introspect', () => authenticated(introspection_endpoint, { token: page.tokens.access_token })),
      refresh_token === undefined ? undefined : action('Refresh', refresh),
      action('Revoke', () => authenticated(revocation_endpoint, { token: page.tokens.access_token }).then(() => 'Revoked.'))
    ].filter(button => button !== undefined)
  )
}

async function after(label, act) {
  try {
    const result = await act()
    $('after').replaceChildren(
      el('h3', {}, label),
      el(
        'pre',
        { tabIndex: 0, 'aria-label': `${label}, answer` },
        typeof result === 'string' ? result : JSON.stringify(result ?? {}, null, 2)
      )
    )
  } catch (error) {
    $('after').replaceChildren(el('p', { className: 'note' }, error.message))
  }
}

async function callApi() {
  const { access_token, token_type } = page.tokens
  const url = `${page.setup.issuer}/api/whoami`
  const draft = { verb: 'GET', jwts: [] }
  if (token_type === 'DPoP') await addProof(draft, url, await page.keys.proof(), await sha256(access_token))
  const wire = draft.jwts.length > 0 ? await wireOf({ ...draft, headers: {}, params: {}, url }) : { headers: {} }
  const headers = { Authorization: `${token_type} ${access_token}`, ...(wire.headers.DPoP && { DPoP: wire.headers.DPoP }) }
  const answer = await send({ method: 'GET', url, headers }, undefined, page.setup)
  page.steps.add('page', 'api', 'GET /api/whoami', answer.status >= 400)
  page.steps.add('api', 'page', String(answer.status), answer.status >= 400)
  return `${answer.status}${answer.headers['www-authenticate'] ? ` ${answer.headers['www-authenticate']}` : ''}\n${answer.text}`
}

async function refresh() {
  const draft = await newDraft({ grant_type: 'refresh_token', refresh_token: page.tokens.refresh_token })
  const answer = await exchange(draft)
  if (answer.status >= 400) throw new Error(`The server refuses: ${answer.body?.error}.`)
  page.tokens = { refresh_token: page.tokens.refresh_token, ...answer.body }
  return answer.body
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href)
    say('The link is copied.')
  } catch {
    say(`Copy the address of this page: ${location.href}`)
  }
}

await begin()
