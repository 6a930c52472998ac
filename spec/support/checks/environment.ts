import { jest } from '@jest/globals'

// the first spec to start the example app builds it, beside others that use both cores
jest.setTimeout(60_000)
