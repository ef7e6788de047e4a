/** The folder that a site is built into: whether it is one, and how what the system says against it is told. */
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { hasCode, NeedsHuman } from "../lib/util/failure.ts";
import type { Fault } from "./fault.ts";
import { cacheName } from "./shelf.ts";

/**
 * Refuses a folder in which something else lives; nothing is written.
 * @throws NeedsHuman if there can be no such folder
 */
export function checkOutFolder(outFolder: string, sourceFolder: string): readonly Fault[] {
  const refuse = (message: string): readonly Fault[] => [{ file: outFolder, line: 0, message }];
  const real = realOf(outFolder);
  const room = ["content", "layouts", "etc"].find((name) => isInside(real, realOf(join(sourceFolder, name))));
  if (room !== undefined)
    return refuse(`the built site cannot lie in ${room}/, where its sources are; choose another folder`);
  const found = translateErrors(outFolder, () => statSync(outFolder, { throwIfNoEntry: false }));
  if (found === undefined) return [];
  if (!found.isDirectory()) return refuse("this is no folder; choose another one for the built site");
  const names = readdirSync(outFolder);
  const isOurs =
    names.every((name) => name === cacheName) ||
    (names.includes("releases") && statSync(join(outFolder, "releases")).isDirectory());
  if (!isOurs) return refuse("holds files that no build made; choose an empty folder, or a new one");
  const current = lstatSync(join(outFolder, "current"), { throwIfNoEntry: false });
  if (current === undefined) return [];
  const link = join(outFolder, "current");
  if (current.isSymbolicLink() && /^releases\/[^/]+$/.test(readlinkSync(link))) return [];
  return refuse(
    "its current is no link to a release, so no build made it; delete it or choose another folder",
  );
}

export function translateErrors<Result>(outFolder: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (!hasCode(cause, ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR"])) throw cause;
    throw new NeedsHuman(
      `${outFolder}: cannot be written; see to the folder above it, its permissions, and the space on its disk`,
      { cause },
    );
  }
}

/** The real path, links followed as far as it exists. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!hasCode(error, ["ENOENT", "ENOTDIR"]) || dirname(path) === path) throw error;
    return join(realOf(dirname(path)), basename(path));
  }
}

function isInside(folder: string, room: string): boolean {
  return folder === room || folder.startsWith(room + sep);
}
