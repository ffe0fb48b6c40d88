import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Frame } from "../protocol";
import { hex, sections, unhex } from "../protocol/shared.test";
import type { Stream } from "./connection";
import { type MemoryConnection, memoryPair } from "./memory";
import { aborted, type Publisher } from "./publisher";
import { Session } from "./session";

interface Conversation {
  opener_hex: string;
  acceptor_hex: string;
}

const conversations = new Map(
  sections["conversations"]!.map((v) => [v.id.replace("conversation/", ""), v as unknown as Conversation]),
);

function said(name: string): Conversation {
  const c = conversations.get(name);
  assert.ok(c, name);
  return c;
}

async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise(setImmediate);
}

/** All that has come on a stream so far, in hexadecimal. */
function listen(stream: Stream): { readonly hex: string } {
  const heard = { hex: "" };
  const loop = async (): Promise<void> => {
    for (let b; (b = await stream.receive.read()); ) heard.hex += hex(b);
  };
  loop().catch(() => {});
  return heard;
}

/** The session opens; the other end says the acceptor's bytes. */
async function opens(name: string, act: (session: Session) => Promise<unknown>): Promise<unknown> {
  const { opener_hex, acceptor_hex } = said(name);
  const [end, peer] = memoryPair();
  const session = new Session(end);
  const acted = act(session);
  const stream = (await peer.acceptBidi())!;
  const heard = listen(stream);
  await stream.send.write(unhex(acceptor_hex));
  if (name === "track" || name === "fetch") await stream.send.close();
  const result = await acted;
  await settled();
  assert.equal(heard.hex, opener_hex);
  session.close();
  return result;
}

/** The other end opens with the opener's bytes; the session answers. */
async function accepts(name: string, publisher: Publisher, meanwhile?: (peer: MemoryConnection) => Promise<void>): Promise<void> {
  const { opener_hex, acceptor_hex } = said(name);
  const [end, peer] = memoryPair();
  const goaways: string[] = [];
  const session = new Session(end, { publisher, onGoaway: (uri) => goaways.push(uri), setup: { hopId: 4242424242 } });
  const stream = await peer.openBidi();
  const heard = listen(stream);
  await stream.send.write(unhex(opener_hex));
  await meanwhile?.(peer);
  await settled();
  assert.equal(heard.hex, acceptor_hex);
  if (name === "goaway") assert.deepEqual(goaways, [""]);
  session.close();
}

const nothing: Publisher = {
  announce: () => Promise.reject(new Error("not asked")),
  track: () => Promise.reject(new Error("not asked")),
  subscribe: () => Promise.reject(new Error("not asked")),
  fetch: () => Promise.reject(new Error("not asked")),
};

const wish = { ordered: false, maxLatencyMs: 0 };

describe("conversations of the vectors, as the acceptor", () => {
  test("announce-from-publisher", () =>
    accepts("announce-from-publisher", {
      ...nothing,
      async announce(writer, signal) {
        assert.deepEqual(writer.request, { prefix: "", excludeHop: 7777 });
        await writer.initial([{ active: true, suffix: "alice.hang", hops: [] }]);
        await writer.announce({ active: true, suffix: "bob.hang", hops: [] });
        await writer.announce({ active: false, suffix: "alice.hang", hops: [] });
        await aborted(signal);
      },
    }));

  test("track", () =>
    accepts("track", {
      ...nothing,
      track(request) {
        assert.deepEqual(request, { broadcast: "alice.hang", track: "audio/data" });
        return { priority: 0, ordered: false, maxLatencyMs: 30_000, timescale: 1_000_000 };
      },
    }));

  test("subscribe", () =>
    accepts("subscribe", {
      ...nothing,
      async subscribe(subscriber) {
        assert.equal(subscriber.request.track, "audio/data");
        await subscriber.start(0);
        await subscriber.start(1); // is said once
        await subscriber.end(3);
      },
    }));

  test("fetch", () =>
    accepts("fetch", {
      ...nothing,
      async fetch(request, writer) {
        assert.equal(request.group, 2);
        const frames: Frame[] = [
          { timestamp: 40_000, payload: Uint8Array.of(0xaa) },
          { timestamp: 60_000, payload: Uint8Array.of(0xbb) },
          { timestamp: 50_000, payload: Uint8Array.of() },
        ];
        for (const frame of frames) await writer.write(frame);
      },
    }));

  test("goaway", () => accepts("goaway", nothing));
});

describe("conversations of the vectors, as the opener", () => {
  test("announce-from-viewer", async () => {
    // The viewer's own hop id is 4242424242, the relay's 7777.
    const first = await opens("announce-from-viewer", async (session) => {
      const announced = await session.announced("room/alice.hang", { exclude: 4242424242 });
      return announced.next();
    });
    assert.deepEqual(first, { active: true, suffix: "", hops: [9, 7777] });
  });

  test("track", async () => {
    const info = await opens("track", (session) => session.trackInfo("alice.hang", "audio/data"));
    assert.deepEqual(info, { priority: 0, ordered: false, maxLatencyMs: 30_000, timescale: 1_000_000 });
  });

  test("fetch", async () => {
    const frames = await opens("fetch", (session) =>
      session.fetch({ broadcast: "alice.hang", track: "audio/data", priority: 80, group: 2 }),
    );
    assert.deepEqual((frames as Frame[]).map((f) => [f.timestamp, hex(f.payload)]).slice(0, 2), [[40_000, "aa"], [60_000, "bb"]]);
  });

  test("subscribe-from-viewer", async () => {
    const starts: number[] = [];
    await opens("subscribe-from-viewer", async (session) => {
      const subscription = await session.subscribe(
        { broadcast: "room/alice.hang", track: "audio/data", priority: 80, ...wish },
        { datagram() {}, async group() {}, start: (group) => starts.push(group) },
      );
      await subscription.update({ priority: 81, ordered: false, maxLatencyMs: 200 });
    });
    assert.deepEqual(starts, [5]);
  });

  test("probe", async () => {
    const { opener_hex, acceptor_hex } = said("probe");
    const [end, peer] = memoryPair();
    const session = new Session(end);
    await (await peer.openUni()).write(unhex("010401010101")); // SETUP: it reports
    const report = session.probe().next();
    const stream = (await peer.acceptBidi())!;
    const heard = listen(stream);
    await stream.send.write(unhex(acceptor_hex));
    assert.deepEqual((await report).value, { bitrate: 1_500_000, rttMs: 23 });
    assert.equal(heard.hex, opener_hex);
    session.close();
  });

  test("goaway", async () => void (await opens("goaway", (session) => session.goaway(""))));
});

test("every conversation is had", () => {
  const had = ["announce-from-publisher", "track", "subscribe", "fetch", "goaway", "announce-from-viewer", "subscribe-from-viewer", "probe"];
  assert.deepEqual([...conversations.keys()].sort(), had.sort());
});
