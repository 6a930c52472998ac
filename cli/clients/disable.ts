/**
 * `clients disable` and `clients enable`: a client is refused as if it were not there, on every server within seconds.
 */
import { CredentialError } from 'clientele'
import { answer } from '../answer.ts'
import { command } from '../command.ts'
import { changeOptions, withOperator, type Operator } from '../operator.ts'

export const disableClient = command({
  arguments: ['CLIENT_ID'],
  options: changeOptions,
  description: `Has a client refused, with every token it holds, as if it were not there: one of the configuration file, one of the store, or one
that registered itself, which ends for good. The servers see it within seconds.`,
  run: ({ arguments: [client_id = ''], options, terminal }) =>
    withOperator({ options, terminal }, async operator => {
      const state = await disable(client_id, operator)
      answer(terminal, options.format, { client_id, state }, [{ client_id, state }], '')
      return 0
    })
})

async function disable(client_id: string, { stored, server }: Operator): Promise<'disabled' | 'ended'> {
  try {
    await stored.setDisabled(client_id, true)
    return 'disabled'
  } catch (error) {
    const isUnknown = error instanceof CredentialError && error.code === 'unknown_client'
    if (isUnknown && (await server().registrations.delete(client_id))) return 'ended'
    throw error
  }
}

export const enableClient = command({
  arguments: ['CLIENT_ID'],
  options: changeOptions,
  description: 'Lets a client that was disabled be found again, with what it holds that has not expired.',
  run: ({ arguments: [client_id = ''], options, terminal }) =>
    withOperator({ options, terminal }, async ({ stored }) => {
      await stored.setDisabled(client_id, false)
      answer(terminal, options.format, { client_id, state: 'active' }, [{ client_id, state: 'active' }], '')
      return 0
    })
})
