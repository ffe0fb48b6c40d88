import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import {
  Announce,
  appendFrame,
  encodeDatagram,
  type Frame,
  Goaway,
  Limit,
  parseDatagram,
  parsePath,
  ProtocolError,
  Reader,
  readFrame,
  ResetCode,
  Setup,
  SubscribeResponse,
  Writer,
} from ".";
import { codecs, dripping, hex, unhex } from "./shared.test";

const malformed = (e: unknown): boolean => e instanceof ProtocolError && e.fault === "malformed";
const tooLong = (e: unknown): boolean => malformed(e) && /too long/.test((e as Error).message);

function varint(v: number | bigint): Uint8Array {
  const w = new Writer();
  w.varint(v);
  return w.bytes();
}

describe("limits (docs/wire.md, section 15), just kept and just broken", () => {
  test("a message of 64 KiB", async () => {
    const m = { uri: "u".repeat(Limit.message - 4) }; // its own length takes four bytes
    const wire = Goaway.encode(m);
    assert.deepEqual(Goaway.parse(wire), { message: m, size: wire.length });
    assert.deepEqual(await Goaway.read(dripping(wire)), m);
  });

  test("a longer message is refused by its length alone", async () => {
    for (const length of [Limit.message + 1, (1n << 62n) - 1n]) {
      for (const [name, { codec }] of Object.entries(codecs)) {
        const typed = codec === (SubscribeResponse as unknown);
        const b = Uint8Array.of(...(typed ? [0] : []), ...varint(length));
        assert.throws(() => codec.parse(b), tooLong, name);
        await assert.rejects(codec.read(dripping(b)), tooLong, name);
      }
    }
  });

  test("a frame of 16 MiB, and one byte more", async () => {
    const w = new Writer();
    appendFrame(w, { timestamp: 0, payload: new Uint8Array(Limit.frame).fill(7) }, 0);
    const frame = await readFrame(dripping(w.bytes(), 1 << 20), 0);
    assert.equal(frame?.payload.length, Limit.frame);
    assert.ok(frame.payload.every((b) => b === 7));
    for (const size of [Limit.frame + 1, (1n << 62n) - 1n]) {
      const b = Uint8Array.of(0, ...varint(size));
      await assert.rejects(readFrame(dripping(b), 0), (e) => tooLong(e) && (e as ProtocolError).code === ResetCode.FrameTooLarge);
    }
    await assert.rejects(readFrame(dripping(Uint8Array.of(0, 3, 1, 1, 1)), 0, 2), tooLong);
  });

  test("a frame that claims 16 MiB and brings 100 bytes is short", async () => {
    const b = Uint8Array.of(0, ...varint(Limit.frame), ...new Uint8Array(100));
    await assert.rejects(readFrame(dripping(b), 0), (e) => e instanceof ProtocolError && e.fault === "short");
  });

  test("hops, segments and parameters", () => {
    const hops = (n: number) => Announce.encode({ active: true, suffix: "a", hops: Array<number>(n).fill(1) });
    assert.equal(Announce.parse(hops(32)).message.hops.length, 32);
    assert.throws(() => Announce.parse(hops(33)), malformed);
    assert.equal(parsePath(Array(32).fill("a").join("/")).length, 63);
    assert.throws(() => parsePath(Array(33).fill("a").join("/")), malformed);
    const parameters = (n: number): Uint8Array => {
      const w = new Writer();
      w.body((w) => {
        w.varint(n);
        for (let i = 0; i < n; i++) {
          w.varint(1000 + i);
          w.varint(0);
        }
      });
      return w.bytes();
    };
    assert.deepEqual(Setup.parse(parameters(64)).message, {});
    assert.throws(() => Setup.parse(parameters(65)), malformed);
  });

  test("timestamps", async () => {
    const last = Number.MAX_SAFE_INTEGER;
    assert.equal(parseDatagram(encodeDatagram({ subscribeId: 1, sequence: 2, timestamp: last, payload: new Uint8Array() })).timestamp, last);
    const w = new Writer();
    appendFrame(w, { timestamp: last, payload: Uint8Array.of(1) }, 0);
    appendFrame(w, { timestamp: 0, payload: Uint8Array.of(2) }, last);
    const r = dripping(w.bytes());
    assert.equal((await readFrame(r, 0))?.timestamp, last);
    assert.equal((await readFrame(r, last))?.timestamp, 0);
    const beyond = Uint8Array.of(...varint(2), 0); // +1 on top of the last
    await assert.rejects(readFrame(dripping(beyond), last), malformed);
  });

  test("sequences up to 2^53-1, which is one more on the wire", () => {
    const m = { id: 0, broadcast: "a", track: "t", priority: 0, ordered: false, maxLatencyMs: 0, start: Number.MAX_SAFE_INTEGER, end: 0 };
    const { codec } = codecs["SUBSCRIBE"]!;
    assert.deepEqual(codec.parse(codec.encode(m)).message, m);
  });
});

