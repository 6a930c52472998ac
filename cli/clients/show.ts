/** `clients show`: one client, and what it proves itself with. */
import { isPublic } from 'clientele'
import { answer, moment } from '../answer.ts'
import { command, CommandError } from '../command.ts'
import { storeOptions, withOperator } from '../operator.ts'

export const showClient = command({
  arguments: ['CLIENT_ID'],
  options: storeOptions,
  description: 'Shows the metadata of a client, without its secrets, and its credentials with their dates and last uses.',
  run: ({ arguments: [client_id = ''], options, terminal }) =>
    withOperator({ options, terminal }, async operator => {
      const { configured, stored, credentials: sets } = operator
      const kept = (await stored.list()).find(client => client.client_id === client_id)
      const metadata = configured.find(client => client.client_id === client_id) ?? kept?.metadata
      if (metadata === undefined) throw new CommandError('there is no such client, or it registered itself', 1)
      const disabled = kept?.disabled === true
      const found = await stored.clients.find(client_id)
      const credentials = found === undefined || isPublic(found) ? [] : await sets.listCredentials(client_id)
      const shown = Object.fromEntries(
        Object.entries(metadata).filter(([name]) => !['client_secret', 'credentials'].includes(name))
      )
      const rows = [
        ...Object.entries({ ...shown, disabled }).map(([name, value]) => ({
          member: name,
          value: typeof value === 'string' ? value : JSON.stringify(value)
        })),
        ...credentials.map(({ credential, state, expires_at, last_used_at }) => ({
          member: credential,
          value: `${state}, expires ${moment(expires_at, 'never')}, last used ${moment(last_used_at, 'never')}`
        }))
      ]
      answer(terminal, options.format, { ...shown, disabled, credentials }, rows, '')
      return 0
    })
})
