import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import {
  BidiStreamType,
  type Frame,
  GroupHeader,
  opening,
  parseCatalog,
  ProbeLevel,
  Reader,
  readFrame,
  ResetCode,
  Role,
  Setup,
  Subscribe,
  UniStreamType,
  voiceCatalog,
} from "../protocol";
import { Broadcast, maxPacket } from "./broadcast";
import { ClosedError, StreamError, TimeoutError } from "./errors";
import type { GroupReader } from "./group";
import { type MemoryOptions, memoryPair } from "./memory";
import { type SessionOptions, Session as TestedSession } from "./session";
import type { Sink } from "./subscription";

const wish = { priority: 80, ordered: false, maxLatencyMs: 0 };
const audio = { broadcast: "ada", track: "audio/data", ...wish };
const packet = (i: number): Uint8Array => Uint8Array.of(0xf8, i & 0xff, i >> 8);

const running = new Set<Session>();
afterEach(() => {
  for (const session of running) session.close();
  running.clear();
});

/** A session that ends with its test. */
class Session extends TestedSession {
  constructor(...args: ConstructorParameters<typeof TestedSession>) {
    super(...args);
    running.add(this);
  }
}

/** A listener and a speaker, who publishes "ada", with one connection between them. */
function pair(
  memory: MemoryOptions = {},
  listening: SessionOptions = {},
  speaking: SessionOptions = {},
): { listener: Session; speaker: Session; ada: Broadcast } {
  const [a, b] = memoryPair(memory);
  const ada = new Broadcast(77, voiceCatalog(32000));
  const speaker = new Session(b, { publisher: ada.at("ada"), ...speaking, setup: { hopId: 77, ...speaking.setup } });
  return { listener: new Session(a, listening), speaker, ada };
}

/** A sink that keeps all it gets, and lets a test wait for so many groups. */
class Kept implements Sink {
  readonly got = new Map<number, Frame>();
  readonly marks: string[] = [];
  datagrams = 0;
  private waiting: { count: number; tell: () => void }[] = [];

  datagram(sequence: number, frame: Frame): void {
    this.datagrams++;
    this.keep(sequence, frame);
  }

  async group(group: GroupReader): Promise<void> {
    for (let frame; (frame = await group.next()); ) this.keep(group.sequence, frame);
  }

  start(group: number): void {
    this.marks.push(`start ${group}`);
  }

  end(group: number): void {
    this.marks.push(`end ${group}`);
  }

  async has(count: number): Promise<number[]> {
    if (this.got.size < count) await new Promise<void>((tell) => this.waiting.push({ count, tell }));
    return [...this.got.keys()];
  }

  private keep(sequence: number, frame: Frame): void {
    this.got.set(sequence, frame);
    for (const w of this.waiting) if (this.got.size >= w.count) w.tell();
  }
}

const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);
const code = (want: number) => (e: unknown) => e instanceof StreamError && e.code === want;

