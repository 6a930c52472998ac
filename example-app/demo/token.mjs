/**
 * Reads an answer of the server from the standard input, shows it, and hands on one member of it:
 *
 *     curl … | node example-app/demo/token.mjs [member]
 */
const [member = 'access_token'] = process.argv.slice(2)

let text = ''
for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk
process.stderr.write(`${text}\n`)

let answer
try {
  answer = JSON.parse(text)
} catch {
  // nothing came, and curl has said why
}
if (typeof answer?.[member] === 'string') process.stdout.write(answer[member])
else process.exitCode = 1
