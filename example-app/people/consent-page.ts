/** The page where a person decides what an application may do for them. */
import type { Response } from 'express'
import type { ConsentedMember, InteractionPrompt } from 'clientele'
import { asksOf } from './asks.ts'
import { askerOf, hostOf, linksOf } from './client-words.ts'
import { sendPage } from '../views.ts'

interface ConsentPage {
  readonly base: string
  readonly prompt: InteractionPrompt
  /** The username of whoever decides. */
  readonly person: string | undefined
  /** Where this server serves the application's logo, if it does. */
  readonly logo: string | undefined
  readonly csrf: string
}

const changeWords: Readonly<Record<ConsentedMember, string>> = {
  client_name: 'its name',
  redirect_uris: 'where you go on to',
  token_endpoint_auth_method: 'how it proves who it is',
  jwks: 'its keys'
}

export function showConsent(res: Response, { base, prompt, person, logo, csrf }: ConsentPage): void {
  sendPage(res, 'consent', {
    base,
    title: `Allow ${askerOf(prompt.client)}?`,
    ...asksOf(prompt),
    person,
    logo,
    host: hostOf(prompt.redirect_uri),
    changed: (prompt.document?.changed ?? []).map(member => changeWords[member]),
    claims: prompt.claims.map(claim => claim.replaceAll('_', ' ')),
    links: linksOf(prompt.client),
    interaction: prompt.id,
    csrf
  })
}
