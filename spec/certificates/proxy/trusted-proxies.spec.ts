import { describe, expect, it } from '@jest/globals'
import { proxyTrust, trustedProxyProblem } from '../../../lib/certificates/proxy/trusted-proxies.ts'

describe('proxyTrust', () => {
  it.each([
    ['10.0.0.0/8', '10.255.1.2'],
    ['10.0.0.5', '10.0.0.5'],
    ['10.0.0.5', '::ffff:10.0.0.5'],
    ['10.1.2.3/8', '10.9.9.9'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['fc00::/7', 'fd12::1'],
    ['fe80::/10', 'fe80::1%eth0'],
    ['::ffff:10.0.0.0/104', '10.200.0.1'],
    ['::ffff:10.0.0.5', '10.0.0.5']
  ])('%s is the network of %s', (entry, address) => {
    expect(trustedProxyProblem(entry)).toBeUndefined()
    expect(proxyTrust(['192.0.2.1', entry])(address)).toBe(true)
  })

  it.each([
    ['10.0.0.0/8', '11.0.0.1'],
    ['10.0.0.5', '10.0.0.6'],
    ['10.0.0.5', '::ffff:10.0.0.6'],
    ['10.0.0.5', '::10.0.0.5'],
    ['127.0.0.1', '::1'],
    ['::1', '127.0.0.1'],
    ['::1', '::ffff:0.0.0.1'],
    ['fc00::/7', '10.0.0.1'],
    ['127.0.0.1', undefined],
    ['127.0.0.1', ''],
    ['127.0.0.1', 'localhost']
  ])('%s is not that of %s', (entry, address) => {
    expect(proxyTrust([entry])(address)).toBe(false)
  })
})

describe('trustedProxyProblem', () => {
  it.each([
    '0.0.0.0/0',
    '::/0',
    '0.0.0.0/1',
    '128.0.0.0/1',
    '8.0.0.0/7',
    '::/6',
    '::ffff:0:0/96',
    '::ffff:0.0.0.0/103',
    '2000::/3',
    '::/1'
  ])('refuses %s, which is nearly anywhere', entry => {
    expect(trustedProxyProblem(entry)).toMatch(/from nearly anywhere/)
  })

  it.each([
    '',
    'localhost',
    '*',
    'any',
    '10.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '0x0a.0.0.1',
    '010.0.0.1',
    '::1/129',
    'fe80::1%eth0',
    ' ::1',
    5,
    null,
    undefined
  ])('refuses %j, which is none', entry => {
    expect(trustedProxyProblem(entry)).toMatch(/must be an IP address, or a network/)
  })
})
