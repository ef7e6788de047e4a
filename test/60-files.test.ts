// Goal of this test: nothing of a usage file is guessed: both forms are read exactly, and each fault is named by line and column.
import { describe, expect, it } from "vitest";
import { largestFileBytes, readUsageFile } from "../lib/usage/file.ts";

const header = "day,account,machine,meter,quantity";

const read = (text: string) => readUsageFile(Buffer.from(text));
const row = (change: object) =>
  `${JSON.stringify({ day: "2026-11-22", account: "a", machine: "m", meter: "storage", quantity: 1, ...change })}\n`;

describe("a usage file", () => {
  it("is read with quotes, CRLF, and a byte order mark", () => {
    const text = `\uFEFF${header}\r\n2026-11-22,ada@example.org,"Ada's ""big"", box",storage,5\r\n`;
    expect(read(text)).toEqual({
      faults: [],
      complete: [],
      lines: [
        {
          line: 2,
          day: "2026-11-22",
          account: "ada@example.org",
          machine: `Ada's "big", box`,
          meter: "storage",
          quantity: 5n,
          revision: 1n,
          columns: { day: 1, account: 12, machine: 28, meter: 49, quantity: 57, revision: 1 },
        },
      ],
    });
  });

  it("is read as NDJSON, with revisions, large quantities as strings, and days that are complete", () => {
    const text = `${row({ quantity: "99999999999999999" })}\n${row({ revision: 2 })}{"complete":"2026-11-22"}\n`;
    expect(read(text)).toMatchObject({
      faults: [],
      complete: [{ line: 4, day: "2026-11-22" }],
      lines: [
        { line: 1, quantity: 99_999_999_999_999_999n, revision: 1n },
        { line: 3, quantity: 1n, revision: 2n },
      ],
    });
    expect(read(`${header},revision\n2026-11-22,a,m,storage,1,3\n`)).toMatchObject({
      lines: [{ revision: 3n }],
    });
  });

  it.each([
    ["", 1, undefined, "the file is empty"],
    [
      `${header}\n2026-11-22,a,m,storage,12`,
      2,
      undefined,
      "the file ends in the middle of a line; a line feed must end it",
    ],
    ["day,account,meter,machine,quantity\n", 1, 1, `the header must be ${header}, or that and ,revision`],
    [`${header}\n2026-11-31,a,m,storage,1\n`, 2, 1, '"2026-11-31" is no day; write it as 2026-11-23'],
    [`${header}\n\n2026-11-22,a,m,storage\n`, 3, undefined, `4 fields, 5 are wanted: ${header}`],
    [`${header}\n2026-11-22,a,m,storage,1,2\n`, 2, undefined, `6 fields, 5 are wanted: ${header}`],
    [`${header}\n2026-11-22,a,m,storage,-1\n`, 2, 24, '"-1" is no whole, positive quantity'],
    [`${header}\n2026-11-22,a,m,storage,1.5\n`, 2, 24, '"1.5" is no whole, positive quantity'],
    [`${header}\n2026-11-22,a,m,storage,1e9\n`, 2, 24, '"1e9" is no whole, positive quantity'],
    [
      `${header}\n2026-11-22,a,m,storage,${"9".repeat(40)}\n`,
      2,
      24,
      `quantity ${"9".repeat(40)} is more than 100000000000000000`,
    ],
    [
      `${header}\n2026-11-22,a,"m,storage,1\n`,
      2,
      14,
      "a quoted field is not closed, or has text after its closing quote",
    ],
    [
      `${header}\n2026-11-22,a,m\u0007,storage,1\n`,
      2,
      14,
      "the machine's name has control characters, half a character, or more than 255 characters",
    ],
    [
      row({ machine: "\ud800" }),
      1,
      35,
      "the machine's name has control characters, half a character, or more than 255 characters",
    ],
    [
      `${header},revision\n2026-11-22,a,m,storage,1,0\n`,
      2,
      26,
      '"0" is no revision; they count from 1 to 1000',
    ],
    ["{\n", 1, 2, "this is no JSON"],
    [`${row({})}[]\n`, 2, 1, "this is no object"],
    [row({ quantity: -1 }), 1, 67, '"-1" is no whole, positive quantity'],
    [row({ quantity: 1.5 }), 1, 67, "1.5 is no whole, positive quantity"],
    [
      row({ quantity: 1 }).replace(":1}", ":9007199254740993}"),
      1,
      67,
      "quantity 9007199254740992 is too large for a JSON number; write it as a string",
    ],
    [row({ machine: 7 }), 1, 35, '"machine" must be a string'],
    [row({ quantity: undefined }), 1, 1, '"quantity" is missing'],
    [row({ meters: "x" }), 1, 80, '"meters" is none of day, account, machine, meter, quantity, revision'],
    [row({}).replace("}", ',"quantity":2}'), 1, 67, '"quantity" is given twice'],
    [row({}).replace("}", ',"\\u0071uantity":2}'), 1, 67, '"quantity" is given twice'],
    [`{"complete":"2026-11-21","complete":"2026-11-22"}\n`, 1, 2, '"complete" is given twice'],
    [row({ account: "a\0b" }), 1, 21, "the account has control characters, or half a character"],
    [row({ meter: "\ud800" }), 1, 49, "the meter has control characters, or half a character"],
    [`{"complete":"2026-11-31"}\n`, 1, 2, '"2026-11-31" is no day; write it as "2026-11-23"'],
    [`{"complete":"2026-11-22","day":"2026-11-22"}\n`, 1, 2, 'a line with "complete" has nothing else'],
  ])("%j is refused", (text, line, column, message) => {
    const where = column === undefined ? { line } : { line, column };
    expect(read(text)).toMatchObject({
      lines: text.startsWith(`{"day`) && text.includes("[]") ? [{}] : [],
      faults: [{ ...where, message }],
    });
  });

  it("that is not in UTF-8 is refused where it stops being so", () => {
    const bytes = Buffer.concat([
      Buffer.from(`${header}\n2026-11-22,a,\u00e4`),
      Buffer.from([0xe4]),
      Buffer.from(",storage,1\n"),
    ]);
    expect(readUsageFile(bytes).faults).toEqual([
      { line: 2, column: 15, message: "the file is not in UTF-8" },
    ]);
  });

  it("that is longer than is taken is refused unread", () => {
    expect(readUsageFile(new Uint8Array(largestFileBytes + 1)).faults).toEqual([
      { line: 1, message: expect.stringMatching(/at most 67108864 are taken$/) },
    ]);
  });
});
