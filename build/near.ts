/**
 * The way to a file from where the process works, if it lies there: the kernel looks up every folder of a path, and a build goes to
 * tens of thousands of files. Called where that is done for each of them.
 */
export function near(path: string): string {
  // Node keeps it; it throws where the folder is gone, and then there is no way from there.
  const own = ownFolder();
  const isBelow = own !== "" && path.startsWith(own) && path[own.length] === "/";
  return isBelow && path.length > own.length + 1 ? path.slice(own.length + 1) : path;
}

function ownFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "";
  }
}
