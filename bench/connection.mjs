/**
 * One keep-alive connection that writes a prepared request and reads its answer, over and over. It is a client for this
 * bench alone: a general one costs more per request than some targets need to answer, and would measure itself.
 */
import { connect } from 'node:net'

const endOfHead = Buffer.from('\r\n\r\n')
const endOfChunks = Buffer.from('\r\n0\r\n\r\n')

export class Connection {
  #socket
  #received = []
  #answered
  #failed

  static open(port) {
    const connection = new Connection()
    return new Promise((resolve, reject) => {
      connection.#socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(connection))
      connection.#socket.on('error', reject)
      connection.#socket.on('error', error => connection.#failed?.(error))
      connection.#socket.on('close', () => connection.#failed?.(new Error('the server closed the connection')))
      connection.#socket.on('data', chunk => connection.#read(chunk))
    })
  }

  get isOpen() {
    return !this.#socket.destroyed
  }

  /** Sends a request; `answered(status, body, head)` is called once, synchronously with the arrival of the answer's last byte. */
  send(request, answered, failed) {
    this.#answered = answered
    this.#failed = failed
    this.#socket.write(request, 'latin1')
  }

  close() {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #read(chunk) {
    this.#received.push(chunk)
    const bytes = this.#received.length === 1 ? chunk : Buffer.concat(this.#received)
    const answer = parse(bytes)
    if (answer === undefined) return
    this.#received = []
    this.#answered(answer.status, answer.body, answer.head)
  }
}

function parse(bytes) {
  const headEnd = bytes.indexOf(endOfHead)
  if (headEnd === -1) return undefined
  const head = bytes.latin1Slice(0, headEnd)
  const status = Number(head.slice(9, 12))
  const start = headEnd + endOfHead.length
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (length !== null) {
    const end = start + Number(length[1])
    return bytes.length < end ? undefined : { status, head, body: bytes.utf8Slice(start, end) }
  }
  const end = bytes.indexOf(endOfChunks, start)
  return end === -1 ? undefined : { status, head, body: withoutChunkSizes(bytes.utf8Slice(start, end)) }
}

function withoutChunkSizes(body) {
  return body
    .split('\r\n')
    .filter((_, index) => index % 2 === 1)
    .join('')
}
