/** The table of client metadata against its interface: a member without a row, a row without a member, or one of another kind does not compile. */
import type { clientMetadata, ClientMetadata, MetadataMember, RegisteredMetadata } from '../../lib/clients/metadata/metadata.ts'

/** What TypeScript calls the values of a kind. */
interface ValueOf extends Readonly<Record<MetadataMember['kind'], unknown>> {
  opaque: string
  text: string
  name: string
  names: readonly string[]
  flag: boolean
  list: readonly string[]
  redirect_uris: readonly string[]
  scope: string
  page: string
  endpoint: string
  https: string
  seconds: number
  jwks: NonNullable<RegisteredMetadata['jwks']>
  subject: string
  credentials: NonNullable<RegisteredMetadata['credentials']>
}

type Table = typeof clientMetadata
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** True for each member whose row says what its type does; one with a list of values may be narrower. */
type Agreement = {
  [member in keyof Required<RegisteredMetadata>]: NonNullable<RegisteredMetadata[member]> extends ValueOf[Table[member]['kind']]
    ? true
    : false
}

export const everyRowAgrees: Same<Agreement, Record<keyof Table, true>> = true
export const everyMemberHasARow: Same<keyof Required<RegisteredMetadata>, keyof Table> = true

interface Row {
  client_id: string
  client_secret: string | null
  jwks_uri: string | null
  note: { text: string }
}

/** A row typed by an interface, and a literal with members of its own. */
export const accepted = (row: Row): readonly ClientMetadata[] => [row, { client_id: 'a', team: 'blue' }]

// @ts-expect-error a boolean is no string
export const refused: ClientMetadata = { client_id: 'a', dpop_bound_access_tokens: 'true' }
