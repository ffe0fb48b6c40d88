import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, type RoomCommand, commandRoom, fetchHands, fetchMe } from "./command";
import { failureOf, kindOfRefusal } from "./failure";
import { parseRoomState } from "./room";
import { ResetCode } from "../protocol";
import { ClosedError } from "../session/errors";
import type { Failure } from "./types";
import { inWorld, json, settled } from "./world.testing";

const state = { room: "town", state: "live", title: "Town hall", version: 7, stage: [{ name: "Ada", role: "host" }, { name: "bob", role: "speaker", muted: true }], hands: 2 };
const known = { ...state, stage: [{ name: "Ada", role: "host", muted: false }, { name: "bob", role: "speaker", muted: true }] };

/** A fetch that writes down what it is asked, and answers with what `answer` makes of the host. */
function asked(answer: (host: string) => Response): { fetch: typeof globalThis.fetch; requests: string[] } {
  const requests: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const url = new URL(String(input));
    const { authorization = "" } = init.headers as Record<string, string>;
    requests.push([init.method ?? "GET", url.href, authorization, init.body ?? ""].join(" ").trim());
    return answer(url.host);
  };
  return { fetch, requests };
}

test("commands as HTTP", async () => {
  for (const [command, path, body] of [
    [{ do: "mute", who: "bob" }, "/v1/rooms/a%20b/mute", { who: "bob" }],
    [{ do: "promote", who: "bob", role: "cohost" }, "/v1/rooms/a%20b/promote", { who: "bob", role: "cohost" }],
    [{ do: "hands", up: true }, "/v1/rooms/a%20b/hands", { up: true }],
    [{ do: "end" }, "/v1/rooms/a%20b/end", {}],
    [{ do: "create" }, "/v1/rooms", { room: "a b" }],
  ] as [RoomCommand, string, object][]) {
    const { fetch, requests } = asked(() => json(state));
    assert.deepEqual(await commandRoom(["https://a"], "a b", command, { token: "e30.e30.x" }, { fetch }), known);
    assert.deepEqual(requests, [`POST https://a${path} Bearer e30.e30.x ${JSON.stringify(body)}`]);
  }
  const { fetch, requests } = asked(() => json(state));
  await commandRoom(["https://a"], "town", { do: "unmute" }, { as: "ada" }, { fetch });
  assert.deepEqual(requests, ['POST https://a/v1/rooms/town/unmute  {"as":"ada"}']);
});

test("a relay that is gone is passed over, one that refuses is not", async () => {
  const refused = (): Response => json({ error: { code: "last_host", message: "make somebody else host first" } }, 409);
  const gone = (host: string): Response => {
    if (host === "a") throw new TypeError("fetch failed");
    return host === "b" ? json({ error: { code: "unavailable", message: "no root" } }, 503) : refused();
  };
  const { fetch, requests } = asked(gone);
  const end = (...hosts: string[]): Promise<unknown> => commandRoom(hosts.map((h) => `https://${h}`), "town", { do: "end" }, {}, { fetch }).catch((error: unknown) => error);
  assert.equal(((await end("a", "b", "c", "d")) as CommandError).code, "last_host");
  assert.deepEqual(requests.map((line) => line.split("/")[2]), ["a", "b", "c"]);
  assert.equal(((await end("a", "b")) as CommandError).code, "unavailable");
  assert.equal(((await end("b", "a")) as CommandError).code, "unreachable");
  assert.equal(((await end()) as CommandError).code, "unreachable");
  const odd = asked(() => new Response("<html>"));
  assert.equal(((await commandRoom(["https://a"], "town", { do: "end" }, {}, odd).catch((e: unknown) => e)) as CommandError).code, "protocol");
});

test("the raised hands, in their order", async () => {
  const raised = [{ subject: "name:Zoé", name: "Zoé" }, { subject: "carl@x", name: "Carl" }];
  const { fetch, requests } = asked(() => json({ hands: ["name:Zoé", "carl@x"], raised }));
  assert.deepEqual(await fetchHands(["https://a"], "town", { token: "t" }, { fetch }), raised);
  assert.deepEqual(requests, ["GET https://a/v1/rooms/town/hands Bearer t"]);
  for (const wrong of [{}, { raised: "no" }, { raised: [1] }, { raised: [{ subject: "x" }] }, { raised: [{ subject: 1, name: "x" }] }, []]) {
    await assert.rejects(fetchHands(["https://a"], "town", {}, asked(() => json(wrong))), (e: CommandError) => e.code === "protocol");
  }
});

const you = { role: "speaker", muted: "host", place: 2, hand: 3, voice: "Eve", removed: 1, banned: true } as const;
const least = { role: "listener", muted: undefined, place: 0, hand: 0, voice: "", removed: 0, banned: false };

test("what somebody is in the room, for them alone", async () => {
  const { fetch, requests } = asked(() => json({ ...state, you }));
  assert.deepEqual(await fetchMe(["https://a"], "a b", { token: "t" }, { fetch }), { ...known, you });
  await fetchMe(["https://a"], "town", { as: "ada b" }, { fetch });
  assert.deepEqual(requests, ["GET https://a/v1/rooms/a%20b/me Bearer t", "GET https://a/v1/rooms/town/me?as=ada+b"]);
  assert.deepEqual(parseRoomState({ ...state, you: { role: "listener", muted: "by the moon" } }).you, least);
  assert.equal("you" in parseRoomState(state), false);
  for (const wrong of [null, [], 3, {}, { ...you, role: 3 }, { ...you, place: -1 }, { ...you, hand: "1" }, { ...you, removed: 1.5 }, { ...you, voice: "x".repeat(501) }]) {
    assert.throws(() => parseRoomState({ ...state, you: wrong }), (e: Failure) => e.kind === "protocol", JSON.stringify(wrong));
  }
  const banned = asked(() => json({ error: { code: "banned", message: "banned from this room" } }, 403));
  await assert.rejects(fetchMe(["https://a"], "town", {}, banned), (e: CommandError) => e.code === "banned");
});

