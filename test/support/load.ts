/** Visitors who ask for pages of a host without a pause, and note which release each answer is of. */
import { sendStream, type Wire } from "./secure.ts";

export interface Load {
  /** Ends it; how often each was answered: "200 NAME" for a whole page of the site of that name, else what went wrong. */
  readonly end: () => Promise<ReadonlyMap<string, number>>;
}

export function startLoad(wire: Wire, paths: readonly string[]): Load {
  const counts = new Map<string, number>();
  let isOver = false;
  /** hitch closes a connection that it has just taken when it is told to read anew; browsers open another one. */
  const ask = async (
    path: string,
    tries = 3,
  ): Promise<{ readonly status: number; readonly body: string }> => {
    try {
      return await sendStream(wire, { ":path": path });
    } catch (error) {
      const isClosed = /ECONNRESET|socket disconnected/.test(String(error));
      return isClosed && tries > 1 ? ask(path, tries - 1) : { status: 0, body: String(error) };
    }
  };
  const visit = async (path: string): Promise<void> => {
    while (!isOver) {
      const { status, body } = await ask(path);
      const [, title = ""] = /<title>([^<]*)<\/title>/.exec(body) ?? [];
      const [, name = ""] = /class="name" href="\/">([^<]*)</.exec(body) ?? [];
      // The title and the header of one page are of one release, and the page is whole.
      const isWhole = title.includes(name) && name !== "" && body.includes("</html>");
      const answer = `${status} ${isWhole ? name : body}`;
      // As a browser asks for it next, whatever is served by then.
      const [, sheet] = /<link rel="stylesheet" href="(\/style\.[0-9a-f]{10}\.css)"/.exec(body) ?? [];
      if (sheet !== undefined) await visitSheet(sheet);
      counts.set(answer, (counts.get(answer) ?? 0) + 1);
      // Whoever publishes needs a processor too.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const visitSheet = async (sheet: string): Promise<void> => {
    const { status } = await ask(sheet);
    if (status !== 200) counts.set(`${status} ${sheet}`, (counts.get(`${status} ${sheet}`) ?? 0) + 1);
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
