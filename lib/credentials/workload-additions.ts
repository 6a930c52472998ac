/** Adding to a client's credentials what other platforms say of their workloads. */
import type { CredentialOfClient } from '../clients/credentials.ts'
import { ruleText, type FederatedRule } from '../clients/federated-credential.ts'
import { checkKeys } from '../options.ts'
import { add, readOne, type AddedCredential, type CredentialFunctionsContext } from './additions.ts'
import type { CredentialOptions } from './changes.ts'

const ruleMembers = ['issuer', 'subject', 'audience', 'claims']

export async function addFederated(
  context: CredentialFunctionsContext,
  client_id: string,
  given: FederatedRule,
  options: CredentialOptions
): Promise<AddedCredential> {
  checkKeys(given, ruleMembers)
  const { rule } = readOne({ ...given, type: 'federated', id: 'new' }) as Extract<CredentialOfClient, { type: 'federated' }>
  const same = (other: CredentialOfClient): boolean => other.type === 'federated' && ruleText(other.rule) === ruleText(rule)
  const client = await context.find(client_id)
  return add(context, client, options, { material: () => ({ type: 'federated', rule }), same })
}

export async function addSpiffeId(
  context: CredentialFunctionsContext,
  client_id: string,
  spiffe_id: string,
  options: CredentialOptions
): Promise<AddedCredential> {
  readOne({ type: 'spiffe_id', id: 'new', spiffe_id })
  const same = (other: CredentialOfClient): boolean => other.type === 'spiffe_id' && other.spiffe_id === spiffe_id
  const client = await context.find(client_id)
  return add(context, client, options, { material: () => ({ type: 'spiffe_id', spiffe_id }), same })
}
