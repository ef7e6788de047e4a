/** Tables as the migrations make them, whichever engine has them: their columns, and the key that orders their rows. Called by move.ts. */
import { openInMemory, prepare } from "./database.ts";
import { migrations } from "./migrate.ts";

export interface TableShape {
  readonly table: string;
  readonly columns: readonly string[];
  /** The columns of its primary key, in their order. */
  readonly key: readonly string[];
}

/** What other tables lead to comes before them. */
export function readShapes(native: { readonly addonFile?: string | undefined }): readonly TableShape[] {
  const db = openInMemory(native);
  try {
    for (const { sql } of migrations) db.exec(sql);
    const all = (sql: string, ...values: string[]) =>
      prepare(db, sql)
        .safeIntegers(false)
        .all(...values) as Record<string, string & number>[];
    const names = all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid");
    const shapes: TableShape[] = [];
    const place = (table: string): void => {
      if (shapes.some((shape) => shape.table === table)) return;
      for (const { target } of all('SELECT "table" AS target FROM pragma_foreign_key_list(?)', table))
        if (target !== table) place(target ?? "");
      const columns = all("SELECT name, pk FROM pragma_table_info(?)", table);
      const key = columns.filter(({ pk }) => pk !== 0).sort((a, b) => Number(a.pk) - Number(b.pk));
      shapes.push({
        table,
        columns: columns.map(({ name }) => name ?? ""),
        key: key.map(({ name }) => name ?? ""),
      });
    };
    for (const { name } of names) place(name ?? "");
    return shapes;
  } finally {
    db.close();
  }
}
