/** `lint`: a configuration, the options of a module, or a running server, held against the rules. */
import { existsSync } from 'node:fs'
import {
  authorizationServer,
  ConfigurationError,
  tokenRouter,
  type AuthorizationServerOptions,
  type TokenRouterOptions
} from 'clientele'
import {
  formatFindings,
  hasErrors,
  invalidSetting,
  lintFormats,
  lintOptions,
  lintProfiles,
  lintServer,
  LookError,
  type Finding,
  type LintedOptions,
  type LintProfile
} from 'clientele/lint'
import { command, CommandError } from './command.ts'
import { isModule, optionsOf, withExampleApp } from './modules.ts'

export const lintCommand = command({
  arguments: ['FILE|URL'],
  options: {
    profile: { type: 'string', values: lintProfiles, default: 'oauth2.1', help: 'the rules to hold it against' },
    format: { type: 'string', values: lintFormats, default: 'text', help: 'how the findings are written' }
  },
  description: `Looks for what a server should not allow. FILE is a configuration file of the example app, or a module (.js, .mjs, .ts)
that exports the options of authorizationServer() or tokenRouter() as default or as "options". URL is the issuer of a
running server, the address of its metadata or that of an MCP server; nothing is changed there.
Ends with 0 where nothing is an error, with 1 where something is, and with 2 where it could not look.`,
  async run({ arguments: [subject = ''], options: { profile, format }, terminal }) {
    const findings = await findingsIn(subject, profile)
    terminal.out(formatFindings(findings, format, subject))
    return hasErrors(findings) ? 1 : 0
  }
})

async function findingsIn(subject: string, profile: LintProfile): Promise<readonly Finding[]> {
  if (/^https?:\/\//i.test(subject)) return lintAddress(subject, profile)
  if (!existsSync(subject)) throw new CommandError(`${subject} is neither a file nor an http or https URL`)
  return isModule(subject) ? lintModule(subject, profile) : lintFile(subject, profile)
}

async function lintAddress(address: string, profile: LintProfile): Promise<readonly Finding[]> {
  try {
    return await lintServer(address, { profile })
  } catch (error) {
    if (error instanceof LookError) throw new CommandError(`could not look at ${address}: ${error.message}`)
    if (error instanceof ConfigurationError) throw new CommandError(error.message)
    throw error
  }
}

function lintFile(path: string, profile: LintProfile): Promise<readonly Finding[]> {
  return withExampleApp(
    () => import('../example-app/config/lint.ts'),
    ({ lintConfiguration }) => lintConfiguration(path, profile)
  )
}

async function lintModule(path: string, profile: LintProfile): Promise<readonly Finding[]> {
  const options = (await optionsOf(path)) as LintedOptions
  const rules = lintOptions(options, { profile })
  const refusal = refusalOf(options)
  if (refusal === undefined || rules.some(({ level, where }) => level === 'error' && where === refusal.key)) return rules
  const { id, level, section, fix } = invalidSetting
  return [{ id, level, where: refusal.key, section, message: `The server is not made: ${refusal.message}`, fix }, ...rules]
}

/** Makes the server, as the application would. */
function refusalOf(options: object): ConfigurationError | undefined {
  try {
    if ('interaction' in options) authorizationServer(options as AuthorizationServerOptions)
    else tokenRouter(options as TokenRouterOptions)
    return undefined
  } catch (error) {
    if (error instanceof ConfigurationError) return error
    throw error
  }
}