describe("two sessions", () => {
  test("exchange SETUP", async () => {
    const { listener, speaker } = pair({}, { setup: { role: Role.Subscriber, hopId: 5 } });
    assert.deepEqual(await speaker.peerSetup, { role: Role.Subscriber, hopId: 5, datagrams: true, goaway: true });
    assert.deepEqual(await listener.peerSetup, { hopId: 77, datagrams: true, goaway: true });
    assert.deepEqual(listener.peer, await listener.peerSetup);
  });

  test("without datagrams none are declared", async () => {
    const { speaker } = pair({ datagrams: false });
    assert.deepEqual(await speaker.peerSetup, { goaway: true });
  });

  for (const memory of [{}, { chunk: 1 }, { datagrams: false }, { datagrams: false, chunk: 3 }]) {
    test(`announce, describe and carry a voice: ${JSON.stringify(memory)}`, async () => {
      const { listener, ada } = pair(memory);
      const announced = await listener.announced("");
      assert.equal(await announced.initial(), 1);
      assert.deepEqual(await announced.next(), { active: true, suffix: "ada", hops: [77] });
      assert.equal((await listener.trackInfo("ada", "audio/data")).timescale, 1_000_000);

      const catalog = new Kept();
      await listener.subscribe({ ...audio, track: "catalog.json" }, catalog);
      await catalog.has(1);
      assert.deepEqual(parseCatalog(catalog.got.get(0)!.payload), voiceCatalog(32000));

      const kept = new Kept();
      const subscription = await listener.subscribe(audio, kept);
      for (let i = 0; i < 20; i++) {
        ada.add(i * 20_000, packet(i));
        assert.deepEqual(await kept.has(i + 1), from(0, i + 1));
      }
      assert.equal(kept.datagrams, memory.datagrams === false ? 0 : 20);
      assert.equal(kept.got.get(7)!.timestamp, 140_000);
      assert.deepEqual((await listener.fetch({ broadcast: "ada", track: "audio/data", priority: 0, group: 7 }))[0], kept.got.get(7));

      ada.end();
      assert.equal(await subscription.ended, undefined);
      assert.deepEqual(kept.marks, ["start 0", "end 20"]);
      assert.deepEqual(await announced.next(), { active: false, suffix: "ada", hops: [] });
      announced.close();
      assert.equal(await announced.next(), undefined);
      listener.close();
    });
  }

  test("a latecomer begins with the newest, and a resumed subscription where it wants to", async () => {
    const { listener, ada } = pair();
    for (let i = 0; i < 300; i++) ada.add(i * 20_000, packet(i));
    const late = new Kept();
    await listener.subscribe(audio, late);
    assert.deepEqual(await late.has(1), [299]);
    const resumed = new Kept();
    await listener.subscribe({ ...audio, start: 200 }, resumed);
    assert.deepEqual((await resumed.has(100)).sort(), from(200, 100));
    assert.equal(resumed.datagrams, 16); // what is old must not get lost again
    const long = new Kept();
    await listener.subscribe({ ...audio, start: 0 }, long);
    assert.deepEqual((await long.has(256)).sort((x, y) => x - y), from(44, 256)); // as far back as is held
  });

  test("an end holds back, and an update lets go", async () => {
    const { listener, ada } = pair();
    for (let i = 0; i < 10; i++) ada.add(i * 20_000, packet(i));
    const kept = new Kept();
    const subscription = await listener.subscribe({ ...audio, start: 2, end: 4 }, kept);
    await kept.has(3);
    await subscription.update({ ...wish, start: 7, end: 8 });
    assert.deepEqual(await kept.has(5), [2, 3, 4, 7, 8]);
    await subscription.update({ ...wish, start: 0 }); // a start only raises the floor
    assert.deepEqual(await kept.has(6), [2, 3, 4, 7, 8, 9]);
  });

  test("close ends a subscription and nothing else", async () => {
    const { listener, ada } = pair();
    const [one, two] = [new Kept(), new Kept()];
    const first = await listener.subscribe(audio, one);
    await listener.subscribe(audio, two);
    ada.add(0, packet(0));
    await Promise.all([one.has(1), two.has(1)]);
    first.close();
    assert.equal((await first.ended)?.name, "AbortError");
    ada.add(20_000, packet(1));
    await two.has(2);
    assert.equal(one.got.size, 1);
    first.close(); // again does nothing
  });

  test("refuse what is not there, with the code that says so", async () => {
    const { listener, ada } = pair();
    ada.add(0, packet(0));
    await assert.rejects(listener.trackInfo("bob", "audio/data"), code(ResetCode.NotFound));
    await assert.rejects(listener.trackInfo("ada", "video"), code(ResetCode.NotFound));
    const subscription = await listener.subscribe({ ...audio, track: "audio/60ms" }, new Kept());
    assert.ok(code(ResetCode.NotFound)(await subscription.ended));
    const ask = (group: number, track = "audio/data") => listener.fetch({ broadcast: "ada", track, priority: 0, group });
    await assert.rejects(ask(100), code(ResetCode.NotFound));
    await assert.rejects(ask(1, "catalog.json"), code(ResetCode.NotFound));
    for (let i = 1; i < 300; i++) ada.add(i * 20_000, packet(i));
    await assert.rejects(ask(0), code(ResetCode.TooOld));
    const soon = ask(310);
    for (let i = 300; i < 320; i++) ada.add(i * 20_000, packet(i));
    assert.equal((await soon)[0]!.timestamp, 310 * 20_000);
  });

  test("who only listens refuses to publish, and announces nothing", async () => {
    const { speaker } = pair();
    await assert.rejects(speaker.trackInfo("x", "y"), code(ResetCode.RoleViolated));
    const announced = await speaker.announced("");
    assert.equal(await announced.initial(), 0);
  });

  test("leave out what the asker has published itself", async () => {
    const { listener } = pair();
    assert.equal(await (await listener.announced("", { exclude: 77 })).initial(), 0);
    assert.equal(await (await listener.announced("bob")).initial(), 0);
    const exact = await listener.announced("ada");
    assert.deepEqual(await exact.next(), { active: true, suffix: "", hops: [77] });
  });

  test("ask each other to leave", async () => {
    const uris: string[] = [];
    const { speaker, listener } = pair({}, { onGoaway: (uri) => uris.push(uri) });
    await speaker.goaway("https://b.example/room");
    await speaker.goaway("");
    while (uris.length < 2) await new Promise(setImmediate);
    assert.deepEqual(uris, ["https://b.example/room", ""]);
    listener.close();
  });

  test("report the path where that was declared", async () => {
    const { listener, speaker } = pair({}, {}, { setup: { probe: ProbeLevel.Report } });
    Object.assign(speaker.connection, { stats: async () => ({ rttMs: 23.4, sendRate: 0 }) });
    for await (const report of listener.probe()) {
      assert.deepEqual(report, { bitrate: 1, rttMs: 23 }); // a measured 0 is written as 1
      break;
    }
    for await (const report of speaker.probe()) assert.fail(JSON.stringify(report)); // none declared
    listener.close();
  });

  test("a listener that does not read loses the oldest, and the speaker does not wait", async () => {
    const [peer, end] = memoryPair({ datagrams: false, window: 1 });
    const ada = new Broadcast(77, voiceCatalog(32000));
    new Session(end, { publisher: ada.at("ada") });
    await (await peer.openUni()).write(opening(UniStreamType.Setup, Setup, {}));
    await peer.acceptUni(); // its SETUP
    const request = await peer.openBidi();
    await request.send.write(opening(BidiStreamType.Subscribe, Subscribe, { id: 0, ...audio }));
    void request.receive.read(); // START
    for (let i = 0; i < 200; i++) {
      ada.add(i * 20_000, packet(i));
      await new Promise(setImmediate);
    }
    // The first was on its way all the time; of the others the last second is left.
    for (const want of [0, ...from(150, 50)]) {
      const reader = new Reader((await peer.acceptUni())!);
      assert.equal(await reader.streamType(), UniStreamType.Group);
      assert.deepEqual(await GroupHeader.read(reader), { subscribeId: 0, sequence: want });
      assert.equal((await readFrame(reader, 0))?.timestamp, want * 20_000);
    }
    assert.equal(ada.dropped, 149);
    peer.close(0);
  });
});

