/**
 * `supertest`, which opens a port for every request and closes it after: here an application keeps the one its first request opened, until
 * the spec file ends. The system remembers a closed port for a minute, and looks the longer for a free one the more there are.
 */
const { createServer, Server } = require('node:http')
const { afterAll } = require('@jest/globals')
const supertest = require('supertest')

const servers = new Map()

/** What serves an application; whoever has a server of its own gives that. */
function serverOf(app) {
  if (typeof app !== 'function') return app
  if (!servers.has(app)) {
    const server = createServer(app)
    server.close = done => done()
    servers.set(app, server)
  }
  return servers.get(app)
}

afterAll(() => {
  for (const server of servers.values()) {
    Server.prototype.close.call(server)
    server.closeAllConnections()
  }
})

module.exports = Object.assign(app => supertest(serverOf(app)), supertest, { agent: app => supertest.agent(serverOf(app)) })
