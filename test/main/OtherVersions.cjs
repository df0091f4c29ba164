// Loaded before the program: as if this Node, and better-sqlite3, were of other versions.
const Module = require("node:module");

Object.defineProperty(process.versions, "node", { value: process.env.VERSION_OF_NODE });
const load = Module._load;
Module._load = function(request, ...rest) {
  return request === "better-sqlite3/package.json"
    ? { version: process.env.VERSION_OF_DRIVER }
    : load.call(this, request, ...rest);
};
