/** `grants list` and `grants revoke`: what clients hold of one person's. */
import { answer, moment } from './answer.ts'
import { command, CommandError } from './command.ts'
import { changeOptions, storeOptions, withOperator, type Operator } from './operator.ts'

const whose = {
  sub: { type: 'string', placeholder: 'SUB', help: 'the person, by their sub' },
  username: { type: 'string', placeholder: 'NAME', help: 'or by the username they have in the configuration file' }
} as const

interface Whose {
  readonly sub: string | undefined
  readonly username: string | undefined
}

function subOf({ sub, username }: Whose, { accounts }: Operator): string {
  if ((sub === undefined) === (username === undefined)) throw new CommandError('--sub or --username must be given, and not both')
  if (sub !== undefined) return sub
  const account = accounts.find(known => known.username === username)
  if (account === undefined) throw new CommandError('there is nobody of this username in the configuration file', 1)
  return account.sub
}

export const listGrants = command({
  arguments: [],
  options: { ...whose, ...storeOptions },
  description: 'Lists what clients hold of one person now, the newest first.',
  run: ({ options, terminal }) =>
    withOperator({ options, terminal }, async operator => {
      const grants = await operator.server().grants(subOf(options, operator))
      const rows = grants.map(({ id, client_id, scope, resources, since, last_used }) => ({
        id,
        client_id,
        scope: scope.join(' '),
        resources: resources.join(' '),
        since: moment(since),
        last_used: moment(last_used, 'never')
      }))
      answer(terminal, options.format, { grants }, rows, 'No client holds anything of this person.')
      return 0
    })
})

export const revokeGrants = command({
  arguments: ['[GRANT_ID]'],
  options: {
    ...whose,
    client: { type: 'string', placeholder: 'CLIENT_ID', help: 'all that this client holds' },
    ...changeOptions
  },
  description: `Ends one grant of a person, or with --client all that one client holds of them: refresh tokens, and access tokens wherever this
server checks them.`,
  run: ({ arguments: [id], options, terminal }) =>
    withOperator({ options, terminal }, async operator => {
      const sub = subOf(options, operator)
      if ((id === undefined) === (options.client === undefined))
        throw new CommandError('GRANT_ID or --client must be given, and not both')
      const server = operator.server()
      const held = (await server.grants(sub)).filter(grant => grant.id === id || grant.client_id === options.client)
      if (held.length === 0) throw new CommandError('there is no such grant of this person', 1)
      if (id === undefined) await server.revokeGrants(sub, options.client ?? '')
      else await server.revokeGrant(sub, id)
      const revoked = held.map(grant => grant.id)
      const rows = revoked.map(grant => ({ revoked: grant }))
      answer(terminal, options.format, { revoked }, rows, '')
      return 0
    })
})
