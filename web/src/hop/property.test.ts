import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cause } from "./event";
import { check } from "./random.test";
import type { Random } from "./random.test";
import { RelayModel, World } from "./world.test";

/** How many random worlds a property is tried in. */
const worlds = 100;

function draw(r: Random): World {
  const relays = ["a", "b", "c"].map((name) => {
    const zone = r.of(["", "par", "mil"]);
    return new RelayModel({ name, zone, url: `https://${name}.example` }, r.between(2, 40));
  });
  return new World({ jitter: r.fraction() }, r, r.between(0, 10), r.of([1, 3, 6]), relays);
}

/** The delay of playout. */
function delayOf(w: World): number {
  return w.frames === 6 ? 320 : 200;
}

function wayToFirst(w: World): number {
  return w.relays.get("a")!.trip / 2;
}

const failures = [
  { what: "dies", cause: "silence" },
  { what: "closes", cause: "closed" },
  { what: "is cut off", cause: "silence" },
  { what: "drains", cause: "drain" },
  { what: "has too many", cause: "load" },
] as const satisfies readonly { what: string; cause: Cause }[];

/** Lets something happen to the relay of a session. */
function fail(w: World, what: (typeof failures)[number], session: number, relay: RelayModel): void {
  switch (what.what) {
    case "dies":
    case "closes":
      w.kill(relay, what.what === "closes");
      return;
    case "is cut off":
      relay.cut = w.now;
      return;
    default:
      w.step({ kind: "goaway", session, cause: what.cause, uris: [], within: 3000 });
      w.after(3000, () => w.kill(relay, true));
  }
}

for (const who of ["primary", "standby"] as const) {
  for (const failure of failures) {
    test(`the ${who} ${failure.what}: no frame comes too late to be played`, () => {
      check(worlds / 2, (r) => {
        const w = draw(r);
        w.speak(500, 9000 / (20 * w.frames));
        let victim = "";
        w.at(4000 + r.fraction() * 500, () => {
          const held = w.m[who]();
          assert.ok(held, `no ${who}`);
          victim = held.candidate.name;
          fail(w, failure, held.session, w.relays.get(victim)!);
        });
        w.run(w.end() + 1000);
        assert.deepEqual(w.late(2000, w.end(), wayToFirst(w), delayOf(w)), []);
        const hops = w.hops.map(({ from, cause }) => ({ from, cause }));
        assert.deepEqual(hops, who === "standby" ? [] : [{ from: victim, cause: failure.cause }]);
        assert.ok(w.hops.every(({ from, to }) => from !== to));
        assert.ok(failure.what === "is cut off" || w.m.standby(), "there is no new standby in the end");
      });
    });
  }
}

test("pauses and paths with jitter are no reason to hop", () => {
  check(worlds, (r) => {
    const w = draw(r);
    let at = 500;
    for (let spoken = r.between(1, 5); spoken > 0; spoken--) {
      w.speak(at, (r.between(1, 20) * 6) / w.frames);
      at = w.end() + r.between(20, 4000);
    }
    w.run(w.end() + 3000);
    assert.deepEqual(w.hops, []);
    assert.equal(w.m.primary()?.candidate.name, "a");
  });
});

test("even speech on a path with jitter puts no standby on trial", () => {
  check(worlds, (r) => {
    const w = draw(r);
    w.speak(500, 20_000 / (20 * w.frames));
    w.run(w.end());
    assert.equal(w.trials, 0);
  });
});

test("after the network changed under all sessions, the speech goes on", () => {
  check(worlds, (r) => {
    const w = draw(r);
    w.speak(500, 6000 / (20 * w.frames));
    w.at(3000 + r.between(0, 500), () => {
      w.severed = w.now;
      w.step({ kind: "network-changed" });
    });
    w.run(w.end() + 2000);
    assert.deepEqual(w.late(2000, w.end(), wayToFirst(w), delayOf(w) + 500), []);
    assert.deepEqual(w.hops.map((h) => h.cause), ["network"]);
  });
});
