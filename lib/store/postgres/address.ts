/**
 * Where a PostgreSQL server is, as the setting `store` of etc/site.yaml says it: postgres://USER@HOST:PORT/DATABASE, or
 * postgres://USER@/DATABASE?host=/run/postgresql for a UNIX socket. What is left out is taken from PGHOST, PGPORT, PGUSER, and PGDATABASE.
 * It never holds a password, since settings are in every program. Called by connection.ts and by build/settings.ts.
 */

export interface Address {
  readonly user: string | undefined;
  /** A name or number, or the folder of a UNIX socket. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly database: string | undefined;
  /** Whether the connection is encrypted, and the server's certificate looked at. */
  readonly isVerified: boolean;
}

const form =
  /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d{1,5}))?(?:\/([^?#]*))?(?:\?([^#]*))?$/;

/** The address, or what is wrong with it. */
export function parseAddress(text: string): Address | string {
  const [whole, login = "", host = "", port = "", database = "", query = ""] = form.exec(text) ?? [];
  if (whole === undefined) return "it must be sqlite, or postgres://USER@HOST:PORT/DATABASE";
  if (login.includes(":"))
    return "it must not hold a password; put it into the secrets file as store_password";
  const words = new URLSearchParams(query);
  for (const name of words.keys())
    if (!["host", "port", "sslmode"].includes(name))
      return `it must not say "${name}"; known are host, port, and sslmode`;
  const mode = words.get("sslmode");
  if (mode !== null && mode !== "verify-full" && mode !== "disable")
    return `its sslmode is "${mode}"; it must be verify-full or disable`;
  const address: Address = {
    user: decode(login),
    host: decode(words.get("host") ?? host.replace(/^\[(.*)\]$/, "$1")),
    port: Number(words.get("port") ?? port) || undefined,
    database: decode(database),
    isVerified: mode === "verify-full",
  };
  if (address.host !== undefined && !isNear(address.host) && !address.isVerified)
    return `${address.host} is another machine, and the books would go there for everybody on the way to read; say ?sslmode=verify-full, or go through a UNIX socket or spiped`;
  return address;
}

/** For messages: a password that somebody wrote in spite of all is not shown. */
export function hidePassword(text: string): string {
  return text.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/, "$1:...@");
}

function isNear(host: string): boolean {
  return host.startsWith("/") || /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);
}

function decode(text: string): string | undefined {
  try {
    return text === "" ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
}
