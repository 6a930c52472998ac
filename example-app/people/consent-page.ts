/** The page where a person decides what an application may do for them. */
import type { Response } from 'express'
import type { InteractionPrompt } from 'clientele'
import { asksOf } from './asks.ts'
import { hostOf, linksOf, nameOf } from './client-words.ts'
import { sendPage } from '../views.ts'

export interface ConsentPage {
  readonly base: string
  readonly prompt: InteractionPrompt
  /** The username of whoever decides. */
  readonly person: string | undefined
  /** Where this server serves the application's logo, if it does. */
  readonly logo: string | undefined
  readonly csrf: string
}

export function showConsent(res: Response, { base, prompt, person, logo, csrf }: ConsentPage): void {
  sendPage(res, 'consent', {
    base,
    title: `Allow ${nameOf(prompt.client)}?`,
    ...asksOf(prompt),
    person,
    logo,
    host: hostOf(prompt.redirect_uri),
    claims: prompt.claims.map(claim => claim.replaceAll('_', ' ')),
    links: linksOf(prompt.client),
    interaction: prompt.id,
    csrf
  })
}
