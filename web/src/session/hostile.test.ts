import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import {
  AnnounceOk,
  appendFrame,
  BidiStreamType,
  encodeDatagram,
  type Frame,
  opening,
  ProtocolError,
  Reader,
  ResetCode,
  Setup,
  UniStreamType,
  Writer,
} from "../protocol";
import { StreamError, TimeoutError } from "./errors";
import { groupOpening, type GroupReader } from "./group";
import { type MemoryConnection, memoryPair } from "./memory";
import { Session, type SessionOptions } from "./session";
import type { Sink, Subscription } from "./subscription";

const audio = { broadcast: "ada", track: "audio/data", priority: 80, ordered: false, maxLatencyMs: 0 };

/** A session, and the bare other end of its connection. */
function attacked(options: SessionOptions = {}): { session: Session; peer: MemoryConnection } {
  const [a, peer] = memoryPair();
  return { session: new Session(a, options), peer };
}

/** What the session does with a stream of these bytes: the code it stops it with, or undefined if it lets it end. */
async function sendUni(peer: MemoryConnection, bytes: Uint8Array, fin = true): Promise<number | undefined> {
  const stream = await peer.openUni();
  await stream.write(bytes);
  if (fin) await stream.close();
  return stopCode(stream);
}

/** The code that a stream was stopped with, once the session has dealt with it. */
async function stopCode(stream: { write(b: Uint8Array): Promise<void> }): Promise<number | undefined> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  try {
    await stream.write(Uint8Array.of(0));
    return undefined;
  } catch (e) {
    return e instanceof StreamError ? e.code : undefined;
  }
}

/** How the session answers a request of these bytes: the code it resets it with. */
async function ask(peer: MemoryConnection, bytes: Uint8Array, fin = true): Promise<number | undefined> {
  const { send, receive } = await peer.openBidi();
  await send.write(bytes);
  if (fin) await send.close();
  try {
    while ((await receive.read()) !== undefined);
    return undefined;
  } catch (e) {
    assert.ok(e instanceof StreamError, String(e));
    return e.code;
  }
}

interface Got extends Sink {
  frames: [sequence: number, frame: Frame | undefined][];
  errors: unknown[];
}

function sink(): Got {
  const got: Got = {
    frames: [],
    errors: [],
    datagram: (sequence, frame) => got.frames.push([sequence, frame]),
    async group(group: GroupReader) {
      try {
        for (let frame; (frame = await group.next()); ) got.frames.push([group.sequence, frame]);
      } catch (e) {
        got.errors.push(e);
        throw e;
      }
    },
  };
  return got;
}

async function settled(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise(setImmediate);
}

const bytes = (...b: number[]): Uint8Array => Uint8Array.from(b);

