/**
 * The built-in sign-in as an authorization server asks it: who is there, what they agreed to, and where they go to say
 * more.
 */
import type { Interaction, InteractionPrompt } from '../endpoints/authorization/interaction.ts'
import { sendSeeOther } from '../http/responses.ts'
import type { SignInParts } from './parts.ts'
import { covers } from './sessions.ts'

export function upstreamInteraction(parts: SignInParts): Interaction {
  const { sessions, provider, addresses } = parts
  return {
    account: async req => (await sessions.find(req))?.account,
    async consented(req, { client: { client_id }, sub, scope, resources }) {
      const session = await sessions.find(req)
      return session?.account.sub === sub && covers(session, { client_id, scope, resources })
    },
    async prompt(req, res, prompt) {
      const browser = sessions.browserOf(req, res)
      let to: URL
      if (prompt.name === 'login') {
        to = await provider.begin(parts.newSignIn(prompt.id, browser, prompt.max_age), wishesOf(prompt))
      } else {
        to = new URL(addresses.consent)
        to.search = new URLSearchParams({ interaction: prompt.id, proof: parts.proofOf(prompt.id, browser) }).toString()
      }
      sendSeeOther(res, to.href)
    }
  }
}

/** Collects the client's wishes for the sign-in, as far as another server can know what they mean. */
function wishesOf({ login_hint, ui_locales, display, max_age, reauthenticate }: InteractionPrompt): Record<string, string> {
  return {
    ...(login_hint !== undefined && { login_hint }),
    ...(ui_locales !== undefined && { ui_locales }),
    ...(display !== undefined && { display }),
    ...(max_age !== undefined && { max_age: String(max_age) }),
    ...(reauthenticate && { prompt: 'login' })
  }
}
