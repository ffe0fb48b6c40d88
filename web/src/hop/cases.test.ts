import assert from "node:assert/strict";
import { test } from "node:test";
import { readTable, run } from "./table.test";

for (const file of ["cases.json", "random.json"]) {
  const table = readTable(file);
  for (const c of table.cases) {
    test(c.name, () => assert.deepEqual(run(c, table), c.effects, c.why || c.name));
  }
  test(`${file} is not empty`, () => assert.ok(table.cases.length > 0));
}
