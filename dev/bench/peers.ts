/**
 * Other builders of static sites, given the same site: Hugo as installed, Hugo as somebody would set it up who wants
 * it fast, and Eleventy, which is installed into the bench's own folder where it is asked for.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Builder, makeSource, sourceName } from "./builders.ts";
import { footerText, headerText, makeBody, put } from "./corpus.ts";

// A version that is known to work with what is laid down here; figures of another one would be of another thing.
const eleventyVersion = "3.1.8";

function hugoSettings(sections: readonly string[]): string {
  return `baseURL = "http://127.0.0.1/"
title = "Bench"
uglyURLs = true
disableKinds = ["taxonomy", "term", "RSS", "sitemap", "home", "section", "404"]
[params]
sections = ${JSON.stringify(sections)}
[security]
# Since 0.162 pages in HTML are refused without this; older ones do not know it.
allowContent = [".*"]
`;
}

/** `home` is the home folder that it gets, for caches of its own. */
export function makeHugos(home: string): readonly Builder[] {
  return [
    makeHugo("hugo", '{{ partial "nav.html" . }}', { HOME: home }),
    makeHugo("hugo tuned", '{{ partialCached "nav.html" . .Section }}', { HOME: home, GOGC: "400" }),
  ];
}

function makeHugo(name: string, nav: string, environment: Readonly<Record<string, string>>): Builder {
  return {
    name,
    layDown: (folder, corpus) => {
      put(folder, "config.toml", hugoSettings(corpus.sections));
      put(
        folder,
        "layouts/_default/single.html",
        `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{ .Title }} - Bench</title></head>\n<body>\n{{ partial "header.html" . }}${nav}<main>{{ .Content }}</main>\n{{ partial "footer.html" . }}</body>\n</html>\n`,
      );
      put(folder, "layouts/partials/header.html", headerText);
      put(folder, "layouts/partials/footer.html", footerText);
      put(
        folder,
        "layouts/partials/nav.html",
        '<nav><ul>{{ $here := .Section }}{{ range site.Params.sections }}<li{{ if eq . $here }} class="open"{{ end }}><a href="/{{ . }}/">{{ . }}</a></li>{{ end }}</ul></nav>\n',
      );
    },
    putPage: (folder, corpus, page, format, revision) => {
      // To Hugo an index.html would make its whole folder one page; by its address it is a page like the others.
      const isIndex = page.path.endsWith("index.html");
      const file = sourceName(page, format).replace(/index(?=\.[a-z]+$)/, "start");
      const head = `title: ${page.title}\n${isIndex ? `url: /${page.path}\n` : ""}`;
      put(folder, `content/${file}`, `---\n${head}---\n${makeBody(corpus, page, format, revision)}`);
    },
    command: ["hugo", "--quiet", "--destination", "public"],
    environment,
    output: "public",
    made: "public",
    versionCommand: ["hugo", "version"],
  };
}

/** Installs Eleventy below `home`; never a dependency of the project. */
export function installEleventy(home: string): Builder {
  const folder = join(home, "eleventy-package");
  put(folder, "package.json", '{ "private": true }\n');
  const words = [
    "install",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    `@11ty/eleventy@${eleventyVersion}`,
  ];
  const installed = spawnSync("npm", words, { cwd: folder, encoding: "utf8" });
  if (installed.status !== 0)
    throw new Error(`npm could not install Eleventy:\n${installed.stdout}${installed.stderr}`);
  return makeEleventy(join(folder, "node_modules/@11ty/eleventy/cmd.cjs"));
}

function makeEleventy(program: string): Builder {
  return {
    name: "eleventy",
    layDown: (folder, corpus) => {
      put(folder, "package.json", '{ "private": true }\n');
      put(folder, "eleventy.config.mjs", eleventySettings);
      put(folder, "layouts/page.11ty.cjs", eleventyLayout(corpus.sections));
    },
    putPage: (folder, corpus, page, format, revision) =>
      put(folder, `content/${sourceName(page, format)}`, makeSource(corpus, page, format, revision)),
    command: [process.execPath, program, "--quiet"],
    output: "public",
    made: "public",
    versionCommand: [process.execPath, program, "--version"],
  };
}

const eleventySettings = `export default (config) => {
  config.addGlobalData("layout", "page.11ty.cjs");
  config.addGlobalData("permalink", () => (data) => data.page.filePathStem + ".html");
  return {
    dir: { input: "content", includes: "../layouts", output: "public" },
    templateFormats: ["html", "md", "11ty.cjs"], htmlTemplateEngine: false, markdownTemplateEngine: false,
  };
};
`;

/** A function, which is the fastest that Eleventy takes. */
function eleventyLayout(sections: readonly string[]): string {
  return `const sections = ${JSON.stringify(sections)};
const [header, footer] = ${JSON.stringify([headerText, footerText])};
exports.render = ({ title, page, content }) => {
  const here = page.url.split("/")[1];
  const nav = sections.map((name) => \`<li\${name === here ? ' class="open"' : ""}><a href="/\${name}/">\${name}</a></li>\`).join("");
  return \`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>\${title} - Bench</title></head>
<body>
\${header}<nav><ul>\${nav}</ul></nav>
<main>\${content}</main>
\${footer}</body>
</html>
\`;
};
`;
}
