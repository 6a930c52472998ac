/** What the setting `mcp` refuses, by its path. */
import { expect, it } from '@jest/globals'
import { checkConfig } from '../../example-app/config/config.ts'

it.each<[string, object]>([
  ['mcp.path', { path: 'mcp' }],
  ['mcp.path', { path: '/oauth2/mcp' }],
  ['mcp.required_scopes', { required_scopes: [] }],
  ['mcp.optional_scopes[0]', { optional_scopes: ['a b'] }],
  ['mcp.scopes', { scopes: [] }]
])('%s is named where it is wrong: %j', (key, mcp) => {
  const check = () => checkConfig({ issuer: 'http://localhost:4010', mcp }, '.')
  expect(check).toThrow(new RegExp(`^${key.replace(/[[\]]/g, '\\$&')} `))
})
