/**
 * What lighttpd is to know of a release, as a part of its configuration: etc/lighttpd.conf in the release, which
 * content/docs/production.html includes where static files are served.
 */

interface Parts {
  readonly policy: string;
  readonly redirects: readonly { readonly from: string; readonly to: string }[];
}

export function writeServerConf({ policy, redirects }: Parts): string {
  const lines = redirects.map(({ from, to }) => `  "${matchPath(from)}" => "${fill(to)}",`);
  return `# Made by site build; lighttpd reads it when it starts or is reloaded.
setenv.set-response-header += ( "Content-Security-Policy" => "${policy}" )
# Named by their content, these never change. What is not there is told to nobody for a year: unlike mod_setenv, mod_expire
# speaks of files that are sent, and of nothing else.
$HTTP["url"] =~ "[.][0-9a-f]{10}[.][A-Za-z0-9]+$" {
  expire.url = ( "/" => "access plus 31536000 seconds" )
}
${lines.length === 0 ? "" : `url.redirect = (\n${lines.join("\n")}\n)\nurl.redirect-code = 301\n`}`;
}

/** An expression for an address as browsers ask for it, with any query. No backslash: the configuration has its own use for it. */
function matchPath(path: string): string {
  const written = encodeURI(path).replace(/[?#]/g, encodeURIComponent);
  return `^${written.replace(/[.*+$()]/g, "[$&]")}(?:[?]|$)`;
}

/** "%1" and "$1" stand for parts of what was asked for. */
function fill(to: string): string {
  const written = encodeURI(to).replaceAll("%25", "%");
  return written.replace(/[%$]/g, "$&$&");
}
