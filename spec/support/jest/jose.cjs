/** `jose` as runtime.mjs shares it: a module that says `import` cannot be handed in there, one that says `require` can. */
module.exports = require('jose')
