import assert from "node:assert/strict";
import { test } from "node:test";
import { Lookout } from "./lookout";

/** When a client asks that is told every second whether it is carried. */
function asks(lookout: Lookout, seconds: number, carried: (second: number) => boolean): number[] {
  return Array.from({ length: seconds }, (_, i) => i).filter((i) => lookout.look(carried(i), i * 1000));
}

test("asks every few seconds for two minutes, then seldom; whoever is carried does not", () => {
  const at = asks(new Lookout(() => 0.5), 300, (second) => second < 10);
  assert.deepEqual(at.slice(0, 4), [13, 16, 19, 22]);
  assert.ok(at.filter((s) => s < 130).every((s, i, all) => i === 0 || s - all[i - 1]! <= 4), "never more than 4 s");
  const late = at.filter((s) => s > 135);
  assert.ok(late.length >= 5 && late.every((s, i) => i === 0 || s - late[i - 1]! >= 20), `${late}`);
});

test("what answers after it did not is back, once, and only for who was away", () => {
  const lookout = new Lookout(() => 0);
  lookout.unanswered();
  assert.equal(lookout.answered(), false, "a lobby that fails while a relay carries the client says nothing of that");
  lookout.look(false, 0);
  assert.equal(lookout.answered(), false, "it was there all the time");
  lookout.unanswered();
  lookout.unanswered();
  assert.deepEqual([lookout.answered(), lookout.answered()], [true, false]);
  lookout.unanswered();
  lookout.look(true, 1000);
  assert.equal(lookout.answered(), false);
});
