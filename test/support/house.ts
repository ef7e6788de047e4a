/**
 * The house's own rules as a pure function over files, so that a planted violation can be shown to be found:
 * imports point downwards, some things have one door, and some words stand in one place only.
 */

export interface SourceFile {
  /** Path from the project's root, "lib/money/amount.ts". */
  readonly path: string;
  readonly text: string;
}

/** What a file of a folder may import; folders of lib are laid in this order. */
const libOrder = [
  "util",
  "money",
  "store",
  "search",
  "mail",
  "ledger",
  "accounts",
  "usage",
  "payments",
  "warnings",
  "staff",
];
const mayImport: Readonly<Record<string, readonly string[]>> = {
  lib: ["lib"],
  build: ["build", "lib"],
  cgi: ["cgi", "lib"],
  jobs: ["jobs", "lib"],
  dev: ["dev", "build", "lib"],
  cli: ["cli", "dev", "build", "lib"],
};
/** From another folder a room is entered by its front door alone. */
const frontDoors: Readonly<Record<string, readonly string[]>> = {
  build: [
    "build/build.ts",
    "build/init.ts",
    "build/scaffold.ts",
    "build/check/check.ts",
    "build/warm.ts",
    "build/host/check.ts",
    "build/host/doctor.ts",
    "build/host/install.ts",
    "build/host/place.ts",
    "build/host/secrets.ts",
    "build/host/send.ts",
    "build/host/take.ts",
    "build/rollback.ts",
    "build/host/tls.ts",
  ],
};

/** Packages, and the only files or folders that may import them. */
const packageDoors: Readonly<Record<string, readonly string[]>> = {
  "better-sqlite3": ["lib/store/"],
  pg: ["lib/store/postgres/connection.ts", "build/engine.ts", "dev/bench/server.ts"],
  stripe: ["lib/payments/stripe/"],
  nodemailer: ["lib/mail/transport.ts"],
  yaml: ["build/yaml.ts"],
  marked: ["build/markdown.ts", "build/lexer.ts"],
  fflate: ["lib/staff/archive.ts"],
  otpauth: ["lib/accounts/totp.ts"],
  "@simplewebauthn/server": ["lib/accounts/webauthn.ts"],
  "@noble/hashes": ["lib/util/digest.ts"],
  uqr: ["cgi/support/qr.ts"],
  "@zxcvbn-ts/language-common": ["lib/accounts/strength.ts", "build/libraries.ts"],
  "highlight.js": ["build/highlight.ts"],
  esbuild: ["build/bundle.ts", "build/engine.ts", "build/libraries.ts"],
  "html-validate/browser": ["build/check/validate.ts"],
  handlebars: ["build/", "lib/util/templates.ts"],
  "handlebars/runtime.js": ["lib/util/templates.ts"],
  chokidar: ["dev/"],
  commander: ["cli/"],
};

/** Words, what they are, and the only files or folders that may have them. */
const words: readonly (readonly [word: RegExp, what: string, doors: readonly string[]])[] = [
  [/\bDate\.now\(|\bnew Date\(\)/, "the clock", ["lib/util/clock.ts"]],
  [/\bprocess\.env\b/, "the environment", ["lib/util/settings.ts", "cgi/support/request.ts"]],
  [/\bINSERT INTO transfer\b/, "a transfer's insertion", ["lib/ledger/transfer.ts"]],
  [/\bINSERT INTO outbox\b/, "a mail's insertion", ["lib/mail/outbox.ts"]],
  [/\.(?:prepare|pragma)\(/, "a statement that can be collected", ["lib/store/database.ts"]],
  [/\brandomBytes\b/, "randomness", ["lib/util/random.ts"]],
  [/\bMath\.random\b/, "weak randomness", []],
  [/\bconstructEventWithoutVerification\b|\btolerance:\s*0\b/, "an unproved event", []],
  [/\beval\(/, "eval", []],
];

const longestFile = 300;

/** One line for each violation, empty where the house is in order. */
export function inspectHouse(files: readonly SourceFile[], packages: readonly string[]): string[] {
  return files.flatMap((file) => [
    ...inspectImports(file, packages),
    ...inspectWords(file),
    ...(file.text.split("\n").length > longestFile ? [`${file.path}: more than ${longestFile} lines`] : []),
  ]);
}

/** Every import, export-from, dynamic import, and require of a name that is written out, or its beginning is. */
export function readImports(text: string): string[] {
  const found = text.matchAll(/(?:^|[\s(=])(?:(?:from|import)\s*\(?\s*"|require\(["`])([^"`]+)["`]/g);
  return [...found].map((match) => match[1] ?? "");
}

function inspectImports(file: SourceFile, packages: readonly string[]): string[] {
  return readImports(file.text).flatMap((name) => {
    if (!name.startsWith(".")) return inspectPackage(file, name, packages);
    const target = new URL(name, `file:///${file.path}`).pathname.slice(1);
    const problem = judgeImport(file.path, target);
    return problem === undefined ? [] : [`${file.path}: imports ${target}: ${problem}`];
  });
}

function judgeImport(from: string, to: string): string | undefined {
  const [fromRoom = "", toRoom = ""] = [from.split("/")[0], to.split("/")[0]];
  if (!mayImport[fromRoom]?.includes(toRoom)) return `${fromRoom} may not know ${toRoom}`;
  const doors = frontDoors[toRoom];
  if (fromRoom !== toRoom && doors !== undefined && !doors.includes(to)) return `${toRoom} has a front door`;
  if (fromRoom !== "lib") return undefined;
  const [below, above] = [to, from].map((path) => libOrder.indexOf(path.split("/")[1] ?? ""));
  if (below === undefined || above === undefined || below < 0 || above < 0)
    return "this folder has no place in lib";
  return below > above ? "an import never points upwards" : undefined;
}

/** The package that an import is of: "@scope/name/part" is of "@scope/name". */
export function packageOf(name: string): string {
  const parts = name.split("/").slice(0, name.startsWith("@") ? 2 : 1);
  return parts.join("/");
}

function inspectPackage(file: SourceFile, name: string, packages: readonly string[]): string[] {
  if (name.startsWith("node:") || name === "picodollar:baked") return [];
  const owner = packageOf(name);
  const doors = packageDoors[name] ?? packageDoors[owner];
  if (doors === undefined || !packages.includes(owner))
    return [`${file.path}: imports ${name}, which has no door`];
  return doors.some((door) => file.path.startsWith(door))
    ? []
    : [`${file.path}: imports ${name}; its door is ${doors}`];
}

function inspectWords(file: SourceFile): string[] {
  return words
    .filter(([word, , doors]) => word.test(file.text) && !doors.includes(file.path))
    .map(([, what]) => `${file.path}: has ${what}`);
}
