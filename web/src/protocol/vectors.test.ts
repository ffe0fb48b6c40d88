import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { appendFrame, encodeDatagram, type Frame, ProtocolError, parseDatagram, readFrame, Writer } from ".";
import { Cursor } from "./cursor";
import { codecs, type Codec, dripping, type Fields, hex, integer, sections, unhex, type Vector } from "./shared.test";
import { putVarint, unzigzag, zigzag } from "./varint";

type Run = (vectors: Vector[]) => void;

// A list that nobody here knows fails, so nothing is passed over.
const lists: Record<string, Run> = {
  varint: (vs) => {
    for (const v of vs) {
      const w = new Writer();
      w.varint(integer(v["value"]));
      assert.equal(hex(w.bytes()), v.hex);
      checkVarint(v);
    }
  },
  varint_nonminimal: (vs) => vs.forEach(checkVarint),
  zigzag: (vs) => {
    for (const v of vs) {
      assert.equal(zigzag(integer(v["delta"])), integer(v["unsigned"]));
      assert.equal(unzigzag(integer(v["unsigned"])), integer(v["delta"]));
    }
  },
  messages: testMessages,
  streams: (vs) => each(vs, async (v) => assert.equal(await steps(v.hex, v["decoded"]), v.hex)),
  conversations: (vs) =>
    each(vs, async (v) => {
      const opener = await steps(v["opener_hex"], v["opener_decoded"]);
      const acceptor = await steps(v["acceptor_hex"], v["acceptor_decoded"]);
      if (v.id.includes("announce-from-")) return; // these write the hop id 7777 in four bytes
      assert.equal(opener, v["opener_hex"]);
      assert.equal(acceptor, v["acceptor_hex"]);
    }),
  malformed: (vs) => each(vs, (v) => refuses(v)),
  lenient: (vs) =>
    each(vs, async (v) => {
      const codec = known(v.message);
      await decodes(codec, unhex(v.hex), codec.value(v.fields));
    }),
  differs: (vs) => each(vs, (v) => (accepts(v.id) ? decodeAlone(v.message, unhex(v.hex)).then(() => {}) : refuses(v))),
};

// Elsewhere: hang is in hang.test.ts; browsers speak no lite-04 and check no tokens.
const elsewhere = ["format", "version", "source", "hang", "compat_lite04", "tokens", "token_scopes"];

test("every list of the vectors is run", () => {
  assert.deepEqual(Object.keys(sections).sort(), [...Object.keys(lists), ...elsewhere].sort());
});

for (const [name, run] of Object.entries(lists)) {
  describe(name, () => {
    const vectors = sections[name]!;
    assert.ok(vectors.length > 0);
    run(vectors);
  });
}

function each(vectors: Vector[], run: (v: Vector) => Promise<void>): void {
  for (const v of vectors) test(v.id, () => run(v));
}

/** What we do where others disagree (docs/wire.md, section 17): what no number holds is refused. */
function accepts(id: string): boolean {
  const verdicts: Record<string, boolean> = {
    "differs/SUBSCRIBE/1": false, // a bool of 2
    "differs/TRACK_INFO/1": false, // likewise
    "differs/GROUP/1": false, // sequence 2^53
    "differs/TRACK_INFO/2": false, // timescale 2^53
    "differs/SUBSCRIBE/2": false, // max latency 2^53
    "differs/SUBSCRIBE/3": true, // start 2^53-1, which is 2^53 on the wire
    "differs/ANNOUNCE_OK/1": false, // count 2^53
    "differs/DATAGRAM/1": false, // sequence 2^53
    "differs/FRAMES/1": false, // above 16 MiB
    "differs/SETUP/1": true, // hop id 2^62-1
    "differs/ANNOUNCE_OK/2": true, // hop id 0
    "differs/DATAGRAM/2": true, // longer than 1200 bytes
  };
  const verdict = verdicts[id];
  assert.ok(verdict !== undefined, `undecided: ${id}`);
  return verdict;
}

function checkVarint(v: Vector): void {
  const c = new Cursor(unhex(v.hex), "varint", false);
  assert.equal(c.wide(), integer(v["value"]));
  assert.equal(c.left, 0);
}

function known(name: string): Codec {
  const codec = codecs[name];
  assert.ok(codec, `nothing reads ${name}`);
  return codec;
}

