import assert from "node:assert/strict";
import test from "node:test";
import { appearance, type Situation, startsWhen, talkStatus } from "./status";
import { Words } from "./text";

const english = new Words("en");
const calm: Situation = { state: "idle", failure: undefined, token: false, live: false, speaking: false, stopped: false, muted: false, seconds: 0, room: "announced" };

test("when an announced room begins", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  for (const [left, want] of [
    [754_000, "Starts in 12:34"], [753_001, "Starts in 12:34"], [1, "Starts in 0:01"], [0, "Starts any moment now"], [-5000, "Starts any moment now"],
    [86_399_000, "Starts in 23:59:59"],
  ] as const) assert.equal(startsWhen(now + left, now, english), want);
  assert.match(startsWhen(now + 3 * 86_400_000, now, english), /^Starts on Wednesday,? .*4/);
  assert.match(startsWhen(now + 3 * 86_400_000, now, new Words("fr")), /^Commence mercredi 4 mars/);
  assert.equal(startsWhen(undefined, now, english), "Starts soon");
});

test("a room that has not begun, and one that has ended", () => {
  assert.equal(appearance(calm).status, "status.idle.announced");
  assert.equal(appearance({ ...calm, state: "waiting" }).status, "status.announced");
  assert.equal(appearance({ ...calm, state: "playing" }).status, "status.announced", "somebody is at the microphone already, unheard");
  assert.equal(appearance({ ...calm, state: "reconnecting" }).status, "status.reconnecting");
  for (const over of [{ ...calm, room: "ended" }, { ...calm, room: "live", state: "failed", failure: "ended" }] as const) {
    assert.deepEqual([appearance(over).status, appearance(over).deed], ["status.ended", "none"]);
  }
});

test("why nobody hears whoever is at the microphone", () => {
  assert.deepEqual([talkStatus("live", false), talkStatus("live", true), talkStatus("live", true, "silenced"), talkStatus("live", false, "early"), talkStatus("reconnecting", false, "silenced")],
    ["talk.live", "talk.muted", "talk.silenced", "talk.early", "talk.reconnecting"]);
});
