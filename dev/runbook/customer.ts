/** A stranger who becomes a customer of the host and pays, over https as a browser would. Called by main.ts. */
import { request } from "node:https";
import type { Machine } from "./machine.ts";
import { siteName } from "./surroundings.ts";

interface Page {
  readonly status: number;
  readonly location: string;
  readonly body: string;
}

/** @throws Error naming the step at which it ended otherwise than it should; answers the balance that the page shows */
export async function becomeCustomer(host: Machine, email: string): Promise<string> {
  const browser = open(host.address);
  const expect = (what: string, { status, body }: Page, wanted: number): void => {
    if (status !== wanted) throw new Error(`${what}: answered with ${status}: ${body.slice(0, 400)}`);
  };
  const password = "nine pale horses cross the river";
  await browser("GET", "/account/signup.cgi");
  expect("sign-up", await browser("POST", "/account/signup.cgi", { email, password }), 200);
  // No mail leaves the machine; the link is read where it waits.
  const query = `SELECT body FROM outbox WHERE recipient = '${email}' ORDER BY rowid DESC LIMIT 1`;
  const mail = host.run(`sqlite3 -readonly /srv/site/data/books.sqlite "${query}"`).said;
  const [, link = ""] = /https:\/\/[^/]+(\/account\/confirm\.cgi\?token=[\w-]+)/.exec(mail) ?? [];
  expect("the link of the mail", await browser("GET", link), 200);
  expect("confirming", await browser("POST", "/account/confirm.cgi", { password }), 200);
  await browser("GET", "/account/login.cgi");
  expect("logging in", await browser("POST", "/account/login.cgi", { email, password }), 303);
  await browser("GET", "/account/pay.cgi");
  const checkout = await browser("POST", "/account/pay.cgi", { amount: "10" });
  expect("paying", checkout, 303);
  const paid = host.run(`curl -sS -o /dev/null -w '%{http_code}' -d outcome=pay '${checkout.location}'`);
  if (!paid.said.includes("303")) throw new Error(`Stripe's page: ${paid.said}`);
  return readBalance(await browser("GET", "/account/account.cgi"));
}

function readBalance({ body }: Page): string {
  return /<p class="balance">([^<]*)</.exec(body)?.[1] ?? `no balance: ${body.slice(0, 400)}`;
}

/** A browser: it keeps its cookie, and sends what the form that it was shown last had hidden in it. */
function open(address: string) {
  let [cookie, shown] = ["", ""];
  return async (
    method: string,
    path: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Page> => {
    const hidden = [...shown.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
    const form = { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...fields };
    const body = method === "POST" ? new URLSearchParams(form).toString() : "";
    const page = await send(address, method, path, cookie, body);
    cookie = page.cookie || cookie;
    shown = page.body;
    return page;
  };
}

function send(
  address: string,
  method: string,
  path: string,
  cookie: string,
  body: string,
): Promise<Page & { readonly cookie: string }> {
  return new Promise((resolve, reject) => {
    const ofForm = { "Content-Type": "application/x-www-form-urlencoded", Origin: `https://${siteName}` };
    const headers = {
      Host: siteName,
      Cookie: cookie,
      "Content-Length": Buffer.byteLength(body),
      ...(method === "POST" ? ofForm : {}),
    };
    const options = { host: address, servername: siteName, method, path, headers, rejectUnauthorized: false };
    const asked = request({ ...options, agent: false, timeout: 60_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          location: answer.headers.location ?? "",
          cookie: answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "",
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    asked.once("timeout", () => asked.destroy(new Error(`${path} is not answered`)));
    asked.once("error", reject);
    asked.end(body);
  });
}
