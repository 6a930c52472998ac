/** Writes answers: JSON, in one write, with the headers OAuth asks for. */
import { ServerResponse, type OutgoingHttpHeaders } from 'node:http'
import { Socket } from 'node:net'
import type { OAuthError } from '../errors.ts'

/** RFC 6749 §5.1: nothing on the way may keep an answer that holds, or refuses, a token. */
export const notStored = Object.freeze({ 'Cache-Control': 'no-store', Pragma: 'no-cache' })

/**
 * Answers with JSON, its length and the given headers; headers set on `res` before stay unless given again. Where an
 * answer has begun already nothing is written, and an unfinished one is cut off, so that half an answer cannot pass for
 * a whole one.
 */
export function sendJson(res: ServerResponse, status: number, body: object, headers?: Readonly<OutgoingHttpHeaders>): void {
  if (res.headersSent) {
    if (!res.writableEnded) res.destroy()
    return
  }
  const text = JSON.stringify(body)
  const length = Buffer.byteLength(text)
  res.writeHead(status, { ...headers, 'Content-Type': 'application/json', 'Content-Length': length })
  endWith(res, text, length === text.length ? 'latin1' : 'utf8')
}

const nodesOwn = ServerResponse.prototype

/**
 * Ends an answer whose head is written and says how long it is. `end(text)` hands the socket head and text, and then a
 * text without characters: two pieces, which take longer to write than the one they come down to.
 */
function endWith(res: ServerResponse, text: string, encoding: 'latin1' | 'utf8'): void {
  const { socket } = res
  // what a middleware put in the place of Node's own functions may count on seeing the whole answer at once
  if (!(socket instanceof Socket) || res.write !== nodesOwn.write || res.end !== nodesOwn.end) {
    res.end(text)
    return
  }
  // a socket that is not corked is corked by write(), until all that is under way has been done
  socket.cork()
  res.write(text, encoding)
  socket.uncork()
  res.end()
}

/** Sends a browser on by GET (RFC 9110 §15.4.4), and tells the next place nothing of this one. */
export function sendSeeOther(res: ServerResponse, location: string): void {
  const headers = { Location: location, 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'Content-Length': 0 }
  res.writeHead(303, headers).end()
}

/**
 * Length and type of an answer without a body. Clients that read every answer as JSON fail on one that does not say it
 * is.
 */
const nothing = { 'Content-Type': 'application/json', 'Content-Length': 0 }

/** 200 without a body, where the status says it all; not to be stored. */
export function sendDone(res: ServerResponse): void {
  if (!res.headersSent) res.writeHead(200, { ...notStored, ...nothing }).end()
  else if (!res.writableEnded) res.destroy()
}

/** A successful token response (RFC 6749 §5.1): 200, JSON, not to be stored. */
export function sendTokenResponse(res: ServerResponse, body: object): void {
  sendJson(res, 200, body, notStored)
}

/**
 * An error response (RFC 6749 §5.2): the error's status and headers, its code and description as JSON, not to be
 * stored.
 */
export function sendOAuthError(res: ServerResponse, error: OAuthError, body: object = error.toJSON()): void {
  sendJson(res, error.status, body, { ...notStored, ...error.headers })
}

/** Answers with a JWT as it is. */
export function sendJwt(res: ServerResponse, jwt: string, mediaType: string, headers: Readonly<Record<string, string>>): void {
  res.writeHead(200, { ...headers, 'Content-Type': mediaType, 'Content-Length': Buffer.byteLength(jwt) })
  res.end(jwt)
}
