/** When jobs run, said once for cron and for systemd. All times are UTC. What a job needs of another comes before it. */
import { needsOf, type Runner } from "../../lib/util/jobs.ts";
import type { Cluster } from "./cluster.ts";
import type { HostFacts } from "./host.ts";

interface Scheduled {
  readonly job: string;
  /** As crontab has it: minute, hour, day of the month. */
  readonly cron: readonly [minute: string, hour: string, day: string];
  /** As systemd has it. */
  readonly calendar: string;
  readonly what: string;
}

const nightly = (job: string, minute: number, what: string): Scheduled => ({
  job,
  cron: [String(minute), "1", "*"],
  calendar: `*-*-* 01:${minute}:00 UTC`,
  what,
});

export const schedule: readonly Scheduled[] = [
  { job: "mail", cron: ["*", "*", "*"], calendar: "*-*-* *:*:00 UTC", what: "sends the mail that waits" },
  nightly("bill", 30, "bills the day that is over"),
  nightly("recharge", 35, "charges saved cards where credit runs low"),
  nightly("warn", 40, "warns those who run low"),
  nightly("close", 50, "erases accounts that were closed a week ago"),
  nightly("reconcile", 55, "compares the books with Stripe"),
  {
    job: "backup",
    cron: ["30", "2", "*"],
    calendar: "*-*-* 02:30:00 UTC",
    what: "copies the books, and proves the copy",
  },
  {
    job: "tidy",
    cron: ["0", "3", "1"],
    calendar: "*-*-01 03:00:00 UTC",
    what: "forgets what need not be kept",
  },
];

const widest = Math.max(...schedule.map(({ cron }) => cron.join(" ").length));

/** Who runs a job: the user, and the name of its secrets. */
export function runnerOf({ users }: Cluster, job: string): { readonly user: string; readonly name: Runner } {
  const { runner } = needsOf(job);
  return { user: users[runner], name: runner };
}

/** For systems without systemd: a file for /etc/cron.d. */
export function writeCrontab({ cluster }: HostFacts): string {
  const { home, path, users } = cluster;
  const longest = Math.max(users.jobs.length, users.mail.length);
  const lines = schedule.map(({ job, cron: [minute, hour, day] }) => {
    const when = `${[minute, hour, day].join(" ").padEnd(widest)} * *`;
    // What is sent each minute is no news.
    const quiet = minute === "*" ? " > /dev/null" : "";
    const { user, name } = runnerOf(cluster, job);
    return `${when}  ${user.padEnd(longest)}  umask 007; SITE_SECRETS=${home}/keys/${name} node ${home}/dist/current/jobs/${job}${quiet}`;
  });
  return `# Made by site build from etc/. For /etc/cron.d, where there is no systemd; the machine's time must be UTC.
PATH=${path}
SITE_DATA=${home}/data
${lines.join("\n")}
`;
}
