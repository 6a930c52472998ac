/** The page at an issuer's own address. */
import type { RequestHandler } from 'express'
import { currentAccount, type People } from './people/accounts.ts'
import { sendPage } from './views.ts'

export interface HomeOptions {
  readonly issuer: string
  /** Where the issuer is mounted. */
  readonly base: string
  readonly people: People
  readonly demo: boolean
  /** Whether there is a playground. */
  readonly playground: boolean
  /** The usernames of those who see more. */
  readonly operators: readonly string[]
}

export function home({ issuer, base, people, demo, playground, operators }: HomeOptions): RequestHandler {
  return (req, res) => {
    const account = currentAccount(req, people)
    const person = account === undefined ? undefined : people.find(account.sub)
    const operator = person !== undefined && operators.includes(person.username)
    const page = { base, title: 'Authorization server', wide: true, issuer, person: person?.username, demo, playground, operator }
    sendPage(res, 'home', page)
  }
}
