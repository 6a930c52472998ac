import { describe, expect, it } from '@jest/globals'
import { assertionAlgorithms } from '../../lib/client-keys/algorithms.ts'
import {
  assertionOptionChecks,
  assertionPolicy as policyBy,
  type AssertionOptions
} from '../../lib/assertions/assertion-policy.ts'
import { readOptions } from '../../lib/options.ts'
import { memoryStore } from '../../lib/stores/memory.ts'

const store = memoryStore()
const required = { issuer: 'https://as.example.com', store }
const assertionPolicy = (options: AssertionOptions) => policyBy(readOptions(options, assertionOptionChecks))

describe('assertionPolicy', () => {
  it('fills in the defaults', () => {
    expect(assertionPolicy(required)).toEqual({
      ...required,
      audienceDial: 'issuer',
      legacyAudiences: [],
      audienceAsStringOnly: false,
      algorithms: assertionAlgorithms,
      clockTolerance: 10,
      maxLifetime: 3600,
      dials: { typ: 'off', alg: 'enforce', clock: 'enforce' },
      clock: Date.now
    })
  })

  it('does not follow later changes of the lists it was given', () => {
    const algorithms = ['ES256']
    const policy = assertionPolicy({ ...required, algorithms })
    algorithms.push('HS256')
    expect(policy.algorithms).toEqual(['ES256'])
  })

  it.each([
    ['issuer', 'http://as.example.com'],
    ['issuer', undefined],
    ['store', undefined],
    ['store', {}],
    ['assertionAudience', 'lenient'],
    ['audienceAsStringOnly', 'true'],
    ['legacyAudiences', 'https://as.example.com/token'],
    ['legacyAudiences', [5]],
    ['legacyAudiences', ['']],
    ['algorithms', []],
    ['algorithms', ['none']],
    ['algorithms', ['ES256', 'es256']],
    ['algorithms', 'ES256'],
    ['clockTolerance', -1],
    ['clockTolerance', 61],
    ['clockTolerance', '10'],
    ['clockTolerance', NaN],
    ['maxLifetime', 0],
    ['maxLifetime', 86_401],
    ['maxLifetime', 1.5],
    ['clock', 5],
    ['clockTolerence', 5]
  ])('refuses %s: %j, naming it', (key, value) => {
    expect(() => assertionPolicy({ ...required, [key]: value })).toThrow(
      expect.objectContaining({ key, name: 'ConfigurationError' })
    )
  })
})
