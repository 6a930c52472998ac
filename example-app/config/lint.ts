/** A configuration file, held against the rules, and every reason why a server would not start with it. */
import { X509Certificate } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { memoryStore } from 'clientele'
import { everyRefusal, invalidSetting, lintOptions, type Finding, type LintProfile, type Refusal } from 'clientele/lint'
import { createApp } from '../app.ts'
import { optionsOfSettings, settingPath } from '../issuer.ts'
import { createLog } from '../log.ts'
import { checkConfig, parseSettings, readJson, type Config } from './config.ts'
import { ConfigError } from './config-error.ts'
import type { IssuerSettings, Settings } from './schema.ts'

/** What stands in for settings without which nothing can be judged. */
const standIns = { issuer: 'http://localhost:4010', tls: undefined, client_certificate_header: undefined }

/**
 * Everything there is to say of the file at `path`.
 *
 * @throws {@link ConfigError} where there is no such file.
 */
export async function lintConfiguration(path: string, profile: LintProfile): Promise<readonly Finding[]> {
  const folder = dirname(resolve(path))
  const given = readConfiguration(path)
  if (given instanceof ConfigError) return [findingOf({ path: given.path, mustBe: given.mustBe })]
  const refusals = await everyRefusal(given, startsWith(folder), { standIns })
  const rules = await ruleFindings(given, folder, profile)
  const said = new Set(rules.filter(({ level }) => level === 'error').map(({ where }) => where))
  return [...refusals.filter(refusal => !said.has(refusal.path)).map(findingOf), ...rules]
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

function findingOf({ path, mustBe }: Refusal): Finding {
  const { id, level, section, fix } = invalidSetting
  return { id, level, where: path, section, message: `The server does not start: ${path} ${mustBe}`, fix }
}

/** What is made for an issuer is made once, for all attempts. */
const store = memoryStore()

/** Does all that starting does but listen. */
function startsWith(folder: string): (value: unknown) => Promise<Refusal | undefined> {
  const log = createLog('silent')
  return async value => {
    try {
      await createApp({ config: checkConfig(value, folder), store, log })
      return undefined
    } catch (error) {
      return refusalOf(() => {
        throw error
      })
    }
  }
}

/** What the rules say of as much of the file as can be understood. */
async function ruleFindings(given: unknown, folder: string, profile: LintProfile): Promise<readonly Finding[]> {
  let understood: unknown
  await everyRefusal(
    given,
    value => {
      understood = value
      return Promise.resolve(refusalOf(() => parseSettings(value)))
    },
    { standIns }
  )
  if (refusalOf(() => parseSettings(understood)) !== undefined) return []
  const settings = parseSettings(understood)
  const issuers = [
    { prefix: '', own: settings, issuer: settings.issuer },
    ...settings.tenants.map((own, index) => ({ prefix: `tenants[${index}].`, own, issuer: settings.issuer + own.path }))
  ]
  const config = configOf(understood, folder)
  return issuers.flatMap(({ prefix, own, issuer }) =>
    lintOptions(
      {
        ...optionsOfSettings(own, issuer, prefix === '' ? settings.mcp : undefined),
        deployment: deploymentOf(own, settings, prefix === '' ? config : undefined)
      },
      { profile }
    ).map(finding => ({ ...finding, where: prefix + settingPath(finding.where) }))
  )
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
      warnings: config.warnings.map(warning => ({ where: warning.split(' ')[0] ?? '', message: warning }))
    })
  }
}

function refusalOf(attempt: () => unknown): Refusal | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return { path: error.path, mustBe: error.mustBe }
    throw error
  }
}
