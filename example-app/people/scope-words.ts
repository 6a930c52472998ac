/** Scope values and resources, in words for the person who decides. */

const words: Readonly<Record<string, string>> = {
  openid: 'Know that it is you who signs in',
  profile: 'See your name and profile',
  email: 'See your email address',
  address: 'See your postal address',
  phone: 'See your phone number',
  offline_access: 'Stay connected while you are away',
  'notes:read': 'Read your notes',
  'notes:write': 'Add to your notes'
}

const verbs: Readonly<Record<string, string>> = { read: 'Read', write: 'Change', delete: 'Delete', admin: 'Administer' }

/** A scope value with what it means; values of an API are `name:verb`. */
export function describeScope(value: string): { readonly value: string; readonly meaning: string } {
  return { value, meaning: (Object.hasOwn(words, value) ? words[value] : undefined) ?? describeApiScope(value) }
}

function describeApiScope(value: string): string {
  const [, subject, verb] = /^(.+):([a-z]+)$/.exec(value) ?? []
  const known = verb !== undefined && Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  return subject === undefined || known === undefined ? `Use “${value}”` : `${known} your data in “${subject}”`
}

/** The API a token would be for: its address without the scheme. */
export function describeResource(resource: string): string {
  return resource.replace(/^https?:\/\//, '')
}
