/**
 * What a PostgreSQL server or the way to it may answer, as our two kinds of failure. It knows the driver's errors by what they hold, so that
 * it can be part of programs that have no driver. Called by the other files of this folder.
 */
import { NeedsHuman, TryLater } from "../../util/failure.ts";

/** The five characters of a server's error (Appendix A of its manual); "" where the error is none of the server's. */
export function codeOf(cause: unknown): string {
  const { code, severity } = (cause ?? {}) as { readonly code?: unknown; readonly severity?: unknown };
  return typeof code === "string" && typeof severity === "string" ? code : "";
}

/** Whether the connection is gone, rather than a statement refused: the driver has no code for it. */
export function isLost(cause: unknown): boolean {
  const code = codeOf(cause);
  if (code !== "") return /^(?:08|57P0[123])/.test(code);
  if (!(cause instanceof Error)) return false;
  const system = "code" in cause ? String(cause.code) : "";
  return (
    /^(?:ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|ENOTCONN)$/.test(system) ||
    /^(?:Connection terminated|Client has encountered a connection error|Client was closed)/.test(
      cause.message,
    )
  );
}

/** Why there is no connection. */
export function judgeConnect(cause: unknown, address: string): unknown {
  const code = codeOf(cause);
  const say = (what: string): string => `${address}: ${what}`;
  if (code === "28P01")
    return new NeedsHuman(
      say(
        "the PostgreSQL server refuses the password; store_password in the secrets file must be that of the role",
      ),
      { cause },
    );
  if (code.startsWith("28"))
    return new NeedsHuman(say("the PostgreSQL server does not let this role in; look at its pg_hba.conf"), {
      cause,
    });
  if (code === "3D000")
    return new NeedsHuman(say("there is no such database; make it (createdb), then run: site migrate"), {
      cause,
    });
  if (code.startsWith("53") || code.startsWith("57"))
    return new TryLater(say("the PostgreSQL server is starting, ending, or full; try again"), { cause });
  if (code !== "") return new NeedsHuman(say("the PostgreSQL server refuses the connection"), { cause });
  if (cause instanceof Error && /password must be a string|SASL|SCRAM/.test(cause.message))
    return new NeedsHuman(
      say("the PostgreSQL server wants a password; put store_password into the secrets file"),
      { cause },
    );
  if (cause instanceof Error && isMistrust(cause))
    return new NeedsHuman(
      say(
        "the PostgreSQL server's certificate is not believed; let NODE_EXTRA_CA_CERTS name its authority's",
      ),
      { cause },
    );
  return new TryLater(say("the PostgreSQL server cannot be reached"), { cause });
}

/** Whether TLS ended since the other side is not who it should be; by OpenSSL's and Node's names for that. */
function isMistrust(cause: Error): boolean {
  return "code" in cause && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(String(cause.code));
}

export const noWrites =
  "the PostgreSQL server takes no writes now (a standby, or one that is being changed over); try again";

/** What went wrong with a statement, as our two kinds of failure; everything else is a bug. */
export function translateError(cause: unknown, address: string): unknown {
  const code = codeOf(cause);
  const later = (what: string) => new TryLater(`${address}: ${what}`, { cause });
  const human = (what: string) => new NeedsHuman(`${address}: ${what}`, { cause });
  if (isLost(cause))
    return later(
      "the connection to the PostgreSQL server was lost; nothing of this step was kept; try again",
    );
  if (code === "40001" || code === "40P01" || code === "55P03")
    return later("the database is busy; try again");
  if (code === "57014" || code.startsWith("25P0"))
    return later("the PostgreSQL server ended a transaction that took too long; try again");
  if (code === "25006") return later(noWrites);
  if (code === "53100") return later("the disk that holds the database is full; free some room");
  if (code.startsWith("53")) return later("the PostgreSQL server has no room left; try again");
  if (code.startsWith("58")) return later("the disk failed under the PostgreSQL server");
  if (code.startsWith("XX"))
    return human("the PostgreSQL server found damage in the database; restore it from a backup");
  if (code === "42501") return human("this role may not do that; make it the owner of the database");
  return cause;
}
