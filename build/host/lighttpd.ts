/**
 * Configuration of lighttpd 1.4.69: a front that serves files and speaks to the programs, and for each pool of programs one more
 * that runs them, few at once, on a UNIX socket. So a flood of requests for programs waits in line and stops no page, and one of
 * logins stops no other program, nor a Stripe that is slow. Conditions stand once each: lighttpd merges those that are alike.
 */
import { mediaTypes } from "../../lib/util/mediatypes.ts";
import { answerSeconds, isOffered, type Pool, routes } from "../../lib/util/routes.ts";
import type { HostFacts } from "./host.ts";
import { keysOf } from "./secrets.ts";

/** The longest ending counts. */
const types: Readonly<Record<string, string>> = {
  ...mediaTypes,
  ".webmanifest": "application/manifest+json",
  "": "application/octet-stream",
};

/** Where files of the release before are looked for; those alone that are named by their content. */
const previousPath = "/-/before";

/** The smallest limit of all pages, in KiB; a program with a smaller one of its own says so on a page. */
const usualKiB = 512;

/** Where a backend dies, lighttpd writes down the whole address that it was asked for, and a GET does not spend the token in it. */
const secretiveLog = `# What goes wrong with a request that has a query is not written down, since the line would have the query.
$HTTP["querystring"] != "" { server.errorlog = "/dev/null" }
`;

export function writeFront(facts: HostFacts): string {
  const { cluster, url, isCompressed } = facts;
  const { home, address, httpPort } = cluster;
  const release = `${home}/dist/current`;
  const modules = [
    "access",
    "rewrite",
    "alias",
    "redirect",
    "extforward",
    "expire",
    "setenv",
    "proxy",
    ...(isCompressed ? ["magnet"] : []),
    "accesslog",
  ];
  const big = routes.filter(({ bodyLimitBytes }) => bodyLimitBytes > usualKiB * 1024);
  return `# Made by site build from etc/. Files, and the way to the programs: lighttpd -D -f ${release}/etc/front.conf
server.modules = ( ${modules.map((name) => `"mod_${name}"`).join(", ")} )
server.document-root = "${release}/www"
server.errorfile-prefix = "${release}/www/"
server.errorlog = "${home}/log/front.log"
${secretiveLog}accesslog.filename = "${home}/log/access.log"
# Without the query, which may hold a token, or what somebody searched for.
accesslog.format = "%h %V %u %t \\"%m %U\\" %>s %b"
server.upload-dirs = ( "${home}/upload" )
server.tag = ""
server.feature-flags = ( "server.h2proto" => "enable", "server.h2c" => "enable", "server.graceful-shutdown-timeout" => 8 )
server.http-parseopts = ( "header-strict" => "enable", "host-strict" => "enable",
  "url-normalize-unreserved" => "enable", "url-normalize-required" => "enable",
  "url-ctrls-reject" => "enable", "url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable" )
server.max-request-size = ${usualKiB}
server.max-read-idle = 15
server.max-write-idle = 60
server.max-connections = 512
# The same on each web server.
etag.use-inode = "disable"
index-file.names = ( "index.html" )
mimetype.assign = (
${Object.entries(types)
  .map(([ending, type]) => `  "${ending}" => "${type}"`)
  .join(",\n")} )

server.bind = "${address}"
server.port = ${httpPort}

# hitch speaks to this socket, and says who the client is; nobody else can open it.
$SERVER["socket"] == "${home}/run/tls.sock" {
  server.socket-perms = "0660"
  extforward.forwarder = ( "all" => "trust" )
  extforward.headers = ()
  extforward.hap-PROXY = "enable"
}

$HTTP["url"] =~ "/[.](?!well-known/)|~$" { url.access-deny = ( "" ) }

$HTTP["url"] =~ "${matchPool(facts, "hashing")}" {
${writeProxy(home, "hashing")}
} else $HTTP["url"] =~ "${matchPool(facts, "paying")}" {
${writeProxy(home, "paying")}
} else $HTTP["url"] =~ "${matchPool(facts, "pages")}" {
${writeProxy(home, "pages")}
${big
  .map(
    ({ path, bodyLimitBytes }) =>
      `  $HTTP["url"] == "${path}" { server.max-request-size = ${Math.ceil(bodyLimitBytes / 1024)} }`,
  )
  .join("\n")}
} else {
  $HTTP["request-method"] !~ "^(?:GET|HEAD)$" { url.access-deny = ( "" ) }
  # A page of the release before that was sent a moment ago asks for its style sheet by the name of then.
  url.rewrite-if-not-file = ( "^(/.*[.][0-9a-f]{10}[.][A-Za-z0-9]+)$" => "${previousPath}$1" )
  $HTTP["url"] =^ "${previousPath}/" {
    alias.url = ( "${previousPath}/" => "${home}/dist/previous/www/" )
    $HTTP["url"] !~ "[.][0-9a-f]{10}[.][A-Za-z0-9]+$" { url.access-deny = ( "" ) }
  }
${isCompressed ? `  magnet.attract-physical-path-to = ( "${release}/etc/compressed.lua" )\n` : ""}  setenv.set-response-header = ( "X-Content-Type-Options" => "nosniff", "Referrer-Policy" => "same-origin",
    "Strict-Transport-Security" => "max-age=31536000; includeSubDomains" )
  include "${release}/etc/lighttpd.conf"
}

# Plain http only sends people to https, but for an authority that asks whether the site is ours. This comes last, since a later
# redirect counts more than one before it.
$SERVER["socket"] == "${address}:${httpPort}" {
  $HTTP["url"] =^ "/.well-known/acme-challenge/" {
    alias.url = ( "/.well-known/acme-challenge/" => "${cluster.acme}/.well-known/acme-challenge/" )
  } else {
    url.redirect = ( "" => "${url}\${url.path}\${qsa}" )
    url.redirect-code = 308
  }
}
`;
}

