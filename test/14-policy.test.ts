// Goal of this test: a policy allows what a page really has, and not a source more.
import { describe, expect, it } from "vitest";
import { findNeeds, writePolicy } from "../build/policy.ts";
import { scanMarkup } from "../build/scan.ts";
import { writeServerConf } from "../build/server.ts";

const needsOf = (html: string): readonly string[] => findNeeds(scanMarkup(html));

describe("what a page needs", () => {
  it.each([
    ['<a href="https://other.example/">a</a><img src="/a.png" alt=""><form action="/search.cgi"></form>', []],
    [
      '<img src="https://a.example/x.png" srcset="//b.example/y.png 2x" alt="">',
      ["img-src https://a.example", "img-src https://b.example"],
    ],
    ['<img src="data:image/gif;base64,R0lGOD" alt="">', ["img-src data:"]],
    ['<script src="/a.js"></script>', ["script-src 'self'"]],
    ['<script src="https://cdn.example/a.js"></script>', ["script-src https://cdn.example"]],
    ['<iframe src="https://film.example/1"></iframe>', ["frame-src https://film.example"]],
    ['<form action="https://pay.example/x"></form>', ["form-action https://pay.example"]],
    ['<link rel="stylesheet" href="https://fonts.example/a.css">', ["style-src https://fonts.example"]],
    ['<link rel="canonical" href="https://other.example/">', []],
    ["<style>p{}</style>", ["style-src 'sha256-d6zYuhNc95V6ePVuZKIbjuA9QcAu9b8EGJ0eEOzYcLA='"]],
  ])("of %s", (html, needs) => {
    if (html.startsWith("<style>"))
      expect(needsOf(html)).toEqual([expect.stringMatching(/^style-src 'sha256-[\w+/]{43}='$/)]);
    else expect(needsOf(html)).toEqual(needs);
  });

  it("is a hash of what stands there, decoded in attributes alone", () => {
    const [attribute] = needsOf(`<p onclick="a(&quot;b&quot;)">x</p>`);
    expect(attribute).toBe(needsOf(`<script>a("b")</script>`)[0]?.replace("script-src", "script-src"));
    expect(needsOf(`<p onclick="a()">x</p>`)).toContain("script-src 'unsafe-hashes'");
  });
});

describe("a policy", () => {
  it("is the same whatever the order of its needs, and closed where nothing is needed", () => {
    const closed =
      "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; media-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    expect(writePolicy([])).toBe(closed);
    expect(writePolicy(["script-src 'self'", "img-src data:"])).toBe(
      writePolicy(["img-src data:", "script-src 'self'", "img-src data:"]),
    );
    expect(writePolicy(["script-src 'self'"])).toBe(`${closed}; script-src 'self'`);
  });

  it("and redirects cannot break out of the web server's configuration", () => {
    const conf = writeServerConf({
      policy: "default-src 'none'",
      redirects: [{ from: '/a"b\\c', to: '/x" => "y' }],
    });
    expect(conf).toContain('"^/a%22b%5Cc(?:[?]|$)" => "/x%%22%%20=%%3E%%20%%22y"');
  });
});
