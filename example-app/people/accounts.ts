/** The people of one issuer. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import type { Account } from 'clientele'
import type { AccountSettings } from '../config/schema.ts'
import { sessionOf } from '../sessions/sessions.ts'

export interface People {
  /** The person with this name and password. Takes as long for an unknown name as for a wrong password. */
  verify(username: string, password: string): AccountSettings | undefined
  find(sub: string): AccountSettings | undefined
  named(username: string): AccountSettings | undefined
}

/** Passwords come in plain text from the configuration of a demo; here they are kept and compared as keyed digests. */
export function people(accounts: readonly AccountSettings[]): People {
  const key = randomBytes(32)
  const digest = (password: string) => createHmac('sha256', key).update(password).digest()
  const bySub = new Map(accounts.map(account => [account.sub, account]))
  const byName = new Map(accounts.map(account => [account.username, { account, digest: digest(account.password) }]))
  const nobody = { account: undefined, digest: randomBytes(32) }
  return {
    verify(username, password) {
      const candidate = byName.get(username) ?? nobody
      return timingSafeEqual(digest(password), candidate.digest) ? candidate.account : undefined
    },
    find: sub => bySub.get(sub),
    named: username => byName.get(username)?.account
  }
}

/** Who is signed in, unless the account was removed meanwhile. */
export function currentAccount(req: Request, people: People): Account | undefined {
  const account = sessionOf(req)?.account
  return account !== undefined && people.find(account.sub) !== undefined ? account : undefined
}