/** The addresses of a pool's programs. No backslash: the configuration has its own use for it. */
function matchPool({ search }: HostFacts, pool: Pool): string {
  const paths = routes
    .filter((route) => route.pool === pool && isOffered(route, { search }))
    .map(({ path }) => path);
  return `^(?:${paths.map((path) => path.replaceAll(".", "[.]")).join("|")})$`;
}

/** What a client says of where it comes from is taken away before the front says it: every limit rests on that. */
function writeProxy(home: string, pool: Pool): string {
  const forged = [
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Server",
    "X-Host",
    "Forwarded",
  ];
  return `  proxy.server = ( "" => ( ( "host" => "${home}/run/${pool}.sock" ) ) )
  setenv.set-request-header = ( ${forged.map((name) => `"${name}" => ""`).join(", ")} )`;
}

/** The web server of a pool of programs. Nobody but the front can speak to it, and it serves no file. */
export function writePool({ cluster, search }: HostFacts, pool: Pool): string {
  const { home, path, pools } = cluster;
  const release = `${home}/dist/current`;
  const most = Math.max(
    ...routes.filter((route) => route.pool === pool).map(({ bodyLimitBytes }) => bodyLimitBytes),
  );
  const hasSearch = search && pool === "pages";
  return `# Made by site build from etc/. Programs, ${pools[pool]} at once: lighttpd -D -f ${release}/etc/${pool}.conf
server.modules = ( "mod_alias", "mod_extforward", "mod_setenv", "mod_cgi" )
server.document-root = "${release}/cgi"
server.bind = "${home}/run/${pool}.sock"
server.socket-perms = "0660"
server.errorlog = "${home}/log/${pool}.log"
${secretiveLog}server.breakagelog = "${home}/log/programs.log"
server.upload-dirs = ( "${home}/upload" )
server.tag = ""
server.max-connections = ${pools[pool]}
server.max-keep-alive-requests = 0
server.listen-backlog = 256
server.max-request-size = ${Math.max(usualKiB, Math.ceil(most / 1024))}
server.max-read-idle = 15
extforward.forwarder = ( "all" => "trust" )
extforward.headers = ( "X-Forwarded-For" )
alias.url = ( "/account/" => "${release}/cgi/account/"${hasSearch ? `, "/search.cgi" => "${release}/cgi/search.cgi"` : ""} )
cgi.assign = ( ".cgi" => "" )
cgi.execute-x-only = "enable"
cgi.limits = ( "read-timeout" => ${answerSeconds}, "write-timeout" => ${answerSeconds} )
setenv.set-environment = ( "PATH" => "${path}", "SITE_DATA" => "${home}/data", "SITE_SECRETS" => "${keysOf(cluster, { name: "programs" })}" )
`;
}
