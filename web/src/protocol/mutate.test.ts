import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBundle, parseCatalog, parseDatagram, parseLegacy, parseLoc, parseOpus, ProtocolError, Reader, readFrame } from ".";
import { codecs, dripping, hex, sections, unhex } from "./shared.test";

/** Numbers from a seed (xorshift32), the same in every run. */
function random(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

const seeds = Object.values(sections)
  .filter(Array.isArray)
  .flatMap((list) => list.flatMap((v) => [v.hex, v["opener_hex"], v["acceptor_hex"]]))
  .filter((h): h is string => typeof h === "string" && h.length < 2000)
  .map(unhex);

/** Cuts, doubles, flips and joins bytes of a vector. */
function mutate(next: (below: number) => number): Uint8Array {
  let b = Uint8Array.from(seeds[next(seeds.length)]!);
  for (let i = next(4); i >= 0; i--) {
    const at = next(b.length + 1);
    const kind = next(6);
    if (kind === 0) b = b.slice(0, at);
    else if (kind === 1) b = Uint8Array.of(...b.slice(0, at), next(256), ...b.slice(at));
    else if (kind === 2) b = Uint8Array.of(...b.slice(0, at), ...seeds[next(seeds.length)]!);
    else if (kind === 3) b = Uint8Array.of(...b.slice(0, at), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    else if (at < b.length) b[at] = kind === 4 ? next(256) : b[at]! ^ (1 << next(8));
  }
  return b;
}

/** The value, or undefined where a ProtocolError was thrown. Any other error fails the test. */
function attempt<T>(b: Uint8Array, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (e) {
    assert.ok(e instanceof ProtocolError, `${hex(b)}: ${String(e)}`);
    return undefined;
  }
}

async function attemptRead<T>(b: Uint8Array, read: (r: Reader) => Promise<T>): Promise<T | undefined> {
  try {
    return await read(dripping(b, 1 + (b.length % 5)));
  } catch (e) {
    assert.ok(e instanceof ProtocolError, `${hex(b)}: ${String(e)}`);
    return undefined;
  }
}

async function frames(r: Reader): Promise<void> {
  for (let last = 0; ; ) {
    const frame = await readFrame(r, last);
    if (frame === undefined) return;
    last = frame.timestamp;
  }
}

test("mutated vectors are read or refused, and nothing else", async () => {
  const next = random(0x5354);
  let read = 0;
  for (let i = 0; i < 20_000; i++) {
    const b = mutate(next);
    const names = Object.keys(codecs);
    const { codec } = codecs[names[next(names.length)]!]!;
    const parsed = attempt(b, () => codec.parse(b));
    const streamed = await attemptRead(b, (r) => codec.read(r));
    assert.deepEqual(streamed, parsed?.message, hex(b));
    if (parsed !== undefined) {
      read++;
      const wire = codec.encode(parsed.message); // what was read can be written, and says the same
      assert.ok(wire.length <= parsed.size, hex(b));
      assert.deepEqual(codec.parse(wire), { message: parsed.message, size: wire.length }, hex(b));
    }
    attempt(b, () => parseDatagram(b));
    attempt(b, () => parseLegacy(b));
    attempt(b, () => parseLoc(b));
    attempt(b, () => parseBundle(b, 3));
    attempt(b, () => parseOpus(b));
    attempt(b, () => parseCatalog(b));
    await attemptRead(b, frames);
  }
  assert.ok(read > 500, `only ${read} were read: the test has become blunt`);
});
