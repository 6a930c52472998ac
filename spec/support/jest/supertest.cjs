/**
 * `supertest`, which opens a port for every request, and a connection, and closes both after: here an application keeps the port that its
 * first request opened, and the connection, until the spec file ends. The system remembers what was closed for a minute, and looks the
 * longer for a free port the more there are.
 */
const { Agent, createServer, Server } = require('node:http')
const { afterAll } = require('@jest/globals')
const supertest = require('supertest')

const servers = new Map()
const connections = new Agent({ keepAlive: true })

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

/** What sends an application requests, by method. */
function sendersTo(app) {
  const senders = Object.entries(supertest(serverOf(app)))
  if (typeof app !== 'function') return Object.fromEntries(senders)
  return Object.fromEntries(senders.map(([method, send]) => [method, path => send(path).agent(connections)]))
}

afterAll(() => {
  connections.destroy()
  for (const server of servers.values()) {
    Server.prototype.close.call(server)
    server.closeAllConnections()
  }
})

module.exports = Object.assign(sendersTo, supertest, { agent: app => supertest.agent(serverOf(app)) })
