/**
 * Node's cryptography, loaded when it is first used: with the modules that it brings along it takes a program 5 ms to start, and
 * most pages need no more of it than the hash of a token (digest.ts).
 */
let isLoaded = false;

export function loadCrypto(): typeof import("node:crypto") {
  isLoaded = true;
  return process.getBuiltinModule("node:crypto");
}

export function hasCrypto(): boolean {
  return isLoaded;
}
