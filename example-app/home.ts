/** The page at an issuer's own address. */
import type { RequestHandler } from 'express'
import type { Demo } from './demo/demo.ts'
import { currentPerson, type People } from './people/accounts.ts'
import { sendPage } from './views.ts'

interface HomeOptions {
  readonly issuer: string
  /** Where the issuer is mounted. */
  readonly base: string
  readonly people: People
  /** The built-in demo, where it is this issuer. */
  readonly demo: Demo | undefined
  /** The usernames of those who see more. */
  readonly operators: readonly string[]
}

export function home({ issuer, base, people, demo, operators }: HomeOptions): RequestHandler {
  // a page is for whoever finds it, and a secret is not
  const commands = demo?.commands.filter(({ hasSecret }) => !hasSecret) ?? []
  return (req, res) => {
    const person = currentPerson(req, people)
    const operator = person !== undefined && operators.includes(person.username)
    const shown = { issuer, person: person?.username, operator, commands }
    const parts = { demo: demo !== undefined, playground: demo?.playground === true }
    sendPage(res, 'home', { base, title: 'Authorization server', wide: true, ...shown, ...parts })
  }
}
