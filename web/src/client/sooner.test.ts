import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Buffer } from "../audio/buffer";
import { Prepared } from "./prepare";
import { inWorld, json } from "./world.testing";

describe("sound comes sooner", () => {
  const packet = Uint8Array.of(0x78, 1, 2, 3);
  const at = (seq: number): number => 1e15 + seq * 20_000;

  test("what was said just before the first group is played before it, and only what is in time", () => {
    const b = new Buffer();
    for (const seq of [30, 31, 32]) b.push(seq, at(seq), packet, 1000);
    // 32 is the one that came quickest: 30 is due at 1000 - 40 + 200.
    const took = [29, 28, 27, 26, 25, 24, 23, 22, 21].map((seq) => b.precede(seq, at(seq), packet, 1005));
    assert.deepEqual(took, [true, true, true, true, true, true, true, false, false]);
    assert.equal(b.timing(1005).missing, 0);
    const played: number[] = [];
    for (let now = 1005; now < 1400; now += 20) {
      const slot = b.pop(now);
      if (slot.kind === "play") played.push(slot.sequence);
      else if (played.length > 0 && played.length < 10) assert.fail(`a gap at ${now}`);
    }
    assert.deepEqual(played, [23, 24, 25, 26, 27, 28, 29, 30, 31, 32]);
    assert.deepEqual([b.stats.lost, b.stats.repaired, b.stats.first], [0, 0, 23]);
  });

  test("a buffer takes nothing before what it has played, nor what leaves a hole, nor what was said before a pause", () => {
    const b = new Buffer();
    assert.equal(b.precede(4, at(4), packet, 0), false, "nothing has come");
    b.push(30, at(30), packet, 0);
    assert.equal(b.precede(28, at(28), packet, 0), false);
    assert.equal(b.precede(29, at(29) - 60_000_000, packet, 0), false, "a minute ago");
    assert.equal(b.timing(0).buffered, 1);
    for (let now = 0; now <= 220; now += 20) b.pop(now);
    assert.equal(b.precede(29, at(29), packet, 220), false);
    assert.equal(b.stats.late, 0);
  });

  for (const packetMs of [20, 60, 120] as const) {
    test(`a listener hears something a delay sooner: packets of ${packetMs} ms`, () =>
      inWorld(2, async (w) => {
        const ada = w.speak("ada");
        await w.run(3000);
        const l = w.listen({ packet: packetMs });
        void l.start();
        let waited = 0;
        for (; (l.stats().tracks[0]?.played ?? 0) === 0; waited += 20) await w.run(20);
        assert.ok(waited <= 80, `after ${waited} ms; it would be 180 and more if the delay had to fill`);
        const spoken = ada.packets.length;
        const first = l.stats().tracks[0]!.first;
        assert.ok(spoken - first <= (packetMs === 120 ? 400 : 260) / 20, `it is ${(spoken - first) * 20} ms behind`);
        await w.run(2000);
        const { lost, repaired, late } = l.stats().tracks[0]!;
        assert.deepEqual({ lost, repaired, late, gaps: w.sounds[0]!.voices.get("ada")!.gaps }, { lost: 0, repaired: 0, late: 0, gaps: 0 });
        await l.stop();
      }));
  }

  test("the lobby is asked ahead, once", () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      const prepared = Prepared.begin({ room: "town" }, w);
      await w.run(1000);
      const asked = (): number => w.questions.filter((q) => q.includes("/relays")).length;
      assert.equal(asked(), 1);
      const l = w.listen({ prepared });
      void l.start();
      await w.run(100);
      assert.deepEqual([w.dials.length > 0, asked()], [true, 1]);
      await w.run(2000);
      assert.equal(l.state, "playing");
      await l.stop();
    }));

  for (const [what, wait, answer] of [
    ["is old", 31_000, undefined],
    ["names nobody", 100, { relays: [], retry_after_ms: 0 }],
    ["failed", 100, "unreadable"],
  ] as const) {
    test(`an answer that ${what} is not used`, () =>
      inWorld(2, async (w) => {
        w.speak("ada");
        if (answer !== undefined) w.route = () => json(answer);
        const prepared = Prepared.begin({ room: "town" }, w);
        await w.run(wait);
        w.route = undefined;
        const before = w.questions.length;
        const l = w.listen({ prepared });
        void l.start();
        await w.run(3000);
        assert.ok(w.questions.slice(before).some((q) => q.includes("/relays")));
        assert.equal(l.state, "playing");
        await l.stop();
      }));
  }
});
