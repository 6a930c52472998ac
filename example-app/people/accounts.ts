/** The people of one issuer. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import { verifySecret, type Account } from 'clientele'
import type { AccountSettings } from '../config/schema.ts'
import { sessionOf } from '../sessions/sessions.ts'

export interface People {
  /** The person with this name and password. Takes as long for an unknown name as for a wrong password. */
  verify(username: string, password: string): Promise<AccountSettings | undefined>
  find(sub: string): AccountSettings | undefined
  named(username: string): AccountSettings | undefined
}

/**
 * A password stands in the configuration as scrypt made it, or in plain text, as a demo's does: that is kept and
 * compared as a keyed digest. As soon as one is kept as a hash, every wrong password takes one such computation,
 * whoever's it is.
 */
export function people(accounts: readonly AccountSettings[]): People {
  const key = randomBytes(32)
  const digest = (password: string) => createHmac('sha256', key).update(password).digest()
  const bySub = new Map(accounts.map(account => [account.sub, account]))
  const byName = new Map(accounts.map(account => [account.username, { account, digest: digest(account.password) }]))
  const nobody = { account: undefined, digest: randomBytes(32) }
  const someHashed = accounts.some(({ password }) => isHash(password))
  return {
    async verify(username, password) {
      const { account, digest: kept } = byName.get(username) ?? nobody
      const hash = account !== undefined && isHash(account.password) ? account.password : undefined
      const equal = timingSafeEqual(digest(password), kept) && hash === undefined
      if (!someHashed || equal) return equal ? account : undefined
      // a longer one is nobody's, and only this much is hashed
      return (await verifySecret(password.slice(0, longestPassword), password.length > longestPassword ? undefined : hash))
        ? account
        : undefined
    },
    find: sub => bySub.get(sub),
    named: username => byName.get(username)?.account
  }
}

const longestPassword = 1024

function isHash(password: string): boolean {
  return password.startsWith('$scrypt$')
}

/** Finds who is signed in, unless the account was removed meanwhile. */
export function currentAccount(req: Request, people: People): Account | undefined {
  return currentPerson(req, people) === undefined ? undefined : sessionOf(req)?.account
}

/** The same, as they stand in the configuration. */
export function currentPerson(req: Request, people: People): AccountSettings | undefined {
  const sub = sessionOf(req)?.account.sub
  return sub === undefined ? undefined : people.find(sub)
}
