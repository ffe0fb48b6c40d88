import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { RAMP } from "./conceal";
import { FRAME_SAMPLES } from "./config";
import type { Decoder } from "./decoder";
import { firstThatOpens } from "./decoders";
import { AudioError, captureError } from "./errors";
import { Gestures } from "./gestures";
import { measure } from "./level";
import { Speaker } from "./speaker";
import { stateOf } from "./state";
import { ToneDecoder } from "./testing/scene";
import { interleave, WasmDecoder } from "./wasm_decoder";

// What opus-decoder runs its workers with in Node asks for it; a bundle has none.
Object.assign(globalThis, { require: createRequire(import.meta.url) });

/** The packets of client/audio/sample's clip: Ogg (RFC 3533), one track. */
function clip(): Uint8Array[] {
  const ogg = readFileSync(join(ROOT, "client/audio/sample/voice.opus"));
  const packets: Uint8Array[] = [];
  let packet: Uint8Array[] = [];
  for (let page = 0; page < ogg.length; ) {
    const segments = ogg.subarray(page + 27, page + 27 + ogg[page + 26]!);
    let at = page + 27 + segments.length;
    for (const size of segments) {
      packet.push(ogg.subarray(at, at + size));
      at += size;
      if (size === 255) continue;
      packets.push(new Uint8Array(Buffer.concat(packet)));
      packet = [];
    }
    page = at;
  }
  return packets.slice(2); // the two headers
}

const frame = () => new Float32Array(FRAME_SAMPLES);

function decode(decoder: Decoder, packet: Uint8Array): Float32Array | null {
  let pcm: Float32Array | null | undefined;
  decoder.decode(packet, (made) => {
    pcm = made;
  });
  assert.notEqual(pcm, undefined, "answers within the call");
  return pcm!;
}

/** The first packet of the clip's loudest stretch of speech. */
async function loudest(packets: Uint8Array[]): Promise<number> {
  const decoder = await WasmDecoder.open(1);
  const levels = packets.map((p) => measure(decode(decoder, p)!).rms);
  decoder.close();
  let best = 10;
  for (let i = 10; i < levels.length - 20; i++) if (levels[i]! + levels[i + 3]! > levels[best]! + levels[best + 3]!) best = i;
  return best;
}

test("wasm: speech decodes, and goes on through a loss", async () => {
  const packets = clip();
  assert.ok(packets.length > 1000);
  const spoken = await loudest(packets);
  const decoder = await WasmDecoder.open(1);
  for (let i = 0; i < spoken; i++) assert.equal(decode(decoder, packets[i]!)?.length, FRAME_SAMPLES);
  const before = measure(decode(decoder, packets[spoken]!)!).rms;
  const guess = frame();
  const overlap = new Float32Array(RAMP);
  const again = frame();
  assert.ok(decoder.conceal(guess, overlap));
  assert.ok(Math.abs(measure(guess).rms - before) < 10, `${measure(guess).rms} dBFS after ${before}`);
  assert.ok(decoder.conceal(again, new Float32Array(RAMP)));
  assert.deepEqual(again.subarray(0, RAMP), overlap, "the overlap is what the next guess begins with");
  for (let i = 0; i < 20; i++) assert.ok(decoder.conceal(guess, overlap), "libopus never tires of it");
  assert.equal(decode(decoder, packets[spoken + 3]!)?.length, FRAME_SAMPLES);
  decoder.close();
});

test("wasm: what is no packet of 20 ms does not decode, and does no harm", async () => {
  const packets = clip();
  const decoder = await WasmDecoder.open(1);
  decode(decoder, packets[0]!);
  for (const [name, packet] of [
    ["two frames in an odd number of bytes", [0xf9, 1, 2]],
    ["three frames, badly framed", [255, 255, 255]],
    ["40 ms", [0x10, 1, 2, 3]],
    ["10 ms", [0x00, 1, 2, 3]],
    ["more than a frame can hold", [0xf8, ...new Array(1300).fill(7)]],
    ["nothing", []],
  ] as const) {
    assert.equal(decode(decoder, Uint8Array.from(packet)), null, name);
  }
  assert.equal(decode(decoder, Uint8Array.of(0x08))?.length, FRAME_SAMPLES, "a frame of nothing is silence");
  assert.equal(decode(decoder, packets[1]!)?.length, FRAME_SAMPLES);
  decoder.close();
});

