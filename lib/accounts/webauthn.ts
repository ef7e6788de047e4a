/**
 * What browsers are asked for passkeys, and what their answers prove (Web Authentication Level 3). A passkey is two factors in
 * one: the device that holds it, and the finger, face, or PIN that it asks for (user verification, always demanded). It answers
 * to the site's own name alone, so that no other site can ask for it.
 */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { Settings } from "../util/settings.ts";
import type { Account } from "./account.ts";
import { challengeLifeMs, type NewPasskey, type Passkey, passkeyHost } from "./passkey.ts";

type Named = Pick<Settings, "url" | "name">;

/** It takes 35 ms to start, which the pages that ask and judge nothing do not wait for. */
const loadLibrary = () => import("@simplewebauthn/server");

/** The question for a new passkey of an account, in JSON. `known` are the own ids of those it has. */
export async function askForNew(
  { url, name }: Named,
  { id, email }: Account,
  { challenge, known }: { readonly challenge: string; readonly known: readonly string[] },
): Promise<string> {
  const { generateRegistrationOptions } = await loadLibrary();
  const options = await generateRegistrationOptions({
    rpName: name,
    rpID: hostOf(url),
    userID: bytesOf(id, "utf8"),
    userName: email,
    challenge: bytesOf(challenge, "base64url"),
    timeout: challengeLifeMs,
    attestationType: "none",
    excludeCredentials: known.map((credential) => ({ id: credential })),
    // Found by the device itself, so that nobody types an address; and never without finger, face, or PIN.
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  });
  return JSON.stringify(options);
}

/** The question for a signature of one of `known`, or where that is empty of any that the device has for this site. */
export async function askForOne(
  { url }: Named,
  { challenge, known }: { readonly challenge: string; readonly known: readonly string[] },
): Promise<string> {
  const { generateAuthenticationOptions } = await loadLibrary();
  const options = await generateAuthenticationOptions({
    rpID: hostOf(url),
    challenge: bytesOf(challenge, "base64url"),
    timeout: challengeLifeMs,
    userVerification: "required",
    allowCredentials: known.map((credential) => ({ id: credential })),
  });
  return JSON.stringify(options);
}

/** The new passkey that a browser's answer holds; undefined where it proves none. */
export async function judgeNewPasskey(
  { url }: Named,
  answer: string,
  challenge: string,
): Promise<NewPasskey | undefined> {
  const response = readAnswer<RegistrationResponseJSON>(answer);
  if (response === undefined) return undefined;
  const { verifyRegistrationResponse } = await loadLibrary();
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: new URL(url).origin,
      expectedRPID: hostOf(url),
      requireUserVerification: true,
    });
    if (!verified) return undefined;
    const { credential, credentialBackedUp } = registrationInfo;
    return {
      credential: credential.id,
      publicKey: Buffer.from(credential.publicKey).toString("base64url"),
      counter: credential.counter,
      isSynced: credentialBackedUp,
    };
  } catch {
    // The library throws for whatever is wrong with an answer, in many words that are of no use to its sender.
    return undefined;
  }
}

/** The own id that an answer names, to find its passkey by; undefined where it is no answer. */
export function credentialOf(answer: string): string | undefined {
  const id = readAnswer<{ readonly id?: unknown }>(answer)?.id;
  return typeof id === "string" ? id : undefined;
}

/** What a passkey's signature says of it now; undefined where it proves nothing, or comes from a copy that is not its maker's. */
export async function judgeSignature(
  { url }: Named,
  answer: string,
  {
    challenge,
    passkey,
    isFound,
  }: {
    readonly challenge: string;
    readonly passkey: Passkey;
    /** The device found it by itself: then it must say whose it is (section 7.2, step 6). */
    readonly isFound: boolean;
  },
): Promise<Pick<NewPasskey, "counter" | "isSynced"> | undefined> {
  const response = readAnswer<AuthenticationResponseJSON>(answer);
  if (response === undefined) return undefined;
  const { verifyAuthenticationResponse } = await loadLibrary();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: new URL(url).origin,
      expectedRPID: hostOf(url),
      requireUserVerification: true,
      credential: {
        id: passkey.credential,
        publicKey: bytesOf(passkey.publicKey, "base64url"),
        counter: passkey.counter,
      },
    });
    const { userHandle } = response.response;
    const isOwn =
      userHandle === undefined
        ? !isFound
        : bytesOf(userHandle, "base64url").equals(bytesOf(passkey.account, "utf8"));
    if (!verified || !isOwn) return undefined;
    return { counter: authenticationInfo.newCounter, isSynced: authenticationInfo.credentialBackedUp };
  } catch {
    return undefined;
  }
}

/** Some object; whether it has what its type says shows when it is judged. */
function readAnswer<Answer extends object>(answer: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(answer);
    return typeof value === "object" && value !== null ? (value as Answer) : undefined;
  } catch {
    return undefined;
  }
}

function hostOf(url: string): string {
  const host = passkeyHost(url);
  if (host === undefined) throw new Error("assertion failed: passkeys are offered here");
  return host;
}

function bytesOf(text: string, encoding: "utf8" | "base64url"): Buffer<ArrayBuffer> {
  return Buffer.from(text, encoding);
}
