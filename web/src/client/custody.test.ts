import assert from "node:assert/strict";
import { test } from "node:test";
import { mayKeep } from "./custody";
import { type World, inWorld, json } from "./world.testing";

const token = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
const host = token({ role: "host", name: "Ada" });

/** Relays that hold a state of a version and say so; a copy that is newer is taken. */
function holding(w: World, version: number): { version: number; offered: string[]; asked: number; status: number } {
  const held = { version, offered: [] as string[], asked: 0, status: 200 };
  const say = (): void => void (w.room = { room: "town", state: "live", version: held.version, stage: [], hands: 0 });
  w.route = async (url, init) => {
    if (!url.pathname.endsWith("/state")) return url.pathname.endsWith("/relays") ? json(w.list()) : json({}, 404);
    if (held.status !== 200) return json({ error: { code: held.status === 403 ? "not_allowed" : "unavailable", message: "no" } }, held.status);
    if (init?.method !== "POST") {
      held.asked++;
      return json({ room: "town", clock: held.version });
    }
    assert.equal((init.headers as Record<string, string>)["authorization"], `Bearer ${host}`);
    held.offered.push(`${url.host} ${init.body as string}`);
    held.version = Math.max(held.version, (JSON.parse(init.body as string) as { clock: number }).clock);
    say();
    return json({});
  };
  say();
  return held;
}

test("a host's page gives the room back when every relay has lost it", () =>
  inWorld(2, async (w) => {
    w.speak("ada");
    const held = holding(w, 7);
    const l = w.listen({ token: host });
    void l.start();
    await w.run(3000);
    assert.deepEqual([held.asked, held.offered], [1, []], "one copy, and nobody lacks it");
    held.version = 0;
    holding(w, 0);
    const fresh = holding(w, 2); // somebody has come meanwhile
    for (const r of w.relays) r.lose();
    await w.run(4000);
    assert.deepEqual([...new Set(fresh.offered.map((line) => line.split(" ")[1]))], ['{"room":"town","clock":7}']);
    assert.equal(fresh.version, 7);
    assert.ok(fresh.offered.length <= 2, fresh.offered.join());
    await l.stop();
  }));

test("a relay that only lags behind is not offered what it is about to say", () =>
  inWorld(1, async (w) => {
    w.speak("ada");
    const held = holding(w, 7);
    const l = w.listen({ token: host });
    void l.start();
    await w.run(3000);
    w.room = { room: "town", state: "live", version: 6, stage: [], hands: 0 };
    await w.run(200);
    w.room = { room: "town", state: "live", version: 7, stage: [], hands: 0 };
    await w.run(1000);
    assert.deepEqual(held.offered, []);
    w.room = { room: "town", state: "live", version: 6, stage: [], hands: 0 };
    await w.run(1000);
    assert.equal(held.offered.length, 1, "or the above tests nothing");
    await l.stop();
  }));

test("the copy follows the room, once a second at most", () =>
  inWorld(1, async (w) => {
    w.speak("ada");
    const held = holding(w, 1);
    const l = w.listen({ token: host });
    void l.start();
    await w.run(2000);
    const before = held.asked;
    for (let version = 2; version < 42; version++) {
      held.version = version;
      w.room = { room: "town", state: "live", version, stage: [], hands: 0 };
      await w.run(50);
    }
    await w.run(1500);
    assert.ok(held.asked - before >= 2 && held.asked - before <= 4, `asked ${held.asked - before} times in two seconds`);
    w.room = { room: "town", state: "live", version: 0, stage: [], hands: 0 };
    await w.run(500);
    assert.deepEqual(held.offered, ['relay-a:4443 {"room":"town","clock":41}']);
    await l.stop();
  }));

test("who is no host keeps nothing, and whom relays refuse asks once", () =>
  inWorld(1, async (w) => {
    w.speak("ada");
    const held = holding(w, 7);
    const listener = w.listen({ token: token({ role: "listener" }) });
    void listener.start();
    await w.run(2000);
    assert.equal(held.asked, 0);
    await listener.stop();
    held.status = 403;
    const liar = w.listen({ token: host });
    void liar.start();
    for (let version = 8; version < 12; version++) {
      await w.run(2000);
      w.room = { room: "town", state: "live", version, stage: [], hands: 0 };
    }
    assert.equal(w.questions.filter((q) => q.endsWith("/state")).length, 1);
    await liar.stop();
  }));

test("who keeps a copy", () => {
  assert.deepEqual(
    [mayKeep(host, "listen"), mayKeep(token({ role: "cohost" }), "speak"), mayKeep("rubbish", "speak"), mayKeep(undefined, "speak"), mayKeep(undefined, "listen")],
    [true, false, false, true, false],
  );
});
