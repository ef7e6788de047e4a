/** A customer of a served site by plain HTTP requests, and what the site's books hold meanwhile. */
import { join } from "node:path";
import { eventually, type Served } from "./served.ts";
import { readRows } from "./store.ts";

export interface Browser {
  readonly get: (path: string) => Promise<Response>;
  readonly post: (path: string, fields: Readonly<Record<string, string>>) => Promise<Response>;
}

/** What a browser adds to a request: its cookie, and the hidden fields of the form that it was shown. */
export function openBrowser(served: Served): Browser {
  let cookie = "";
  let shown = "";
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = { ...init.headers, cookie };
    const answer = await fetch(served.url + path, { ...init, headers, redirect: "manual" });
    cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    shown = await answer.clone().text();
    return answer;
  };
  return {
    get: (path) => send(path, {}),
    post: (path, fields) => {
      const hidden = [...shown.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
      const form = { ...Object.fromEntries(hidden.map((found) => [found[1], found[2]])), ...fields };
      return send(path, { method: "POST", body: new URLSearchParams(form), headers: { origin: served.url } });
    },
  };
}

const password = "four words are enough";

export async function becomeCustomer(served: Served, email: string): Promise<Browser> {
  const browser = openBrowser(served);
  await browser.get("/account/signup.cgi");
  await browser.post("/account/signup.cgi", { email, password });
  const token = await eventually("the link", () => findToken(served, email));
  await browser.get(`/account/confirm.cgi?token=${token}`);
  await browser.post("/account/confirm.cgi", { password });
  await browser.get("/account/login.cgi");
  const answer = await browser.post("/account/login.cgi", { email, password });
  if (answer.status !== 303) throw new Error(`${email} cannot log in: ${answer.status}`);
  return browser;
}

/** Of the link in the mail, which the server sends meanwhile: then the outbox has forgotten it. */
function findToken(served: Served, email: string): string | undefined {
  const waiting = rowsOf(served, `SELECT body FROM outbox WHERE recipient = '${email}'`) as {
    body: string;
  }[];
  const sent = served.mails().filter((mail) => mail.includes(`To: ${email}`));
  const found = [...waiting.map(({ body }) => body), ...sent].map(
    (text) => /token=(?:3D)?([\w-]+)/.exec(text)?.[1],
  );
  return found.find((token) => token !== undefined);
}

export function rowsOf(served: Served, sql: string): unknown[] {
  return readRows(join(served.dataFolder, "books.sqlite"), sql);
}

/** How many rows there are of what a visit can cause. */
export function countRows(served: Served): unknown {
  const tables = ["signup", "account", "outbox", "transfer", "stripe_event", "payment_order"];
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
  return rowsOf(served, `SELECT ${counts.join(", ")}`)[0];
}