describe("unidirectional streams", () => {
  const cases: [name: string, bytes: Uint8Array, code: number][] = [
    ["of a type nobody knows", bytes(0x20, 1, 2, 3), ResetCode.UnexpectedStream],
    ["of a type beyond any number", bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), ResetCode.UnexpectedStream],
    ["a group whose header is too long", bytes(0, 0xc0, 0, 0, 0, 0, 1, 0, 1), ResetCode.Decode],
    ["a group whose header has bytes too many", bytes(0, 3, 0, 0, 0), ResetCode.Decode],
    ["a group of a subscription nobody has", groupOpening({ subscribeId: 9, sequence: 1 }), ResetCode.Cancel],
    ["a group of a subscription beyond any number", groupOpening({ subscribeId: (1n << 62n) - 1n, sequence: 1 }), ResetCode.Cancel],
  ];
  for (const [name, b, want] of cases) {
    test(`${name} are stopped, and the session lives`, async () => {
      const { session, peer } = attacked();
      assert.equal(await sendUni(peer, b, false), want);
      assert.equal(session.signal.aborted, false);
      session.close();
    });
  }

  for (const b of [bytes(), bytes(0), bytes(0, 2), bytes(0, 2, 0), bytes(0x40)]) {
    test(`cut after ${b.length} bytes, they end nothing`, async () => {
      const { session, peer } = attacked();
      await sendUni(peer, b);
      assert.equal(session.signal.aborted, false);
      session.close();
    });
  }

  test("more than may be open are stopped; those that end make room", async () => {
    const { session, peer } = attacked({ maxGroups: 3 });
    const open = await Promise.all([1, 2, 3, 4].map(() => peer.openUni()));
    await open[0]!.write(bytes(0));
    assert.equal(await stopCode(open[3]!), ResetCode.Bounds);
    for (const stream of open.slice(0, 3)) stream.abort(0);
    await settled();
    assert.equal(await sendUni(peer, bytes(0x20), false), ResetCode.UnexpectedStream);
    session.close();
  });

  test("that dribble are stopped in time, and hold up no other", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const { session, peer } = attacked({ requestTimeoutMs: 1000, groupIdleMs: 2000 });
      const got = sink();
      await session.subscribe(audio, got);
      const [mute, half, idle] = [await peer.openUni(), await peer.openUni(), await peer.openUni()];
      await half.write(bytes(0, 2));
      await idle.write(groupOpening({ subscribeId: 0, sequence: 1 }));
      await sendUni(peer, groupOpening({ subscribeId: 0, sequence: 2 }, { timestamp: 5, payload: bytes(1) }));
      await settled();
      assert.deepEqual(got.frames, [[2, { timestamp: 5, payload: bytes(1) }]]);
      mock.timers.tick(1000);
      assert.deepEqual([await stopCode(mute), await stopCode(half)], [ResetCode.Timeout, ResetCode.Timeout]);
      mock.timers.tick(1000);
      assert.equal(await stopCode(idle), ResetCode.Timeout);
      assert.ok(got.errors[0] instanceof TimeoutError);
      session.close();
    } finally {
      mock.timers.reset();
    }
  });
});

describe("SETUP", () => {
  const bad: [name: string, bytes: Uint8Array][] = [
    ["malformed", bytes(1, 1, 1)],
    ["cut", bytes(1, 4, 1)],
    ["empty", bytes(1)],
    ["too long", bytes(1, 0x80, 1, 0, 1)],
  ];
  for (const [name, b] of bad) {
    test(`${name} closes the session`, async () => {
      const { session, peer } = attacked();
      await sendUni(peer, b);
      const closed = await peer.closed;
      assert.equal(closed.code, ResetCode.Decode);
      assert.match(closed.reason, /^SETUP: /);
      await assert.rejects(session.peerSetup);
    });
  }

  test("a second one is ignored, even a malformed-looking tail of the first", async () => {
    const { session, peer } = attacked();
    await sendUni(peer, Uint8Array.of(...opening(UniStreamType.Setup, Setup, { load: 1 }), 9, 9));
    await sendUni(peer, opening(UniStreamType.Setup, Setup, { load: 2 }));
    assert.deepEqual(await session.peerSetup, { load: 1 });
    assert.equal(session.signal.aborted, false);
    session.close();
  });
});

describe("requests", () => {
  const cases: [name: string, bytes: Uint8Array, code: number][] = [
    ["of a type nobody knows", bytes(9), ResetCode.UnexpectedStream],
    ["of a type beyond any number", bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), ResetCode.UnexpectedStream],
    ["that say nothing", bytes(), ResetCode.UnexpectedStream],
    ["cut after the type", bytes(2), ResetCode.Decode],
    ["cut inside", bytes(2, 20, 0), ResetCode.Decode],
    ["TRACK with bytes too many", bytes(6, 5, 1, 0x62, 1, 0x74, 0), ResetCode.Decode],
    ["FETCH of a group beyond any number", bytes(3, 11, 0, 0, 0, 0xc0, 0x20, 0, 0, 0, 0, 0, 0), ResetCode.Decode],
    ["PROBE, which was not declared", bytes(4), ResetCode.Unsupported],
    ["ANNOUNCE with more behind it", bytes(1, 2, 0, 0, 5), ResetCode.UnexpectedMessage],
    ["a path of 33 segments", bytes(1, 0x40, 0x44, 0x40, 65, ...new TextEncoder().encode("a/".repeat(32) + "a"), 0), ResetCode.Decode],
  ];
  for (const [name, b, want] of cases) {
    test(`${name} are reset, and the session lives`, async () => {
      const { session, peer } = attacked();
      assert.equal(await ask(peer, b), want);
      assert.equal(session.signal.aborted, false);
      session.close();
    });
  }

  test("more than may be open are reset", async () => {
    const { session, peer } = attacked({ maxRequests: 2 });
    const request = bytes(1, 2, 0, 0);
    for (let i = 0; i < 2; i++) await (await peer.openBidi()).send.write(request);
    await settled();
    assert.equal(await ask(peer, request, false), ResetCode.Bounds);
    session.close();
  });

  test("that never say what they want time out", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const { session, peer } = attacked({ requestTimeoutMs: 1000 });
      const answers = Promise.all([ask(peer, bytes(), false), ask(peer, bytes(6, 30), false)]);
      await settled();
      mock.timers.tick(1000);
      assert.deepEqual(await answers, [ResetCode.Timeout, ResetCode.Timeout]);
      session.close();
    } finally {
      mock.timers.reset();
    }
  });
});

