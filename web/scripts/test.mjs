// Bundles every src/**/*.test.ts for Node and runs them with Node's own test
// runner: `npm test`, or `npm test -- src/hop` for some of them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const wanted = process.argv.slice(2);
const entryPoints = readdirSync("src", { recursive: true })
  .map((file) => join("src", file))
  .filter((file) => file.endsWith(".test.ts"))
  .filter((file) => wanted.length === 0 || wanted.some((prefix) => file.startsWith(prefix)));
if (entryPoints.length === 0) {
  console.error("no tests in", wanted.join(" ") || "src");
  process.exit(1);
}

const out = mkdtempSync(join(tmpdir(), "stentor-web-"));
try {
  await build({
    entryPoints,
    outdir: out,
    outbase: "src",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node18",
    sourcemap: "inline",
    logLevel: "warning",
    // Tests read their tables from here, wherever the bundle lies.
    define: { ROOT: JSON.stringify(join(process.cwd(), "..")) },
  });
  const files = readdirSync(out, { recursive: true })
    .map((file) => join(out, file))
    .filter((file) => file.endsWith(".test.mjs"));
  const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
