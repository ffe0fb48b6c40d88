// Builds the pages that a relay serves: `npm run build` writes dist/, which is in
// the repository, so that the Go build needs no Node. The same sources give the
// same bytes; a test compares.
//
// A file keeps its name from one version to the next, and whoever names it adds
// ?v= and a hash of what is in it: while relays are updated one after the other,
// the page of one finds its script at another.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const page = join(web, "page");

/**
 * Builds into the folder out. client names what stands in for page/client.ts.
 */
export async function buildPages({ out = join(web, "dist"), client } = {}) {
  const assets = new Map(["style.css", "icon.svg", "licenses.txt"].map((name) => [name, readFileSync(join(page, name))]));
  // Those that others name come first.
  for (const [name, source] of Object.entries(modules)) {
    assets.set(name, await bundle(source, assets, client));
  }
  assets.set("style.css", Buffer.from((await build({ stdin: { contents: assets.get("style.css").toString(), loader: "css" }, minify: true, write: false, target: targets })).outputFiles[0].contents));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "assets"), { recursive: true });
  for (const [name, content] of assets) writeFileSync(join(out, "assets", name), content);
  for (const name of ["index.html", "room.html"]) {
    const html = readFileSync(join(page, name), "utf8").replaceAll(/"\/assets\/([\w.-]+)"/g, (_, asset) => `"${address(asset, assets)}"`);
    writeFileSync(join(out, name), html);
  }
}

/** What is built, each into one file. The decoder is apart because few pages need it at once. */
const modules = {
  "opus.js": "opus-decoder",
  "worklet.js": join(web, "src/audio/worklet.ts"),
  "room.js": join(page, "room.ts"),
  "rooms.js": join(page, "rooms.ts"),
};

/** The oldest browsers with all that the pages need: WebTransport or WebSocket, AudioWorklet, top-level modules. */
const targets = ["chrome97", "firefox115", "safari16.4"];

async function bundle(source, assets, client) {
  const result = await build({
    entryPoints: [source],
    bundle: true,
    format: "esm",
    target: targets,
    minify: true,
    legalComments: "none",
    write: false,
    absWorkingDir: web,
    logLevel: "warning",
    define: { WORKLET_URL: JSON.stringify(assets.has("worklet.js") ? address("worklet.js", assets) : "") },
    plugins: [languages, apart(assets), ...(client === undefined ? [] : [standIn(client)])],
  });
  return Buffer.from(result.outputFiles[0].contents);
}

function address(name, assets) {
  const content = assets.get(name);
  if (content === undefined) throw new Error(`a page names ${name}, which is not built`);
  return `/assets/${name}?v=${createHash("sha256").update(content).digest("hex").slice(0, 12)}`;
}

/** Every file of page/languages is a language: there is no list to keep. */
export const languages = {
  name: "languages",
  setup(b) {
    b.onResolve({ filter: /^stentor:languages$/ }, () => ({ path: "languages", namespace: "stentor" }));
    b.onLoad({ filter: /.*/, namespace: "stentor" }, () => {
      const tags = readdirSync(join(page, "languages")).filter((file) => file.endsWith(".ts")).map((file) => basename(file, ".ts")).sort();
      const lines = tags.map((tag, i) => `import { ${tag.replaceAll("-", "")} as l${i} } from "./languages/${tag}";`);
      lines.push(`export const languages = { ${tags.map((tag, i) => `${JSON.stringify(tag)}: l${i}`).join(", ")} };`);
      return { contents: lines.join("\n"), resolveDir: page, loader: "ts" };
    });
  },
};

/** The WebAssembly decoder is loaded from its own file, when it is wanted. */
const apart = (assets) => ({
  name: "apart",
  setup(b) {
    if (!assets.has("opus.js")) return; // it is being built
    b.onResolve({ filter: /^opus-decoder$/ }, () => ({ path: address("opus.js", assets), external: true }));
  },
});

const standIn = (client) => ({
  name: "stand-in",
  setup(b) {
    b.onResolve({ filter: /^\.\/client$/ }, ({ importer }) => (dirname(importer) === page ? { path: client } : undefined));
  },
});

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await buildPages();
