/** A request, from the draft a person may edit to the answer: sent by this page, or by the server where it takes a certificate. */
import { hex } from './bytes.js'
import { certificateRequest, exportedKey, makeKey, signJwt } from './keys.js'
import { addProof, methods } from './methods.js'

export async function readJson(url) {
  const answer = await fetch(url)
  if (!answer.ok) throw new Error(`${url} is answered ${answer.status}.`)
  return answer.json()
}

export async function postJson(url, body) {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${url} is answered ${answer.status}.`)
  return answer.json()
}

/** Makes a draft: what a client of this method sends to an endpoint, before anything is signed. */
export async function draftOf({ setup, keys, method, url, params, dpop }) {
  const draft = {
    method,
    url,
    client: setup.clients[method],
    headers: {},
    params: { ...params },
    jwts: [],
    certificate: undefined
  }
  const { fill, needsKey, needsInstance, hasProof } = methods[method]
  const key = needsKey ? await keys.registered(method) : needsInstance ? await keys.proof() : undefined
  await fill(draft, setup, key)
  if (dpop && !hasProof) await addProof(draft, url, await keys.proof())
  return draft
}

/** Signs what is to be signed, and puts it where it belongs: headers and body as they go over the wire. */
export async function wireOf(draft, setup) {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...draft.headers }
  const params = { ...draft.params }
  for (const { name, in: place, header, claims, key, signer } of draft.jwts) {
    const jwt = signer === undefined ? await signJwt(header, claims, key) : await signedByDemo(signer, header, claims, setup)
    if (place === 'headers') headers[name] = jwt
    else params[name] = jwt
  }
  return { method: 'POST', url: draft.url, headers, body: new URLSearchParams(params).toString() }
}

async function signedByDemo(signer, header, claims, setup) {
  const { jwt } = await postJson(`${setup.issuer}/playground/vouchers`, { signer, header, claims })
  return jwt
}

/** Sends it, with a trace id of its own, by which the decision is found afterwards. */
export async function send(wire, certificate, setup) {
  const trace_id = hex(16)
  const headers = { ...wire.headers, traceparent: `00-${trace_id}-${hex(8)}-01` }
  if (certificate !== undefined) {
    const { pathname } = new URL(wire.url)
    const answer = await postJson(`${setup.issuer}/playground/send`, {
      path: pathname,
      headers,
      body: wire.body,
      ...certificate.pems
    })
    return { ...answer, body: parsed(answer.text), trace_id }
  }
  // without this Chromium asks the person for a password wherever Basic is refused
  const answer = await fetch(wire.url, {
    credentials: 'omit',
    method: wire.method,
    headers,
    ...(wire.body !== undefined && { body: wire.body })
  })
  const text = await answer.text()
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text, body: parsed(text), trace_id }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What was decided of the request with this trace id, the last first; undefined where no client was to be authenticated. */
export async function decisionOf(trace_id, setup) {
  const decisions = await readJson(`${setup.issuer}/playground/decisions/${trace_id}`)
  return decisions[0]
}

/** The keys of this page: made when they are first needed, and told to the server. */
export function pageKeys(setup) {
  const made = new Map()
  const once = (name, make) => {
    if (!made.has(name)) made.set(name, make())
    return made.get(name)
  }
  const publish = keys => postJson(`${setup.issuer}/playground/keys`, keys)
  return {
    proof: () => once('proof', makeKey),
    registered: method =>
      once(`key of ${method}`, async () => {
        const key = await makeKey()
        await publish({ jwk: { ...key.jwk, kid: key.kid, alg: key.alg, use: 'sig' } })
        return key
      }),
    /** The certificate a draft asks for, in PEM with its key; undefined where there is to be none. */
    certificate: ({ by, subject, isUnknown = false, ...more }) =>
      once(`certificate ${JSON.stringify([by, subject, isUnknown, more])}`, async () => {
        if (by === 'nobody') return { pems: {} }
        const key = await makeKey({ extractable: true })
        const csr = await certificateRequest(subject, key)
        const pem = await exportedKey(key)
        const request = { csr, by, ...more, ...(by === 'itself' && { key: pem }) }
        const { cert } = await postJson(`${setup.issuer}/playground/certificates`, request)
        if (by === 'itself' && !isUnknown) await publish({ certificate: cert })
        return { csr, cert, pems: { cert, key: pem } }
      })
  }
}