describe("groups", () => {
  async function subscribed(options: SessionOptions = {}) {
    const { session, peer } = attacked(options);
    const got = sink();
    const subscription = await session.subscribe(audio, got);
    const request = (await peer.acceptBidi())!;
    return { session, peer, got, subscription, request };
  }

  function group(...frames: [timestamp: number, size: number][]): Uint8Array {
    const w = new Writer();
    w.raw(groupOpening({ subscribeId: 0, sequence: 1 }));
    let last = 0;
    for (const [timestamp, size] of frames) {
      appendFrame(w, { timestamp, payload: new Uint8Array(size) }, last);
      last = timestamp;
    }
    return w.bytes();
  }

  test("a frame above the limit stops its stream", async () => {
    const { session, peer, got } = await subscribed({ maxFrame: 100 });
    assert.equal(await sendUni(peer, group([0, 100], [1, 101]), false), ResetCode.FrameTooLarge);
    assert.equal(got.frames.length, 1);
    session.close();
  });

  test("a cut group gives what came before", async () => {
    const { session, peer, got } = await subscribed();
    await sendUni(peer, group([0, 10], [1, 20]).subarray(0, 25));
    assert.equal(got.frames.length, 1);
    assert.ok(got.errors[0] instanceof ProtocolError && got.errors[0].fault === "short");
    session.close();
  });

  test("a reset group throws the code", async () => {
    const { session, peer, got } = await subscribed();
    const stream = await peer.openUni();
    await stream.write(group([0, 10]));
    await settled();
    stream.abort(ResetCode.TooOld);
    await settled();
    assert.equal((got.errors[0] as StreamError).code, ResetCode.TooOld);
    session.close();
  });

  test("datagrams that are malformed or nobody's are dropped without a word", async () => {
    const { session, peer, got, subscription } = await subscribed();
    const good = { subscribeId: 0, sequence: 3, timestamp: 60_000, payload: bytes(1) };
    for (const b of [bytes(), bytes(0), bytes(0, 0x40), encodeDatagram({ ...good, subscribeId: 1 }), encodeDatagram(good)]) {
      peer.datagrams!.write(b);
    }
    await settled();
    assert.deepEqual(got.frames, [[3, { timestamp: 60_000, payload: bytes(1) }]]);
    subscription.close();
    peer.datagrams!.write(encodeDatagram(good));
    await settled();
    assert.equal(got.frames.length, 1);
    session.close();
  });

  test("a sink that throws ends its subscription and no other", async () => {
    const { session, peer, subscription } = await subscribed();
    const other = sink();
    await session.subscribe(audio, other);
    subscription.sink.datagram = () => {
      throw new Error("sunk");
    };
    for (const subscribeId of [0, 1]) peer.datagrams!.write(encodeDatagram({ subscribeId, sequence: 0, timestamp: 0, payload: bytes() }));
    assert.equal((await subscription.ended)?.message, "sunk");
    await settled();
    assert.equal(other.frames.length, 1);
    session.close();
  });

  const answers: [name: string, bytes: Uint8Array][] = [
    ["of a type nobody knows", bytes(3, 1, 0)],
    ["with bytes too many", bytes(0, 2, 0, 0)],
    ["beyond any number", bytes(0, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ];
  for (const [name, b] of answers) {
    test(`an answer ${name} ends the subscription`, async () => {
      const { session, request, subscription } = await subscribed();
      await request.send.write(b);
      const cause = await subscription.ended;
      assert.ok(cause instanceof ProtocolError, String(cause));
      await settled();
      await assert.rejects(request.send.write(b), (e) => (e as StreamError).code === ResetCode.Decode);
      session.close();
    });
  }

  test("groups still come for a second after the FIN", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const { session, peer, got, request, subscription } = await subscribed();
      let over = false;
      const ended = (subscription as Subscription).ended.then((e) => [(over = true), e]);
      await request.send.write(bytes(1, 1, 2));
      await request.send.close();
      await settled();
      mock.timers.tick(999);
      await sendUni(peer, group([0, 10]));
      assert.deepEqual([got.frames.length, over], [1, false]);
      mock.timers.tick(1);
      assert.deepEqual(await ended, [true, undefined]);
      await sendUni(peer, group([0, 10]));
      assert.equal(got.frames.length, 1);
      session.close();
    } finally {
      mock.timers.reset();
    }
  });
});