const writtenShorter: Record<string, string> = { "SETUP/5": "0100" }; // an empty path is not sent at all

function testMessages(vectors: Vector[]): void {
  const seen = new Set(vectors.map((v) => v.message));
  test("of every message", () => {
    for (const name of Object.keys(codecs)) assert.ok(seen.has(name) || name === "SUBSCRIBE_RESPONSE", name);
  });
  each(vectors, async (v) => {
    if (v.message === "DATAGRAM") return testDatagram(v);
    const codec = known(v.message);
    const want = codec.value(v.fields);
    await decodes(codec, unhex(v.hex), want);
    assert.equal(hex(codec.codec.encode(want)), writtenShorter[v.id] ?? v.hex);
  });
}

/** b is exactly the message `want`, for the parser and off a stream, and cut short by every shorter prefix. */
async function decodes({ codec }: Codec, b: Uint8Array, want: unknown): Promise<void> {
  assert.deepEqual(codec.parse(Uint8Array.of(...b, 1, 2, 3)), { message: want, size: b.length });
  for (const size of [1, 3, b.length]) {
    const r = dripping(b, size);
    assert.deepEqual(await codec.read(r), want);
    assert.equal(await codec.read(r), undefined);
  }
  for (let n = 0; n < b.length; n++) {
    assert.throws(() => codec.parse(b.subarray(0, n)), isShort);
    if (n > 0) await assert.rejects(codec.read(dripping(b.subarray(0, n))), isShort);
  }
}

const isShort = (e: unknown): boolean => e instanceof ProtocolError && e.fault === "short";

function testDatagram(v: Vector): void {
  const want = {
    subscribeId: integer(v.fields["subscribe_id"]),
    sequence: Number(v.fields["sequence"]),
    timestamp: Number(v.fields["timestamp"]),
    payload: unhex(v.fields["payload"] as string),
  };
  const b = unhex(v.hex);
  assert.deepEqual(parseDatagram(b), want);
  assert.equal(hex(encodeDatagram(want)), v.hex);
  for (let n = 0; n < b.length - want.payload.length; n++) {
    assert.throws(() => parseDatagram(b.subarray(0, n)), isShort);
  }
}

/** Checks that a stream holds exactly these steps, and returns how we write them. */
async function steps(stream: unknown, decoded: unknown): Promise<string> {
  const r = dripping(unhex(stream as string));
  const w = new Writer();
  let readTime = 0;
  let writeTime = 0;
  for (const step of decoded as { message: string; value: string; fields: Fields }[]) {
    if (step.message === "STREAM_TYPE") {
      assert.equal(await r.streamType(), integer(step.value));
      w.varint(integer(step.value));
    } else if (step.message === "FRAME") {
      const want = { timestamp: Number(step.fields["timestamp"]), payload: unhex(step.fields["payload"] as string) };
      const got = await readFrame(r, readTime);
      assert.deepEqual(got, want);
      appendFrame(w, want, writeTime);
      readTime = writeTime = want.timestamp;
    } else {
      const { codec, value } = known(step.message);
      assert.deepEqual(await codec.read(r), value(step.fields));
      codec.append(w, value(step.fields));
    }
  }
  assert.equal(await r.streamType(), undefined);
  return hex(w.bytes());
}

async function refuses(v: Vector): Promise<void> {
  await assert.rejects(decodeAlone(v.message, unhex(v.hex)), ProtocolError);
}

/** Decodes b as the whole of what a message, datagram, group or varint is. */
async function decodeAlone(message: string, b: Uint8Array): Promise<unknown> {
  switch (message) {
    case "VARINT":
      return new Cursor(b, "varint", false).wide();
    case "DATAGRAM":
      return parseDatagram(b);
    case "FRAMES": {
      const frames: Frame[] = [];
      const r = dripping(b);
      for (;;) {
        const frame = await readFrame(r, frames.at(-1)?.timestamp ?? 0);
        if (frame === undefined) return frames;
        frames.push(frame);
      }
    }
  }
  const { message: m, size } = known(message).codec.parse(b);
  assert.equal(size, b.length);
  return m;
}

test("what no varint holds is the caller's mistake", () => {
  for (const v of [-1, 0.5, NaN, 2 ** 53, -1n, 1n << 62n]) {
    assert.throws(() => putVarint(new Uint8Array(8), 0, v), RangeError);
  }
});
