/** Tells when the sources of a site change: content/, layouts/, and etc/. chokidar is imported here only. */
import { basename, relative, sep } from "node:path";
import { watch } from "chokidar";

export interface Watching {
  readonly close: () => Promise<void>;
}

const watched: readonly string[] = ["content", "layouts", "etc"];

/** Calls `onChange` with the absolute path of each file and folder to which something happens. Settles when everything is watched. */
export async function watchSources(
  sourceFolder: string,
  onChange: (path: string) => void,
): Promise<Watching> {
  // The folder itself is watched, so that a layouts/ made later is seen; all else in it is ignored.
  const watcher = watch(sourceFolder, {
    ignoreInitial: true,
    ignored: (path) => !isSource(sourceFolder, path),
  });
  watcher.on("all", (_, path) => onChange(path));
  await new Promise<void>((resolve, reject) => {
    watcher.once("ready", resolve);
    watcher.once("error", reject);
  });
  return { close: () => watcher.close() };
}

/** Editors' own files (.name.swp, name~) are no sources. */
function isSource(sourceFolder: string, path: string): boolean {
  const inner = relative(sourceFolder, path);
  if (inner === "") return true;
  const name = basename(inner);
  const isHidden = name.startsWith(".") && name !== ".well-known";
  return watched.includes(inner.split(sep)[0] ?? "") && !isHidden && !name.endsWith("~");
}
