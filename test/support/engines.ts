/**
 * The table of engines: test files of the books and the accounts that are run on SQLite and once more on a real PostgreSQL server
 * (vitest.config.ts), and those that use the books but are about something that only one of them has, with the reason.
 */

export const onBoth: readonly string[] = [
  "20-money",
  "22-ledger",
  "24-seals",
  "25-verify",
  "26-export",
  "27-histories",
  "29-year",
  "30-accounts",
  "41-handlers",
  "42-reset",
  "43-limits",
  "44-address",
  "44-closing",
  "44-erasure",
  "44-factor",
  "44-passkeys",
  "44-sessions",
  "44-signup",
  "44-thief",
  "44-warnings",
  "45-asked",
  "46-account",
  "46-data",
  "46-history",
  "46-machines",
  "46-receipts",
  "46-wording",
  "48-fuzz",
  "48-twice",
  "50-payments",
  "51-standin",
  "52-checkout",
  "53-afterwards",
  "54-recharge",
  "60-usage",
  "61-warnings",
  "62-mail",
  "64-service",
  "65-again",
  "65-staff",
  "65-tax",
  "66-night",
  "68-month",
];

/** Compares times, which a loaded machine blurs: on both engines where it is asked for, ENGINES=all npm test -- test/48-timing. */
export const onBothAlone: readonly string[] = ["48-timing"];

const ofTheFile = "is about the file itself: pragmas, locks, its schema's history";
const byPrograms =
  "runs built programs of a site with a file; test/69-server runs those of a site with a server";
const harmed =
  "harms a program at each of its writes to the file; test/69-server cuts off and kills the server instead";

/** Files that have books, and are run on SQLite alone. */
export const onFileAlone: Readonly<Record<string, string>> = {
  "19-names": "is about the names of templates, which no engine has a part in",
  "21-store": `${ofTheFile}; test/23-server holds the server to the same promises`,
  "28-harmed": harmed,
  "67-harmed": harmed,
  "69-backup": "is about copies of the file; those of a server are in test/69-server",
  "93-events": byPrograms,
};