test("an error says what, where and which reset", () => {
  try {
    codecs["SUBSCRIBE"]!.codec.parse(unhex("0a000162017400020000 00"));
    assert.fail();
  } catch (e) {
    assert.ok(e instanceof ProtocolError);
    assert.equal(e.where, "subscribe");
    assert.equal(e.code, ResetCode.Decode);
    assert.match(e.message, /^subscribe: .*byte \d+/);
  }
});

test("bytes that were handed out do not change while more arrive", async () => {
  const w = new Writer();
  const payloads = Array.from({ length: 50 }, (_, i) => new Uint8Array(i).fill(i));
  payloads.forEach((payload, i) => appendFrame(w, { timestamp: i, payload }, Math.max(0, i - 1)));
  for (const size of [1, 2, 7, 64, 10_000]) {
    const r = dripping(w.bytes(), size);
    const frames: Frame[] = [];
    for (let f; (f = await readFrame(r, frames.at(-1)?.timestamp ?? 0)); ) frames.push(f);
    assert.deepEqual(frames.map((f) => f.payload), payloads);
  }
});

test("errors of the source pass through", async () => {
  const cause = new Error("gone");
  const r = new Reader({ read: () => Promise.reject(cause) });
  await assert.rejects(Setup.read(r), cause);
});

// The document shows every message once, and what it shows is what we write.
describe("examples of docs/wire.md", () => {
  const appendix = readFileSync(`${ROOT}/docs/wire.md`, "utf8").split("## Appendix")[1]!;
  const rows = [...appendix.matchAll(/^\| ([A-Z_]+) \| `([0-9a-f ]+)` \|/gm)];
  const shown = new Set(rows.map(([, name]) => name!));
  test("of every message", () => {
    for (const name of [...Object.keys(codecs), "FRAME", "DATAGRAM"]) {
      assert.ok(shown.has(name) || name === "SUBSCRIBE_RESPONSE", name);
    }
  });
  for (const [, name, bytes] of rows) {
    test(name!, async () => {
      const b = unhex(bytes!);
      const w = new Writer();
      if (name === "FRAME") appendFrame(w, (await readFrame(dripping(b), 0))!, 0);
      else if (name === "DATAGRAM") w.raw(encodeDatagram(parseDatagram(b)));
      else codecs[name!]!.codec.append(w, codecs[name!]!.codec.parse(b).message);
      assert.equal(hex(w.bytes()), hex(b));
    });
  }
});

describe("SETUP", () => {
  const parameter = (id: number, value: number | bigint): Uint8Array => {
    const w = new Writer();
    w.body((w) => {
      w.varint(1);
      w.varint(id);
      w.body((w) => w.varint(value));
    });
    return w.bytes();
  };

  test("Stentor's own parameters", () => {
    const m = { hopId: 5, datagrams: true, goaway: true, packetMs: 60, load: 42 } as const;
    const b = Setup.encode(m);
    assert.equal(hex(b), "1c" + "05" + "050105" + "800053540101" + "800053550101" + "80005356013c" + "80005357012a");
    assert.deepEqual(Setup.parse(b).message, m);
  });

  const largest = (1n << 62n) - 1n;
  const values: [id: number, value: number | bigint, want: Setup][] = [
    [1, 3, { probe: 2 }],
    [1, largest, { probe: 2 }],
    [3, 3, {}],
    [3, largest, {}],
    [5, 0, {}],
    [0x5354, 2, { datagrams: true }],
    [0x5354, 0, {}],
    [0x5355, largest, { goaway: true }],
    [0x5356, 40, {}],
    [0x5356, 120, { packetMs: 120 }],
    [0x5357, 256, { load: 255 }],
    [0x5357, largest, { load: 255 }],
    [0x5357, 0, { load: 0 }],
    [4, 9, {}],
  ];
  for (const [id, value, want] of values) {
    test(`parameter ${id} of ${value}`, () => assert.deepEqual(Setup.parse(parameter(id, value)).message, want));
  }
});
