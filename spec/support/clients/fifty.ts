/** The same token request, fifty times at once, over as many connections. */
import { basic, type Form } from '../servers/authorization-server.ts'

export interface Answer {
  readonly status: number
  readonly body: { readonly error?: string; readonly access_token?: string; readonly refresh_token?: string }
}

export const fiftyTimes = (address: string, client_id: string, form: Form): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: 50 }, async () => {
      const response = await fetch(`${address}/oauth2/token`, {
        method: 'POST',
        headers: { Authorization: basic(client_id) },
        body: new URLSearchParams(form)
      })
      return { status: response.status, body: (await response.json()) as Answer['body'] }
    })
  )
