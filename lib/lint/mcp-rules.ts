/** Rules about the options of a server that MCP clients are to meet. */
import type { Rule, Spot } from './finding.ts'
import type { LintedOptions } from './linted-options.ts'

const none: readonly Spot[] = []

/** The rules. */
export const mcpRules: readonly Rule<LintedOptions>[] = [
  {
    id: 'mcp_no_resource',
    level: 'error',
    section: 'MCP authorization, Resource Parameter',
    profile: 'mcp',
    fix: 'Add a resource whose name is the address people give their MCP clients (mcp in the configuration file).',
    find: ({ resources = [] }) =>
      resources.length === 0 ? [{ where: 'resources', message: 'There is no MCP server that tokens could be for' }] : none
  },
  {
    id: 'mcp_unknown_clients',
    level: 'error',
    section: 'MCP authorization, Client Registration',
    profile: 'mcp',
    fix: 'Set clientDocuments (client_documents) to { "hosts": ["*"] }.',
    find: ({ clientDocuments, registration: given }) => {
      if (clientDocuments !== undefined) return none
      const message = 'Clients that nobody registered cannot connect: neither client documents nor registration are on'
      if (given?.access !== 'open') return [{ where: 'clientDocuments', message }]
      return [
        {
          where: 'clientDocuments',
          level: 'warning',
          message: 'Clients register themselves, which MCP has deprecated; client documents are off'
        }
      ]
    }
  },
  {
    id: 'mcp_no_public_clients',
    level: 'error',
    section: 'MCP authorization, Client Registration',
    profile: 'mcp',
    fix: 'Mount the method none among strategies: MCP clients on a desktop have nothing to prove.',
    find: ({ strategies }) =>
      strategies === undefined || strategies.some(({ name }) => name === 'none')
        ? none
        : [{ where: 'strategies', message: 'Public clients cannot get tokens' }]
  }
]
