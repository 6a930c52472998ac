/**
 * `jose` and its sub-paths as runtime.mjs shares them: a module that says `import` cannot be handed in there, one that says `require` can. The
 * names of `jose/errors` stand beside the others.
 */
const jose = require('jose')

module.exports = { ...jose, ...jose.errors }
