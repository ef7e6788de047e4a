/**
 * A device that holds passkeys, as Web Authentication Level 3 has it: it makes key pairs on P-256, and signs what it is asked, or
 * what a test puts in its place. Its answers are what a browser's toJSON() gives.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { testUrl } from "./site.ts";
import type { Answer, Visitor } from "./visitor.ts";

/** What an answer says, where it is not what it should be. */
export interface Twist {
  readonly challenge?: string;
  readonly origin?: string;
  readonly type?: string;
  readonly rpId?: string;
  readonly crossOrigin?: boolean;
  /** User present 1, user verified 4, may be copied 8, is copied 16. */
  readonly flags?: number;
  readonly counter?: number;
  /** Undefined as "none": it says not whose it is. */
  readonly userHandle?: string | undefined;
  readonly signer?: KeyObject;
  readonly id?: string;
}

export interface Authenticator {
  /** Makes a passkey, and answers. */
  readonly create: (question: string, twist?: Twist) => string;
  /** Signs with the passkey that was made last, or that has the id. */
  readonly get: (question: string, twist?: Twist) => string;
}

interface Held {
  readonly id: string;
  readonly key: KeyObject;
  readonly userHandle: string;
}

interface Question {
  readonly challenge: string;
  readonly user?: { readonly id: string };
}

const isThere = 1 | 4;
const hasKey = 0x40;

export function makeAuthenticator({ origin }: { readonly origin: string }): Authenticator {
  const held: Held[] = [];
  const rpIdOf = (): string => new URL(origin).hostname;

  const clientData = (question: Question, type: string, twist: Twist): Buffer =>
    Buffer.from(
      JSON.stringify({
        type: twist.type ?? type,
        challenge: twist.challenge ?? question.challenge,
        origin: twist.origin ?? origin,
        crossOrigin: twist.crossOrigin ?? false,
      }),
    );
  const head = (twist: Twist, flags: number): Buffer => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(twist.counter ?? 0);
    const whose = createHash("sha256")
      .update(twist.rpId ?? rpIdOf())
      .digest();
    return Buffer.concat([whose, Buffer.of((twist.flags ?? isThere) | flags), counter]);
  };

  const create: Authenticator["create"] = (text, twist = {}) => {
    const question = JSON.parse(text) as Question;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const id = twist.id === undefined ? randomBytes(16) : Buffer.from(twist.id, "base64url");
    held.push({ id: id.toString("base64url"), key: privateKey, userHandle: question.user?.id ?? "" });
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    // COSE (RFC 9053 section 7.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y} in CBOR.
    const key = Buffer.concat([
      Buffer.from("a5010203262001215820", "hex"),
      Buffer.from(x, "base64url"),
      Buffer.from("225820", "hex"),
      Buffer.from(y, "base64url"),
    ]);
    const data = Buffer.concat([head(twist, hasKey), Buffer.alloc(16), length, id, key]);
    const size = Buffer.alloc(2);
    size.writeUInt16BE(data.length);
    // {"fmt": "none", "attStmt": {}, "authData": data} in CBOR.
    const attestation = Buffer.concat([
      Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746159", "hex"),
      size,
      data,
    ]);
    return writeAnswer(id.toString("base64url"), {
      clientDataJSON: clientData(question, "webauthn.create", twist).toString("base64url"),
      attestationObject: attestation.toString("base64url"),
      transports: ["internal"],
    });
  };

  const get: Authenticator["get"] = (text, twist = {}) => {
    const question = JSON.parse(text) as Question;
    const own = held.find(({ id }) => id === twist.id) ?? held.at(-1);
    if (own === undefined) throw new Error("this device has no passkey");
    const client = clientData(question, "webauthn.get", twist);
    const data = head(twist, 0);
    const signed = Buffer.concat([data, createHash("sha256").update(client).digest()]);
    return writeAnswer(twist.id ?? own.id, {
      clientDataJSON: client.toString("base64url"),
      authenticatorData: data.toString("base64url"),
      signature: sign("sha256", signed, twist.signer ?? own.key).toString("base64url"),
      ...("userHandle" in twist ? { userHandle: twist.userHandle } : { userHandle: own.userHandle }),
    });
  };
  return { create, get };
}

/** Makes a passkey for whoever is logged in, as the page's script does; `wish` is what the form says. */
export async function addPasskey(
  visitor: Visitor,
  wish: { readonly name: string; readonly current: string; readonly code?: string },
  device = makeAuthenticator({ origin: testUrl }),
  twist: Twist = {},
): Promise<Answer> {
  await visitor.get("passkey");
  const asked = await visitor.post("passkey", { do: "new", ...wish });
  if (!asked.body.includes("data-question")) return asked;
  return visitor.post("passkey", { do: "add", answer: device.create(questionOf(visitor), twist) });
}

/** What the page asked the browser last. */
export function questionOf(visitor: Visitor): string {
  return (visitor.given.get("account/passkey-ask") as { question: string } | undefined)?.question ?? "{}";
}

function writeAnswer(id: string, response: object): string {
  return JSON.stringify({ id, rawId: id, type: "public-key", response, clientExtensionResults: {} });
}