describe("answers", () => {
  test("an endless FETCH is cut at the limit", async () => {
    for (const size of [0, 500]) {
      const { session, peer } = attacked({ maxFrame: 1000 });
      const asked = session.fetch({ broadcast: "a", track: "b", priority: 0, group: 0 });
      const { send } = (await peer.acceptBidi())!;
      const w = new Writer();
      appendFrame(w, { timestamp: 0, payload: new Uint8Array(size) }, 0);
      const pour = async (): Promise<never> => {
        for (;;) await send.write(w.bytes());
      };
      await assert.rejects(Promise.race([asked, pour()]), (e) => e instanceof ProtocolError && e.code === ResetCode.Bounds);
      await assert.rejects(pour(), (e) => (e as StreamError).code === ResetCode.Bounds);
      session.close();
    }
  });

  test("no answer at all is an error", async () => {
    const { session, peer } = attacked();
    const asked = session.trackInfo("a", "b");
    await (await peer.acceptBidi())!.send.close();
    await assert.rejects(asked, ProtocolError);
    session.close();
  });

  const bad: [name: string, bytes: Uint8Array][] = [
    ["an announcement before ANNOUNCE_OK", bytes(3, 1, 0, 0)],
    ["a status nobody knows", Uint8Array.of(...AnnounceOk.encode({ hopId: 5, active: 1 }), 3, 7, 0, 0)],
    ["33 hops", Uint8Array.of(...AnnounceOk.encode({ hopId: 5, active: 1 }), 36, 1, 0, 33, ...Array<number>(33).fill(1))],
    ["a cut one", Uint8Array.of(...AnnounceOk.encode({ hopId: 5, active: 1 }), 3, 1)],
  ];
  for (const [name, b] of bad) {
    test(`announcements: ${name}`, async () => {
      const { session, peer } = attacked();
      const announced = await session.announced("");
      const { send } = (await peer.acceptBidi())!;
      await send.write(b);
      await send.close();
      await assert.rejects(announced.next(), ProtocolError);
      session.close();
    });
  }

  test("announcements that are reset throw the code", async () => {
    const { session, peer } = attacked();
    const announced = await session.announced("");
    const { send } = (await peer.acceptBidi())!;
    send.abort(ResetCode.Unauthorized);
    await assert.rejects(announced.next(), (e) => (e as StreamError).code === ResetCode.Unauthorized);
    session.close();
  });
});

test("a peer that never stops sending holds nothing up", async () => {
  const { session, peer } = attacked({ maxGroups: 8 });
  let pouring = true;
  const pour = async (): Promise<void> => {
    while (pouring) {
      const stream = await peer.openUni().catch(() => undefined);
      if (stream === undefined) return;
      void stream.write(new Uint8Array(100)).catch(() => {});
      peer.datagrams!.write(new Uint8Array(100).fill(0xff));
      await new Promise(setImmediate);
    }
  };
  const poured = pour();
  const asked = session.trackInfo("a", "b");
  const { send, receive } = (await peer.acceptBidi())!;
  assert.equal(await new Reader(receive).streamType(), BidiStreamType.Track);
  await send.write(bytes(4, 0, 0, 0, 1));
  assert.equal((await asked).timescale, 1);
  pouring = false;
  await poured;
  session.close();
});
