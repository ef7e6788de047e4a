/** Visitors who ask for pages of a host without a pause, and note which release each answer is of. */
import { sendStream, type Wire } from "./secure.ts";

export interface Load {
  /** Ends it; how often each was answered: "200 NAME" for a whole page of the site of that name, else what went wrong. */
  readonly end: () => Promise<ReadonlyMap<string, number>>;
}

export function startLoad(wire: Wire, paths: readonly string[]): Load {
  const counts = new Map<string, number>();
  let isOver = false;
  const visit = async (path: string): Promise<void> => {
    while (!isOver) {
      const { status, body } = await sendStream(wire, { ":path": path }).catch((error: unknown) => ({
        status: 0,
        body: String(error),
      }));
      const [, title = ""] = /<title>([^<]*)<\/title>/.exec(body) ?? [];
      const [, name = ""] = /class="name" href="\/">([^<]*)</.exec(body) ?? [];
      // The title and the header of one page are of one release, and the page is whole.
      const isWhole = title.includes(name) && name !== "" && body.includes("</html>");
      const answer = `${status} ${isWhole ? name : body}`;
      counts.set(answer, (counts.get(answer) ?? 0) + 1);
      // Whoever publishes needs a processor too.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const all = paths.map(visit);
  return {
    end: async () => {
      isOver = true;
      await Promise.all(all);
      return counts;
    },
  };
}
