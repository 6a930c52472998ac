/** After every spec file whose servers and clients are those of the journeys: nothing secret was told to anybody. */
import { afterAll, expect } from '@jest/globals'
import { leakChecks } from './leak-check.ts'

afterAll(() => {
  expect(leakChecks.flatMap(leaks => leaks())).toEqual([])
})
