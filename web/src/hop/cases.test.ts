import assert from "node:assert/strict";
import { test } from "node:test";
import { readTable, run } from "./table.test";

const table = readTable();

for (const c of table.cases) {
  test(c.name, () => assert.deepEqual(run(c, table), c.effects, c.why));
}

test("the table is all there", () => assert.ok(table.cases.length >= 49));
