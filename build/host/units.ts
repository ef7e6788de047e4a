/** Units of systemd: the servers, each as a user of its own, and the jobs with their timers. */
import { answerSeconds, type Pool, pools } from "../../lib/util/routes.ts";
import type { HostFacts, HostFile } from "./host.ts";
import { runnerOf, schedule } from "./schedule.ts";
import { keysOf, masterOf } from "./secrets.ts";

const lighttpd = "/usr/sbin/lighttpd";
const hitch = "/usr/sbin/hitch";

/** Of every server that answers strangers: started again, and kept from what it has no use for. */
const guarded = `Restart=always
RestartSec=1
UMask=0007
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectHome=yes
ProtectSystem=strict
`;

/** Files come before programs: beside a crowd at the programs its slowest pages wait half as long (`npm run bench -- cgi`). */
const afterFiles = "Nice=5";

export function writeUnits({ cluster }: HostFacts): readonly HostFile[] {
  const { home, path, users } = cluster;
  const etc = `${home}/dist/current/etc`;
  const folders = ["data", "log", "run", "upload"].map((name) => `${home}/${name}`);
  const unit = (name: string, text: string): HostFile => ({
    path: `etc/systemd/${name}`,
    text: `# Made by site build.\n${text}`,
  });

  /** A web server: its configuration is looked at before it counts, since one that is wrong would end it. */
  const server = (name: string, what: string, user: string, more: readonly string[]): HostFile =>
    unit(
      `site-${name}.service`,
      `[Unit]
Description=${what}
After=network.target
[Service]
User=${user}
Group=${users.web}
ExecStartPre=${lighttpd} -tt -f ${etc}/${name}.conf
ExecStart=${lighttpd} -D -f ${etc}/${name}.conf
ExecReload=${lighttpd} -tt -f ${etc}/${name}.conf
ExecReload=/bin/kill -USR1 $MAINPID
${guarded}ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
${more.join("\n")}
[Install]
WantedBy=multi-user.target
`,
    );
  const [data = "", log = "", run = "", upload = ""] = folders;
  const secrets = `-${masterOf(cluster)}`;
  // The front speaks to their socket by its own group, and the books are another one's.
  const ofPrograms = [`SupplementaryGroups=${users.programs}`, `InaccessiblePaths=${secrets}`];
  /** Programs that stay; a new release is taken by a restart, during which systemd keeps their socket, and who asks waits there. */
  const resident = (pool: Pool): readonly HostFile[] => [
    unit(
      `site-${pool}.socket`,
      `[Unit]
Description=The site's programs: ${pool}
[Socket]
ListenStream=${run}/${pool}.sock
SocketUser=${users.programs}
SocketGroup=${users.web}
SocketMode=0660
Backlog=256
[Install]
WantedBy=sockets.target
`,
    ),
    unit(
      `site-${pool}.service`,
      `[Unit]
Description=The site's programs: ${pool}
After=network.target site-${pool}.socket
Requires=site-${pool}.socket
[Service]
User=${users.programs}
Group=${users.web}
Environment=PATH=${path} SITE_DATA=${data} SITE_SECRETS=${keysOf(cluster, { name: "programs" })}
ExecStart=/usr/bin/env node ${home}/dist/current/servers/programs ${run}/${pool}.sock ${cluster.pools.hashing} ${answerSeconds}
StandardError=append:${log}/programs.log
${guarded}${afterFiles}
ReadWritePaths=${data} ${log} ${run}
${ofPrograms.join("\n")}
MemoryMax=${pool === "pages" ? 512 : cluster.pools.hashing * 160 + 256}M
[Install]
WantedBy=multi-user.target
`,
    ),
  ];
  return [
    server("front", "The site: files, and the way to its programs", users.web, [
      "AmbientCapabilities=CAP_NET_BIND_SERVICE",
      `ReadWritePaths=${[log, run, upload].join(" ")}`,
      `InaccessiblePaths=-${data} ${secrets} -${home}/keys`,
      "LimitNOFILE=4096",
    ]),
    ...pools.flatMap((pool) =>
      cluster.isResident
        ? resident(pool)
        : [
            server(pool, `The site's programs: ${pool}`, users.programs, [
              afterFiles,
              `ReadWritePaths=${folders.join(" ")}`,
              ...ofPrograms,
              // What one program takes: 128 MiB while a password is hashed, else some 60.
              `MemoryMax=${cluster.pools[pool] * 256 + 64}M`,
              "TasksMax=256",
            ]),
          ],
    ),
    unit(
      "site-hitch.service",
      `[Unit]
Description=The site: TLS
After=network.target site-front.service
Requires=site-front.service
[Service]
ExecStartPre=${hitch} --test --config=${etc}/hitch.conf
ExecStart=${hitch} --config=${etc}/hitch.conf
ExecReload=${hitch} --test --config=${etc}/hitch.conf
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=1
ProtectHome=yes
PrivateTmp=yes
[Install]
WantedBy=multi-user.target
`,
    ),
    ...schedule.flatMap(({ job, calendar, what }) => [
      unit(
        `site-${job}.service`,
        `[Unit]
Description=The site: ${what}
After=network.target
[Service]
Type=oneshot
User=${runnerOf(cluster, job).user}
Group=${users.programs}
UMask=0007
Environment=PATH=${path} SITE_DATA=${data} SITE_SECRETS=${keysOf(cluster, runnerOf(cluster, job))}
ExecStart=/usr/bin/env node ${home}/dist/current/jobs/${job}
InaccessiblePaths=${secrets}
ProtectHome=yes
PrivateTmp=yes
`,
      ),
      unit(
        `site-${job}.timer`,
        `[Unit]
Description=The site: ${what}
[Timer]
OnCalendar=${calendar}
${calendar.includes("*:*") ? "AccuracySec=1s" : "Persistent=true"}
[Install]
WantedBy=timers.target
`,
      ),
    ]),
  ];
}

/** What lies below the home, whose it is, and who may look: for systemd-tmpfiles. */
export function writeTmpfiles({ cluster }: HostFacts): string {
  const { home, users } = cluster;
  const { web, programs } = users;
  return `# Made by site build from etc/: systemd-tmpfiles --create ${home}/dist/current/etc/tmpfiles.conf
d ${home}/run 0770 ${web} ${web} -
d ${home}/log 0770 ${web} ${web} -
d ${home}/upload 0770 ${web} ${web} -
d ${cluster.acme} 0755 root root -
d ${home}/data 2770 ${users.jobs} ${programs} -
d ${home}/data/backups 0700 ${users.jobs} ${programs} -
d ${home}/keys 0711 root root -
z ${home}/secrets 0600 root root -
`;
}

/**
 * The logs of the servers, kept for twelve weeks. Web servers open theirs anew when they are told; what programs say goes to a file that
 * one that stays has open as long as it lives, so that it is emptied instead.
 */
export function writeLogrotate({ cluster }: HostFacts): string {
  const { home, users, isResident } = cluster;
  const servers = ["front", ...(isResident ? [] : pools)];
  const logs = ["access", ...servers].map((name) => `${home}/log/${name}.log`);
  const keep = (owner: string): string => `  weekly
  rotate 12
  compress
  delaycompress
  missingok
  notifempty
  su ${owner} ${users.web}`;
  return `# Made by site build from etc/. For /etc/logrotate.d.
${logs.join(" ")} {
${keep(users.web)}
  sharedscripts
  postrotate
    systemctl kill --signal=HUP ${servers.map((name) => `site-${name}.service`).join(" ")}
  endscript
}
${home}/log/programs.log {
${keep(users.programs)}
  copytruncate
}
`;
}
