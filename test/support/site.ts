/** The package's own templates and settings for tests of programs and mails, as the build bakes them. */
import { fileURLToPath } from "node:url";
import { loadBaked } from "../../build/build.ts";
import type { NoticeSender } from "../../lib/accounts/notice.ts";
import type { Clock } from "../../lib/util/clock.ts";
import type { Settings } from "../../lib/util/settings.ts";
import { type Baked, makeRenderer, type Renderer } from "../../lib/util/templates.ts";

/** Base URL in tests: https, so that cookies and headers are those of production. */
export const testUrl = "https://picodollar.example";

let baked: Baked | undefined;

export async function packageBaked(): Promise<Baked> {
  if (baked === undefined) {
    const loaded = await loadBaked(fileURLToPath(new URL("../../", import.meta.url)));
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
    baked = { ...loaded.baked, settings: { ...loaded.baked.settings, url: testUrl } };
  }
  return baked;
}

export async function packageRenderer(): Promise<Renderer> {
  return makeRenderer(await packageBaked());
}

export async function makeSettings(): Promise<Settings> {
  return (await packageBaked()).settings;
}

/** Who composes mails, with the package's templates. */
export async function makeSender(clock: Clock): Promise<NoticeSender> {
  return { renderer: await packageRenderer(), settings: await makeSettings(), clock };
}