test("a broadcast takes no packet that relays refuse", () => {
  const ada = new Broadcast(77, voiceCatalog(32000));
  assert.equal(ada.add(0, new Uint8Array(maxPacket)), 0);
  for (const size of [0, maxPacket + 1]) assert.throws(() => ada.add(20_000, new Uint8Array(size)), RangeError);
  assert.equal(ada.next, 1);
  ada.end();
  assert.throws(() => ada.add(20_000, packet(1)), /ended/);
});

describe("when the session ends", () => {
  /** Starts everything that can wait, on a session whose peer never answers. */
  async function pending(session: Session): Promise<Record<string, Promise<unknown>>> {
    const subscription = await session.subscribe(audio, new Kept());
    const announced = await session.announced("");
    const all = {
      setup: session.peerSetup,
      track: session.trackInfo("a", "b"),
      fetch: session.fetch({ broadcast: "a", track: "b", priority: 0, group: 0 }),
      next: announced.next(),
      initial: (await session.announced("")).initial(),
      probe: session.probe().next(),
      ended: subscription.ended.then((e) => Promise.reject(e)),
    };
    for (const p of Object.values(all)) p.catch(() => {});
    return all;
  }

  const ends = {
    "it is closed here": (session: Session) => session.close(ResetCode.Closed, "bye"),
    "the peer closes it": (_: Session, peer: { close(code: number, reason: string): void }) => peer.close(25, "bye"),
    "the network is lost": (_: Session, peer: { lose(): void }) => peer.lose(),
  };
  for (const [name, end] of Object.entries(ends)) {
    test(`everything settles: ${name}`, async () => {
      const [a, b] = memoryPair();
      const session = new Session(a, {});
      const all = await pending(session);
      end(session, b);
      const cause = await session.closed;
      for (const [what, p] of Object.entries(all)) await assert.rejects(p, (e) => e === cause, what);
      assert.equal(session.signal.reason, cause);
      // And what is asked afterwards.
      await assert.rejects(session.trackInfo("a", "b"), cause);
      await assert.rejects(session.subscribe(audio, new Kept()), cause);
      await assert.rejects(session.announced(""), cause);
      await assert.rejects(session.goaway(""), cause);
      await assert.rejects(session.peerSetup, cause);
    });
  }

  test("the cause says who, why and which code", async () => {
    const [a, b] = memoryPair();
    const [here, there] = [new Session(a), new Session(b)];
    here.close(ResetCode.Unauthorized, "no");
    const [mine, theirs] = await Promise.all([here.closed, there.closed]);
    assert.deepEqual([mine.code, mine.reason, mine.remote], [6, "no", false]);
    assert.deepEqual([theirs.code, theirs.reason, theirs.remote], [6, "no", true]);
    assert.equal(theirs.message, "session closed by the peer: no (unauthorized)");
    const [c, d] = memoryPair();
    const lost = new Session(c).closed;
    d.lose();
    assert.equal((await lost).code, undefined);
    assert.ok((await lost) instanceof ClosedError);
  });

  test("publishers are told", async () => {
    const { listener, speaker, ada } = pair();
    const kept = new Kept();
    await listener.subscribe(audio, kept);
    ada.add(0, packet(0));
    await kept.has(1);
    listener.close();
    await speaker.closed;
    ada.add(20_000, packet(1)); // to nobody
    while ((ada as unknown as { serving: number }).serving > 0) await new Promise(setImmediate);
  });

  test("a signal ends it", async () => {
    const abort = new AbortController();
    const [a] = memoryPair();
    const session = new Session(a, { signal: abort.signal });
    abort.abort();
    assert.equal((await session.closed).remote, false);
    assert.equal((await new Session(memoryPair()[0], { signal: abort.signal }).closed).remote, false);
  });
});

describe("signals", () => {
  const silent = (): Session => new Session(memoryPair()[0], { requestTimeoutMs: 20 });

  test("withdraw what waits", async () => {
    const abort = new AbortController();
    const session = new Session(memoryPair()[0]);
    const { signal } = abort;
    const announced = await session.announced("", { signal });
    const subscription = await session.subscribe(audio, new Kept(), signal);
    const all = [
      session.trackInfo("a", "b", signal),
      session.fetch({ broadcast: "a", track: "b", priority: 0, group: 0 }, signal),
      announced.next(),
      subscription.ended.then((e) => Promise.reject(e)),
    ];
    abort.abort(new Error("enough"));
    for (const p of all) await assert.rejects(p, /enough/);
    await assert.rejects(session.announced("", { signal }), /enough/);
    await assert.rejects(session.subscribe(audio, new Kept(), signal), /enough/);
    assert.equal(session.signal.aborted, false);
  });

  test("answers that do not come time out", async () => {
    const session = silent();
    await assert.rejects(session.trackInfo("a", "b"), TimeoutError);
    await assert.rejects(session.fetch({ broadcast: "a", track: "b", priority: 0, group: 0 }), TimeoutError);
  });
});