test("wasm: two channels come interleaved", async () => {
  const packets = clip();
  const [mono, stereo] = [await WasmDecoder.open(1), await WasmDecoder.open(2)];
  for (const packet of packets.slice(0, 200)) {
    const one = decode(mono, packet)!;
    const two = decode(stereo, packet)!;
    assert.equal(two.length, 2 * FRAME_SAMPLES);
    for (let i = 0; i < FRAME_SAMPLES; i += 7) {
      assert.ok(Math.abs(two[2 * i]! - one[i]!) < 1e-4 && Math.abs(two[2 * i + 1]! - one[i]!) < 1e-4);
    }
  }
  mono.close();
  stereo.close();
  assert.deepEqual([...interleave([Float32Array.of(1, 2), Float32Array.of(3, 4)])], [1, 3, 2, 4]);
  assert.equal(interleave([]).length, 0);
});

test("wasm: the clip plays through a speaker with one in ten packets lost, each loss covered", async () => {
  const packets = clip();
  const speaker = new Speaker("herald");
  speaker.use(await WasmDecoder.open(1));
  let loudestBlock = -120;
  for (let now = 0, seq = 0; now < 20_000; now += 20, seq++) {
    if (seq % 10 !== 4) speaker.buffer.push(seq, seq * 20_000, packets[seq]!, now);
    const pcm = speaker.render(now);
    assert.ok(pcm.every((v) => Number.isFinite(v)));
    loudestBlock = Math.max(loudestBlock, speaker.level.rms);
  }
  const { expected, lost, concealed } = speaker.buffer.stats;
  assert.ok(expected > 980 && Math.abs(lost / expected - 0.1) < 0.01);
  assert.equal(concealed, lost);
  assert.equal(speaker.undecodable, 0);
  assert.ok(loudestBlock > -30, `${loudestBlock}`);
  speaker.close();
});

test("the first decoder that opens is taken; if none does, all causes are told", async () => {
  const works = new ToneDecoder(440);
  const fails = (why: string) => () => Promise.reject(new Error(why));
  assert.equal(await firstThatOpens([fails("a"), async () => works, fails("b")], 1), works);
  await assert.rejects(firstThatOpens([fails("a"), fails("b")], 1), (error: AudioError) => {
    assert.equal(error.fault, "cannot-decode");
    assert.deepEqual((error.cause as AggregateError).errors.map((e: Error) => e.message), ["a", "b"]);
    return true;
  });
});

test("what a browser's refusals mean", () => {
  const named = (name: string) => Object.assign(new Error("x"), { name });
  for (const [name, want] of [
    ["NotAllowedError", "refused"],
    ["SecurityError", "refused"],
    ["NotFoundError", "no-device"],
    ["OverconstrainedError", "no-device"],
    ["NotReadableError", "busy"],
    ["AbortError", "busy"],
    ["TypeError", "cannot-capture"],
    ["Error", "failed"],
  ] as const) {
    const cause = named(name);
    const error = captureError(cause);
    assert.equal(error.fault, want);
    assert.equal(error.cause, cause);
    assert.ok(error.message.length > 10);
  }
  assert.equal(captureError("?").fault, "failed");
});

test("what a context's state means to a listener", () => {
  assert.deepEqual(
    ["suspended", "running", "interrupted", "closed"].map((s) => [stateOf(s, false), stateOf(s, true)]),
    [["locked", "interrupted"], ["playing", "playing"], ["interrupted", "interrupted"], ["closed", "closed"]],
  );
});

test("gestures are listened to only while armed", () => {
  const page = new EventTarget();
  let heard = 0;
  const gestures = new Gestures(page, () => heard++);
  const click = () => page.dispatchEvent(new Event("click"));
  click();
  gestures.arm(true);
  gestures.arm(true);
  click();
  page.dispatchEvent(new Event("keydown"));
  gestures.arm(false);
  click();
  assert.equal(heard, 2);
  new Gestures(null, () => heard++).arm(true);
});
