import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_SAMPLES } from "./config";
import { Framer } from "./framer";
import { Gate } from "./gate";
import { Hush } from "./hush";
import { randomNumbers, signalToNoise, tone } from "./testing/scene";
import { VoiceLine } from "./voice_line";

test("a speaker falls silent only after a whole bundle, and time goes on", () => {
  const gate = new Gate(5_000_000);
  const sent: [number, number][] = [];
  // Speech, silence, a word, silence: s or -.
  for (const c of "--sss-----------s------s-s") {
    const frame = gate.pass(Uint8Array.of(1), c === "-");
    if (frame) sent.push([frame.sequence, (frame.timestampUs - 5_000_000) / 20_000]);
  }
  assert.deepEqual(sent, [
    [0, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7],
    [6, 16], [7, 17], [8, 18], [9, 19], [10, 20], [11, 21],
    [12, 23], [13, 24], [14, 25],
  ]);
  assert.deepEqual(gate.next, { sequence: 15, timestampUs: 5_000_000 + 26 * 20_000 });
});

test("whatever is said, sequences have no gap and each silence begins after 5 modulo 6", () => {
  const random = randomNumbers(9);
  const gate = new Gate();
  let last = { sequence: -1, timestampUs: -20_000 };
  let pauses = 0;
  for (let i = 0; i < 20_000; i++) {
    const frame = gate.pass(Uint8Array.of(1), random() < 0.9);
    if (!frame) continue;
    assert.equal(frame.sequence, last.sequence + 1);
    assert.ok(frame.timestampUs > last.timestampUs);
    if (frame.timestampUs !== last.timestampUs + 20_000) {
      assert.equal(frame.sequence % 6, 0);
      pauses++;
    }
    last = frame;
  }
  assert.ok(pauses > 100);
});

test("silence is told by its level, half a second after speech", () => {
  const hush = new Hush();
  const frames = (n: number, rms: number) => Array.from({ length: n }, () => hush.silent({ rms, peak: rms + 3 }));
  assert.deepEqual(new Set(frames(5, -70)), new Set([true]));
  assert.deepEqual(new Set(frames(5, -40)), new Set([false]));
  const after = frames(40, -70);
  assert.equal(after.indexOf(true), 20);
  assert.ok(after.slice(20).every(Boolean));
  assert.deepEqual(frames(1, -50), [false]);
});

/** An encoder that answers when asked to, with the frame's loudness in its packet. */
class LateEncoder {
  readonly waiting: Uint8Array[] = [];
  encode(frame: Float32Array): void {
    this.waiting.push(Uint8Array.of(Math.round(100 * Math.max(...frame))));
  }
}

test("frames are told apart behind an encoder that is late", () => {
  const line = new VoiceLine(true, 0);
  const encoder = new LateEncoder();
  const loud = () => new Float32Array(FRAME_SAMPLES).fill(0.5);
  const quiet = () => new Float32Array(FRAME_SAMPLES);
  const sent: string[] = [];
  const drain = (keep: number) => {
    while (encoder.waiting.length > keep) {
      const frame = line.packet(encoder.waiting.shift()!);
      if (frame) sent.push(`${frame.sequence}@${frame.timestampUs / 20_000}:${frame.packet[0]}`);
    }
  };
  for (const [n, pcm, muted] of [[3, quiet, false], [8, loud, false], [6, loud, true], [2, loud, false]] as const) {
    line.muted = muted;
    for (let i = 0; i < n; i++) {
      line.frame(pcm(), encoder);
      drain(3);
    }
  }
  drain(0);
  assert.deepEqual(sent, [
    "0@3:50", "1@4:50", "2@5:50", "3@6:50", "4@7:50", "5@8:50", "6@9:50", "7@10:50",
    "8@11:0", "9@12:0", "10@13:0", "11@14:0", // muted: silence up to the bundle's end
    "12@17:50", "13@18:50",
  ]);
});

test("without dtx silence is sent, unless it is muted", () => {
  const line = new VoiceLine(false, 0);
  const encoder = new LateEncoder();
  for (let i = 0; i < 50; i++) line.frame(new Float32Array(FRAME_SAMPLES), encoder);
  assert.equal(encoder.waiting.filter((p) => line.packet(p)).length, 50);
  assert.equal(line.level.rms, -120);
});

test("what a device captures is cut into frames, at any rate, in phase", () => {
  const random = randomNumbers(4);
  for (const rate of [48_000, 44_100, 16_000, 96_000]) {
    const framer = new Framer(rate);
    const hertz = 997;
    const all = Float32Array.from({ length: 2 * rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));
    const frames: Float32Array[] = [];
    for (let at = 0; at < all.length; ) {
      const n = 1 + Math.floor(random() * 2000);
      frames.push(...framer.push(all.subarray(at, at + n)));
      at += n;
    }
    assert.ok(frames.length >= 99 && frames.length <= 100, `${rate}: ${frames.length}`);
    assert.ok(frames.every((f) => f.length === FRAME_SAMPLES));
    const out = new Float32Array(90 * FRAME_SAMPLES);
    frames.slice(5, 95).forEach((f, i) => out.set(f, i * FRAME_SAMPLES));
    assert.ok(signalToNoise(out, hertz) > 80, `${rate}: ${signalToNoise(out, hertz)} dB`);
  }
  const framer = new Framer(48_000);
  assert.deepEqual(framer.push(tone(440, 0.5, 0, 1000)), [tone(440, 0.5, 0, 960)]);
});
