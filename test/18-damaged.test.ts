// Goal of this test: whatever somebody does by hand to releases in dist/, this one or older ones, between edits of the site, the next build
// leaves byte for byte, and mode for mode, what a build from nothing makes. `SEED=100 RUNS=60` tries others.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Editor, listLayout, openEditor, openKeeping } from "./sites/edits.ts";
import { readTree, type Workshop } from "./sites/workshop.ts";

const first = Number(process.env.SEED ?? 29);
const seeds = Array.from({ length: Number(process.env.RUNS ?? 2) }, (_, index) => first + index);

let workshop: Workshop;
beforeEach(async () => {
  workshop = await openKeeping();
});
afterEach(() => workshop.end());

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

interface Target {
  readonly release: string;
  /** The one that is served: what is put beside its files stays there until something changes. */
  readonly isCurrent: boolean;
  readonly file: string;
  readonly other: string;
}

/** What hands, disks, and other programs do. */
const damages: readonly ((target: Target, next: Editor["next"]) => void)[] = [
  ({ file }, next) => {
    const bytes = readFileSync(file);
    const at = next(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  },
  ({ file }) => rmSync(file),
  ({ file }) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  ({ file }) => {
    rmSync(file);
    symlinkSync("/etc/hostname", file);
  },
  ({ file }) => {
    rmSync(file);
    mkdirSync(file);
  },
  ({ file }) => chmodSync(file, 0o600),
  ({ file }) => utimesSync(file, new Date(), new Date(statSync(file).mtimeMs - 5000)),
  ({ release, isCurrent }) => {
    if (!isCurrent) writeFileSync(join(release, "www/stray"), "stray");
  },
  ({ release, isCurrent }) => {
    if (!isCurrent) mkdirSync(join(release, "www/straying/away"), { recursive: true });
  },
  ({ file }) => {
    const bytes = readFileSync(file);
    rmSync(file);
    writeFileSync(file, bytes);
  },
  ({ release, isCurrent }) => {
    if (!isCurrent) rmSync(release, { recursive: true });
  },
  ({ file, other }) => {
    rmSync(file);
    copyFileSync(other, file);
  },
  ({ file, other }) => {
    rmSync(file);
    linkSync(other, file);
  },
];

/** Does one of them to some file of some release; answers what, for whoever reads why a run failed. */
function damage(next: Editor["next"]): string {
  const current = realpathSync(join(workshop.out, "current"));
  const releases = readdirSync(join(workshop.out, "releases")).sort();
  const some = join(workshop.out, "releases", releases[next(releases.length)] ?? "");
  const release = next(2) === 0 ? current : some;
  const all = Object.keys(readTree(release)).sort();
  // Programs are most of the files, and like one another.
  const few = all.filter((name) => /^(?:www\/|manifest|native|etc\/lighttpd)/.test(name));
  const names = next(4) === 0 ? all : few;
  const [name = "", another = ""] = [names[next(names.length)], names[next(names.length)]];
  const [file, other] = [join(release, name), join(release, another)];
  const kind = next(damages.length);
  // What was damaged before may be no file by now.
  const isFile = [file, other].every((path) => existsSync(path) && statSync(path).isFile());
  if (isFile && file !== other)
    damages[kind]?.({ release, isCurrent: release === current, file, other }, next);
  return `damage ${kind}: ${name} of ${release === current ? "current" : "another"}, ${another}`;
}

function describeFiles(folder: string) {
  const files = Object.entries(readTree(folder));
  return Object.fromEntries(
    files.map(([name, { content }]) => [name, [content, statSync(join(folder, name)).mode & 0o777]]),
  );
}

it.each(seeds)(
  "releases that somebody damages are mended, seed %i",
  async (seed) => {
    const editor = openEditor(workshop, seed);
    const { next } = editor;
    workshop.write("site/layouts/page.html", listLayout);
    const told: string[] = [];
    await workshop.build();
    for (let step = 0; step < 20; step += 1) {
      if (next(3) !== 0) editor.edit();
      if (next(2) === 0) await wait(60);
      for (let damaged = next(3); damaged > 0; damaged -= 1) told.push(damage(next));
      if (next(3) === 0) await wait(40);
      // Edits set the clock back: a release of the same second and content is the one that is there.
      workshop.clock.ms += 1000 * (1 + 997 * step);
      const fresh = join(workshop.folder, "fresh");
      const [again, cold] = [await workshop.build(), await workshop.build({ outFolder: fresh })];
      told.push(`step ${step}`);
      expect({ told, ok: again.ok }).toEqual({ told, ok: cold.ok });
      if (again.ok && cold.ok) {
        const [ours, right] = [describeFiles(again.releaseFolder), describeFiles(cold.releaseFolder)];
        const names = [...new Set([...Object.keys(ours), ...Object.keys(right)])];
        const wrong = names.filter((name) => String(ours[name]) !== String(right[name]));
        expect({ told, wrong }).toEqual({ told, wrong: [] });
      } else editor.reset();
      rmSync(fresh, { recursive: true, force: true });
    }
  },
  60_000,
);
