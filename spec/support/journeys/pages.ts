/** A host application's own login and consent pages: a session cookie, two forms, and the server's `resume()`. */
import { randomUUID } from 'node:crypto'
import type { Account, AuthorizationServer, Interaction } from 'clientele'
import express, { type Request, type Response } from 'express'
import type { RunningServer } from './server.ts'

interface Session {
  account?: Account
  readonly consented: Set<string>
  readonly interactions: Set<string>
}

const sessions = new Map<string, Session>()
const people = new Map([['alice', 'wonderland']])

/** What the server asks this application. */
export const pages: Interaction = {
  account: req => sessionOf(req)?.account,
  consented: (req, { client, scope }) => sessionOf(req)?.consented.has(`${client.client_id} ${scope.join(' ')}`) ?? false,
  prompt: (req, res, { id }) => {
    const session = sessionOf(req) ?? newSession(res)
    session.interactions.add(id)
    res.redirect(303, `/interaction?id=${id}`)
  }
}

/** The pages themselves. */
export function mountPages({ app, server }: RunningServer): void {
  app.get('/interaction', (req, res, next) => {
    showPage(server, req, res, 200).catch(next)
  })
  app.post('/interaction', express.urlencoded({ extended: false }), (req, res, next) => {
    answerPage(server, req, res).catch(next)
  })
}

async function showPage(server: AuthorizationServer, req: Request, res: Response, status: number): Promise<void> {
  const prompt = await server.interaction(req, idOf(req))
  if (prompt === undefined || !isOwn(req, prompt.id)) {
    res.status(403).send('this page is not yours, or no longer there')
    return
  }
  const fields =
    prompt.name === 'login'
      ? `<input name="username" value="${prompt.login_hint ?? ''}"><input name="password" type="password">`
      : `<p>${prompt.client.client_id}: ${prompt.scope.join(', ')}</p><button name="decision" value="allow">`
  const id = `<input type="hidden" name="id" value="${prompt.id}">`
  res.status(status).send(`<h1>${prompt.name}</h1><form method="post" action="/interaction">${id}${fields}</form>`)
}

async function answerPage(server: AuthorizationServer, req: Request, res: Response): Promise<void> {
  const id = idOf(req)
  const session = sessionOf(req)
  if (session === undefined || !isOwn(req, id)) {
    res.status(403).send('this page is not yours')
    return
  }
  const { username, password, decision } = req.body as Readonly<Record<string, string | undefined>>
  if (username !== undefined) {
    if (people.get(username) !== password) return showPage(server, req, res, 401)
    session.account = { sub: username, auth_time: Math.floor(Date.now() / 1000) }
    return server.resume(req, res, id, { login: session.account })
  }
  if (decision !== 'allow') return server.resume(req, res, id, { error: 'access_denied' })
  const prompt = await server.interaction(req, id)
  if (prompt !== undefined) session.consented.add(`${prompt.client.client_id} ${prompt.scope.join(' ')}`)
  return server.resume(req, res, id, { consent: true })
}

function idOf(req: Request): string {
  const body = req.body as Readonly<Record<string, unknown>> | undefined
  const id = body?.['id'] ?? req.query['id']
  return typeof id === 'string' ? id : ''
}

function isOwn(req: Request, id: string): boolean {
  return sessionOf(req)?.interactions.has(id) ?? false
}

function sessionOf(req: Request): Session | undefined {
  return sessions.get(/(?:^|; )session=([^;]+)/.exec(req.headers.cookie ?? '')?.[1] ?? '')
}

function newSession(res: Response): Session {
  const id = randomUUID()
  const session: Session = { consented: new Set(), interactions: new Set() }
  sessions.set(id, session)
  res.cookie('session', id, { httpOnly: true, sameSite: 'lax' })
  return session
}
