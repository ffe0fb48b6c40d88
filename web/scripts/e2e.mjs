// Tests the pages in a real Chromium: `npm run e2e`, or `npm run e2e -- talk` for
// the files whose names begin with that; with --bench it measures instead (e2e/bench.ts).
// Everything it needs it makes: the stentor binary, the pages with the test's
// double in them, the bundled tests.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildPages, languages } from "./build.mjs";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(web, "..");

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const folders = (process.env.PATH ?? "").split(delimiter);
/** Chromium's program; CHROMIUM may name another. */
const browser = process.env.CHROMIUM ?? names.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));

/**
 * Bundles test files and runs them with Node's test runner, one file after the
 * other: they share the machine's cores with browsers and relays. Returns the status.
 */
export async function runTests(files, ...options) {
  const out = mkdtempSync(join(tmpdir(), "stentor-e2e-"));
  try {
    const stentor = process.env.STENTOR ?? join(out, "stentor");
    if (process.env.STENTOR === undefined) {
      const { status } = spawnSync("go", ["build", "-o", stentor, "./cmd/stentor"], { cwd: root, stdio: "inherit" });
      if (status !== 0) return 1;
    }
    const double = join(out, "double");
    await buildPages({ out: double, client: join(web, "e2e/double.ts") });
    await build({
      entryPoints: files,
      outdir: join(out, "tests"),
      outbase: web,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node18",
      sourcemap: "inline",
      logLevel: "warning",
      // They load files of their own, so they stay where they are.
      plugins: [languages, { name: "installed", setup: (b) => b.onResolve({ filter: /^(playwright-core|axe-core|esbuild)$/ }, ({ path }) => ({ path: fileURLToPath(import.meta.resolve(path)), external: true })) }],
      define: { ROOT: JSON.stringify(root), DOUBLE: JSON.stringify(double), STENTOR: JSON.stringify(stentor) },
    });
    const built = readdirSync(join(out, "tests"), { recursive: true }).filter((file) => file.endsWith(".mjs"));
    const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-concurrency=1", "--test-reporter=spec", ...options, ...built.map((file) => join(out, "tests", file))], {
      stdio: "inherit",
      env: { ...process.env, ...(browser === undefined ? {} : { CHROMIUM: browser }) },
    });
    return status ?? 1;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Every test of the pages: those of their plain functions and, if there is a browser, those in it. */
function testFiles(wanted) {
  if (browser === undefined) console.error("no Chromium here: the tests in a browser are skipped");
  const files = ["page", ...(browser === undefined ? [] : ["e2e", "e2e/peers"])].flatMap((folder) => readdirSync(join(web, folder)).map((file) => join(web, folder, file)));
  return files.filter((file) => file.endsWith(".test.ts")).filter((file) => wanted.length === 0 || wanted.some((prefix) => file.split("/").at(-1).startsWith(prefix)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = process.argv.includes("--bench");
  const options = process.argv.slice(2).filter((word) => word.startsWith("--") && word !== "--bench");
  const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  const files = bench ? [join(web, "e2e/bench.ts")] : testFiles(wanted);
  if (files.length === 0) throw new Error(`no tests are called ${wanted.join(" or ")}`);
  process.exitCode = await runTests(files, ...options);
}
