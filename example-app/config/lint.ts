/** A configuration file, held against the rules, and every reason why a server would not start with it. */
import { X509Certificate } from 'node:crypto'
import { memoryStore } from 'clientele'
import { invalidSetting, lintOptions, type Finding, type LintProfile } from 'clientele/lint'
import { createApp } from '../app.ts'
import { optionsOfSettings } from './server-options.ts'
import { settingPath } from './setting-path.ts'
import { createLog } from '../log.ts'
import { checkConfig, folderOf, parseSettings, readJson, type Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import { everyMistake } from './mistakes.ts'
import type { IssuerSettings, Settings } from './schema.ts'
import { importNothing } from './secret-hashes.ts'
import { issuersIn } from './tenants.ts'

/** Store of all attempts, so that whatever is made for an issuer is made once. */
const store = memoryStore()

/**
 * Everything there is to say of the file at `path`.
 *
 * @throws {@link ConfigError} where there is no such file.
 */
export async function lintConfiguration(path: string, profile: LintProfile): Promise<readonly Finding[]> {
  const folder = folderOf(path)
  const given = readConfiguration(path)
  if (given instanceof ConfigError) return [findingOf(given)]
  const log = createLog('silent')
  // does all that starting does but listen
  const { errors } = await everyMistake(given, input =>
    createApp({ config: checkConfig(input, folder), store, log, load: importNothing })
  )
  const rules = await ruleFindings(given, folder, profile)
  const said = new Set(rules.filter(({ level }) => level === 'error').map(({ where }) => where))
  return [...errors.filter(error => !said.has(error.path)).map(findingOf), ...rules]
}

/** @throws {@link ConfigError} where there is no such file; one that is not JSON is the answer. */
function readConfiguration(path: string): unknown {
  try {
    return readJson(path)
  } catch (error) {
    if (error instanceof ConfigError && error.mustBe.includes('is not JSON')) return error
    throw error
  }
}

function findingOf({ path, message }: ConfigError): Finding {
  const { id, level, section, fix } = invalidSetting
  return { id, level, where: path, section, message: `The server does not start: ${message}`, fix }
}

/** Holds as much of the file as can be understood against the rules. */
async function ruleFindings(given: unknown, folder: string, profile: LintProfile): Promise<readonly Finding[]> {
  const { rest, originalPath } = await everyMistake(given, parseSettings)
  const settings = settingsIn(rest)
  if (settings === undefined) return []
  const config = configOf(rest, folder)
  return issuersIn(settings).flatMap(({ prefix, own, issuer }) =>
    lintOptions(
      {
        ...optionsOfSettings(own, issuer, prefix === '' ? settings.mcp : undefined),
        deployment: deploymentOf(own, settings, prefix === '' ? config : undefined)
      },
      { profile }
    ).map(finding => ({ ...finding, where: originalPath(prefix + settingPath(finding.where)) }))
  )
}

function settingsIn(value: unknown): Settings | undefined {
  try {
    return parseSettings(value)
  } catch {
    // nothing of it could be taken out any more
    return undefined
  }
}

function configOf(value: unknown, folder: string): Config | undefined {
  try {
    return checkConfig(value, folder)
  } catch {
    // what is wrong with it has been told
    return undefined
  }
}

function deploymentOf(own: IssuerSettings, settings: Settings, config: Config | undefined) {
  const { tls, client_certificate_header: header } = settings
  const certificates = [{ where: 'tls.cert', pem: config?.tls?.cert }].flatMap(({ where, pem }) =>
    pem === undefined ? [] : [{ where, expires: Date.parse(new X509Certificate(pem).validTo) }]
  )
  return {
    hasClientAuthorities: (tls?.client_ca ?? []).length > 0 || (tls === undefined && header !== undefined),
    trustedIssuers: own.trusted_issuers.map(({ issuer }) => issuer),
    ...(config !== undefined && {
      certificates,
      trustedProxies: header?.trusted_proxies,
      warnings: config.warnings.map(message => ({ where: message.split(' ')[0] ?? '', message }))
    })
  }
}
