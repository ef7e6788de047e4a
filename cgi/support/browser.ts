/** What a browser calls itself, in words its owner knows: "Firefox on Linux". Never more than that is kept of it. */
import type { SessionPlace } from "../../lib/accounts/session.ts";
import { networkOf } from "./network.ts";
import type { Request } from "./request.ts";

// In this order: each later one's name is part of what the earlier ones say of themselves.
const browsers: readonly (readonly [name: string, sign: RegExp])[] = [
  ["Edge", /\bEdgA?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /\b(?:Chrome|CriOS|Chromium)\//],
  ["Safari", /\bSafari\//],
  ["curl", /^curl\//],
];
const systems: readonly (readonly [name: string, sign: RegExp])[] = [
  ["Android", /\bAndroid\b/],
  ["iOS", /\b(?:iPhone|iPad|iPod)\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["FreeBSD", /\bFreeBSD\b/],
  ["OpenBSD", /\bOpenBSD\b/],
  ["Linux", /\bLinux\b/],
];

export function placeOf(request: Request): SessionPlace {
  return { browser: describeBrowser(request.userAgent), network: networkOf(request.remoteAddress) };
}

/** "" where neither is known. */
export function describeBrowser(userAgent: string): string {
  const find = (names: typeof browsers): string => names.find(([, sign]) => sign.test(userAgent))?.[0] ?? "";
  return [find(browsers), find(systems)].filter((name) => name !== "").join(" on ");
}
