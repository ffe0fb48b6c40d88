import assert from "node:assert/strict";
import { test } from "node:test";
import { joinPath, parsePath, trimPrefix } from ".";

test("paths are normalised", () => {
  for (const [s, want] of [["", ""], ["/", ""], ["///", ""], ["a", "a"], ["/a/", "a"], ["a//b", "a/b"], ["//ü/日//", "ü/日"]]) {
    assert.equal(parsePath(s!), want);
  }
});

test("prefixes are whole segments", () => {
  const cases: [path: string, prefix: string, suffix: string | undefined][] = [
    ["room/ada", "", "room/ada"],
    ["room/ada", "room", "ada"],
    ["room/ada", "room/ada", ""],
    ["roomy", "room", undefined],
    ["room", "room/ada", undefined],
    ["", "", ""],
    ["", "a", undefined],
  ];
  for (const [path, prefix, suffix] of cases) {
    assert.equal(trimPrefix(path, prefix), suffix);
    if (suffix !== undefined) assert.equal(joinPath(prefix, suffix), path);
  }
});
