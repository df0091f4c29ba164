// Loaded before the program: as if better-sqlite3 had been installed without its binary, or with that of another Node.
const Module = require("node:module");

const resolve = Module._resolveFilename;
Module._resolveFilename = function(request, ...rest) {
  if (/better_sqlite3\.node$|better-sqlite3.prebuilds/.test(request)) {
    if (process.env.DRIVER === "other node") {
      const message = `The module '${request}' was compiled against a different Node.js version`;
      throw Object.assign(new Error(message), { code: "ERR_DLOPEN_FAILED" });
    }
    throw Object.assign(new Error(`Cannot find module '${request}'`), { code: "MODULE_NOT_FOUND" });
  }
  return resolve.call(this, request, ...rest);
};
