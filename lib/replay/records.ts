/** Kept authentications, as they come back from wherever they were kept: anything may be in their place. */
import type { AssertionFacts, CertificateFacts, JudgedAuthentication, PresentedFacts } from '../authentication/judged.ts'
import type { Check } from '../decisions/decision.ts'
import { isJsonObject } from '../json.ts'

/** The record that this is; undefined where it is none, or lacks what judging needs. */
export function readJudged(value: unknown): JudgedAuthentication | undefined {
  if (!isJsonObject(value)) return undefined
  const { at, trace_id, endpoint, client_id, mechanism, method, credential, outcome, checks, presented } = value
  if (!isTime(at) || !isText(trace_id) || !isText(endpoint)) return undefined
  if (outcome !== 'authenticated' && outcome !== 'refused') return undefined
  if (!Array.isArray(checks) || checks.length > 100 || !checks.every(isCheck)) return undefined
  if (![client_id, mechanism, method, credential].every(isTextOrAbsent)) return undefined
  const facts = presented === undefined ? undefined : readFacts(presented)
  if (presented !== undefined && facts === undefined) return undefined
  const named = { client_id, mechanism, method, credential } as Pick<JudgedAuthentication, 'client_id'>
  return { at, trace_id, endpoint, ...named, outcome, checks, ...(facts && { presented: facts }) }
}

function readFacts(value: unknown): PresentedFacts | undefined {
  if (!isJsonObject(value)) return undefined
  const { client_id, assertion, certificate } = value
  if (!isTextOrAbsent(client_id)) return undefined
  if (assertion !== undefined && !isAssertion(assertion)) return undefined
  if (certificate !== undefined && !isCertificate(certificate)) return undefined
  return { client_id, assertion, certificate }
}

function isAssertion(value: unknown): value is AssertionFacts {
  if (!isJsonObject(value) || !isJsonObject(value['claims'])) return false
  const { jti_length } = value
  return jti_length === undefined || (typeof jti_length === 'number' && jti_length >= 0 && jti_length < 1_000_000)
}

function isCertificate(value: unknown): value is CertificateFacts {
  if (!isJsonObject(value) || !isJsonObject(value['names'])) return false
  const { subject, names, not_before, not_after, authorities } = value
  return (
    isText(value['x5t#S256']) &&
    isTextOrAbsent(value['key']) &&
    isText(subject) &&
    ['dns', 'uri', 'ip', 'email'].every(kind => isTexts(names[kind])) &&
    isNumber(not_before) &&
    isNumber(not_after) &&
    isTexts(authorities)
  )
}

function isCheck(value: unknown): value is Check {
  if (!isJsonObject(value)) return false
  const { check, outcome, section, expected, received, fix } = value
  const outcomes: readonly unknown[] = ['pass', 'fail', 'skipped', 'report']
  return isText(check) && outcomes.includes(outcome) && [section, expected, received, fix].every(isTextOrAbsent)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Milliseconds that a date can have. */
function isTime(value: unknown): value is number {
  return isNumber(value) && Math.abs(value) <= 8.64e15
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 20_000
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || isText(value)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= 1000 && value.every(isText)
}
