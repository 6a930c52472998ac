/** Rules about the options of a server that MCP clients are to meet. */
import { spotAt, type Rule } from './finding.ts'
import type { LintedOptions } from './linted-options.ts'

/** The rules. */
export const mcpRules: readonly Rule<LintedOptions>[] = [
  {
    id: 'mcp_no_resource',
    level: 'error',
    section: 'MCP authorization, Resource Parameter',
    profile: 'mcp',
    fix: 'Add a resource whose name is the address people give their MCP clients (mcp in the configuration file).',
    find: ({ resources = [] }) => spotAt('resources', resources.length === 0 && 'There is no MCP server that tokens could be for')
  },
  {
    id: 'mcp_unknown_clients',
    level: 'error',
    section: 'MCP authorization, Client Registration',
    profile: 'mcp',
    fix: 'Set clientDocuments (client_documents) to { "hosts": ["*"] }.',
    find: ({ clientDocuments, registration: given }) => {
      if (clientDocuments !== undefined) return []
      if (given?.access === 'open')
        return spotAt(
          'clientDocuments',
          'Clients register themselves, which MCP has deprecated; client documents are off',
          'warning'
        )
      return spotAt(
        'clientDocuments',
        'Clients that nobody registered cannot connect: neither client documents nor registration are on'
      )
    }
  },
  {
    id: 'mcp_no_public_clients',
    level: 'error',
    section: 'MCP authorization, Client Registration',
    profile: 'mcp',
    fix: 'Mount the method none among strategies: MCP clients on a desktop have nothing to prove.',
    find: ({ strategies }) =>
      spotAt('strategies', strategies?.some(({ name }) => name === 'none') === false && 'Public clients cannot get tokens')
  }
]