test("a room's state", () => {
  assert.deepEqual(parseRoomState({ ...state, starts: "2026-03-01T12:00:00Z", more: "is skipped" }), { ...known, startsMs: Date.UTC(2026, 2, 1, 12) });
  assert.deepEqual(parseRoomState({ room: "town", state: "live" }), { room: "town", state: "live", version: 0, stage: [], hands: 0 });
  assert.equal(parseRoomState({ ...state, starts: "tomorrow" }).startsMs, undefined);
  for (const wrong of [null, [], {}, { ...state, version: -1 }, { ...state, stage: {} }, { ...state, stage: [{ name: 1 }] }, { ...state, hands: "2" }]) {
    assert.throws(() => parseRoomState(wrong), (e: Failure) => e.kind === "protocol");
  }
});

test("why a relay shows somebody out, whatever the room is called", () => {
  for (const [said, kind] of [
    ['room "town": removed by its hosts', "removed"], ['room "town": banned from this room', "banned"], ['room "town": the room has ended', "ended"],
    ['room "banned from this room": the token has expired', "unauthorized"], ["", "unauthorized"],
  ] as const) {
    assert.equal(kindOfRefusal(said), kind);
    assert.equal(failureOf(new ClosedError(ResetCode.Unauthorized, said, true), "relay-a").kind, kind);
  }
});

test("what relays say of the room reaches the page, the newest once", () =>
  inWorld(2, async (w) => {
    w.speak("ada");
    w.room = state;
    const l = w.listen();
    const told: number[] = [];
    l.on("room", ({ version }) => told.push(version));
    void l.start();
    await w.run(4000);
    assert.deepEqual([told, l.room], [[7], known]);
    w.room = { ...state, version: 8, hands: 3 };
    await w.run(100);
    w.relays[0]!.dead = true; // the other says the same
    await w.run(2000);
    w.room = { ...state, version: 6 };
    await w.run(100);
    assert.deepEqual([told, l.room?.hands, l.stats().relay], [[7, 8], 3, "relay-b"]);
    await l.stop();
  }));

test("a talker hears of the room, too, and is shown out", () =>
  inWorld(2, async (w) => {
    w.room = state;
    const t = w.talk();
    const told: number[] = [];
    t.on("room", ({ version }) => told.push(version));
    void t.start();
    await w.run(3000);
    assert.deepEqual([t.state, told[0], t.lobbies.length], ["live", 7, 2]);
    for (const r of w.relays) r.close(ResetCode.Unauthorized, 'room "town": removed by its hosts');
    await w.run(1000);
    assert.deepEqual([t.state, t.failure?.kind], ["failed", "removed"]);
  }));

const out = { removed: 'room "town": removed by its hosts', banned: 'room "town": banned from this room', ended: 'room "town": the room has ended' } as const;

for (const [kind, said] of Object.entries(out)) {
  test(`${kind}: a session that ends without a word is asked about before another is dialled`, () =>
    inWorld(2, async (w) => {
      w.speak("ada");
      w.room = { ...state, you: least };
      const l = w.listen({ token: "e30.e30.x" });
      const started = l.start();
      await w.run(4000);
      await settled(started);
      const dials = w.dials.length;
      w.refuses = said;
      for (const r of w.relays) r.lose();
      await w.run(2000);
      assert.deepEqual([l.state, l.failure?.kind, w.dials.length], ["failed", kind, dials]);
      assert.ok(w.questions.includes("/town?jwt=e30.e30.x&removed=0"), "says how often that had been before");
    }));
}

test("a session that was lost for another reason is dialled again", () =>
  inWorld(1, async (w) => {
    w.speak("ada");
    w.room = { ...state, you: least };
    const l = w.listen({ token: "e30.e30.x" });
    void l.start();
    await w.run(4000);
    w.relays[0]!.lose();
    await w.run(4000);
    assert.equal(l.state, "playing");
    // Nobody says why: it is not waited for without end.
    w.route = () => new Promise<Response>(() => {}) as unknown as Response;
    w.relays[0]!.lose();
    await w.run(4000);
    assert.equal(l.state, "playing");
    await l.stop();
  }));

test("what the room says of somebody ends it before the session does", () =>
  inWorld(2, async (w) => {
    const tell = async (change: object, begin: object = {}): Promise<string | undefined> => {
      w.room = { ...state, you: { ...least, ...begin } };
      const t = w.talk({ token: "e30.e30.x" });
      void t.start().catch(() => undefined);
      await w.run(3000);
      assert.equal(t.state, "live");
      w.room = { ...state, version: 8, you: { ...least, ...begin, ...change } };
      await w.run(1000);
      const { failure } = t;
      const stopped = t.stop();
      await w.run(1000);
      await stopped;
      return failure?.kind;
    };
    assert.equal(await tell({ removed: 1 }), "removed");
    assert.equal(await tell({ removed: 2 }, { removed: 1 }), "removed");
    assert.equal(await tell({ role: "speaker" }, { removed: 1 }), undefined, "was removed before, and came back");
    assert.equal(await tell({ banned: true, removed: 1 }), "banned");
  }));
