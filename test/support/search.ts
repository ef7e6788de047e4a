/**
 * A small site as it is searched, and its index in a folder of its own; and what people type who mean harm, or write
 * in other letters.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSearchDocument, makeSearchIndex, type SearchDocument } from "../../lib/search/index.ts";
import { type Found, searchPages } from "../../lib/search/query.ts";

export const page = (path: string, title: string, html = "", description = ""): SearchDocument =>
  makeSearchDocument({ path, title, description, html });

export const pages = [
  page("/", "Home", "<h1>Home</h1><p>A quiet place to keep what you back up.</p>"),
  page("/docs/paying.html", "Paying", "<h1>Paying</h1><p>Payments are made by card, in euros & cents.</p>"),
  page("/docs/backups.html", "Backups", "<h1>Backups</h1><p>Copy the file each night.</p>"),
  page("/docs/nights.html", "Nights", "<h1>Nights</h1><p>Backups, and backups of backups, run at night.</p>"),
  page(
    "/%C3%BCber.html",
    "Über uns",
    "<h1>Über uns</h1><p>Crème brûlée, naïveté, Đà Nẵng.</p>",
    "Who we are",
  ),
  page(
    "/code.html",
    "Code",
    "<pre>if (a &lt; b) &amp;&amp; c -- </pre><p>&lt;script&gt;alert(1)&lt;/script&gt; danger",
  ),
  page("/ru.html", "Цены", "<h1>Цены</h1><p>Хранение данных стоит мало.</p>"),
];

export interface Library {
  readonly file: string;
  /** Makes the index, of the small site unless other documents are given. */
  readonly index: (documents?: Iterable<SearchDocument>) => void;
  /** Searches for what is no refusal. */
  readonly find: (typed: string, page?: number) => Found;
  readonly pathsOf: (typed: string) => readonly string[];
  readonly end: () => void;
}

export function openLibrary(): Library {
  const folder = mkdtempSync(join(tmpdir(), "picodollar-search-"));
  const file = join(folder, "pages.sqlite");
  const find: Library["find"] = (typed, page = 1) => {
    const found = searchPages({ file }, typed, page);
    if (!found.ok) throw new Error(`${typed}: ${found.why}`);
    return found;
  };
  return {
    file,
    index: (documents = pages) => makeSearchIndex({ file }, documents),
    find,
    pathsOf: (typed) => find(typed).pages.map(({ path }) => path),
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Each is tried by itself and between words. */
export const hostile = [
  ..."\"'*^:(){}[]+-~,.;/\\|&!?<>=%_#@$`\u00ab\u201e".split(""),
  ...[
    "AND",
    "OR",
    "NOT",
    "NEAR",
    "NEAR(a b, 5)",
    "a AND",
    "OR b",
    "NOT NOT",
    "a NEAR/2 b",
    "^a",
    "a*",
    "*a",
    "**",
  ],
  ...[
    "title:a",
    "{title text}: a",
    "-title:a",
    "page MATCH a",
    "rank:a",
    "- {title} : ( a OR b )",
    "a + b",
    '"a" + "b',
  ],
  ...[
    '"',
    '""',
    '"""',
    '"a',
    'a"',
    '"" *',
    '"a" *',
    '(("a"',
    '"a""b"',
    "' OR 1=1 --",
    "'; DROP TABLE page; --",
  ],
  ...[
    "x' UNION SELECT sql FROM sqlite_master --",
    "); DELETE FROM page; --",
    "$\x7ba}",
    "{{a}}",
    "%00",
    "\u0001",
    "\u0002a",
  ],
  ...[
    "\u0000",
    "a\u0000b",
    "\r\n",
    "\u00ad",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u202ea",
    "\u0301",
    "a\u0301\u0301\u0301",
  ],
  ...[
    "😀",
    "👩‍👩‍👧",
    "🏳️‍🌈a",
    "漢字",
    "日本語テスト",
    "한국어",
    "ไทย",
    "العربية",
    "עברית",
    "हिन्दी",
    "ß",
    "İ",
    "ﬀ",
    "Ⅷ",
    "①",
  ],
  ...[
    "\u{10ffff}",
    "\u{e000}",
    "\u{1e900}",
    "\u{11ab0}",
    "\u{16100}",
    "\u{1f9ff}",
    "\ud800",
    "\udc00a",
    "\ufffd",
    "\ufdd0",
  ],
  ...[
    "<script>alert(1)</script>",
    '"><img src=x>',
    "&lt;b&gt;",
    "javascript:alert(1)",
    "../../etc/passwd",
    "file:x?mode=rw",
  ],
  ...[
    "0",
    "-1",
    "1e309",
    "NaN",
    "null",
    "undefined",
    "__proto__",
    "constructor",
    "true",
    "0x",
    "1.5.2",
    "a".repeat(200),
  ],
];
