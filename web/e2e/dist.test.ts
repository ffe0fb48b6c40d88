import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "./network";
import { scene } from "./scene";

declare const ROOT: string;

/** Every file of a folder, by its path in it. */
function files(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(names.map((entry) => join((entry as { parentPath?: string }).parentPath ?? entry.path, entry.name)).map((file) => [file.slice(folder.length + 1), readFileSync(file)]));
}

// What relays serve is in the repository; this is what keeps it from growing old.
scene("dist is what npm run build makes", async (scene) => {
  const out = scratch(scene);
  const program = `import { buildPages } from ${JSON.stringify(join(ROOT, "web/scripts/build.mjs"))}; await buildPages({ out: ${JSON.stringify(join(out, "dist"))} });`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const built = files(join(out, "dist"));
  const kept = files(join(ROOT, "web/dist"));
  assert.deepEqual([...kept.keys()].sort(), [...built.keys()].sort());
  for (const [name, content] of built) assert.ok(kept.get(name)?.equals(content), `web/dist/${name} is not what the sources make: npm run build`);
});

scene("nothing in dist points to another host", async () => {
  for (const [name, content] of files(join(ROOT, "web/dist"))) {
    if (name.endsWith(".html") || name.endsWith(".css")) assert.doesNotMatch(content.toString(), /(src|href|url|import)\W{1,3}(https?:)?\/\/(?!www\.w3\.org)/i, name);
  }
});
