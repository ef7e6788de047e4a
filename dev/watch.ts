/** Tells when the sources of a site change: content/, layouts/, and etc/. chokidar is imported here only. */
import { basename, relative, sep } from "node:path";
import { watch } from "chokidar";

export interface Watching {
  readonly close: () => Promise<void>;
}

const watched: readonly string[] = ["content", "layouts", "etc"];
// Editors write a file in several steps, one right behind the other.
const quietMs = 30;

/** Calls `onChange` once a burst of changes is over. Settles when everything is watched. */
export async function watchSources(sourceFolder: string, onChange: () => void): Promise<Watching> {
  // The folder itself is watched, so that a layouts/ made later is seen; all else in it is ignored.
  const watcher = watch(sourceFolder, {
    ignoreInitial: true,
    ignored: (path) => !isSource(sourceFolder, path),
  });
  let timer: NodeJS.Timeout | undefined;
  watcher.on("all", () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, quietMs);
  });
  await new Promise<void>((resolve, reject) => {
    watcher.once("ready", resolve);
    watcher.once("error", reject);
  });
  const close = async (): Promise<void> => {
    clearTimeout(timer);
    await watcher.close();
  };
  return { close };
}

/** Editors' own files (.name.swp, name~) are no sources. */
function isSource(sourceFolder: string, path: string): boolean {
  const inner = relative(sourceFolder, path);
  if (inner === "") return true;
  const name = basename(inner);
  const isHidden = name.startsWith(".") && name !== ".well-known";
  return watched.includes(inner.split(sep)[0] ?? "") && !isHidden && !name.endsWith("~");
}
