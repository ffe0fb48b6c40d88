import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_SAMPLES, SAMPLE_RATE } from "./config";
import { MAX_STRETCH, Pace } from "./pace";
import { Resampler } from "./resampler";
import { TAPS } from "./sinc";
import { signalToNoise, tone } from "./testing/scene";

/** Reads a tone through a resampler, block by block, at each block's ratio. The right side is the left turned over. */
function resample(hertz: number, channels: number, blocks: number, ratio: (block: number) => number, cutoff = 1): Float32Array {
  const r = new Resampler(channels, cutoff);
  const out = new Float32Array(blocks * FRAME_SAMPLES);
  const block = new Float32Array(FRAME_SAMPLES * channels);
  let written = 0;
  for (let i = 0; i < blocks; i++) {
    while (!r.ready(FRAME_SAMPLES, ratio(i))) {
      const frame = new Float32Array(FRAME_SAMPLES * channels);
      tone(hertz, 0.7, written, FRAME_SAMPLES).forEach((v, k) => {
        for (let ch = 0; ch < channels; ch++) frame[k * channels + ch] = ch === 0 ? v : -v;
      });
      r.write(frame);
      written += FRAME_SAMPLES;
    }
    r.read(block, ratio(i));
    for (let k = 0; k < FRAME_SAMPLES; k++) {
      out[i * FRAME_SAMPLES + k] = block[k * channels]!;
      if (channels === 2) assert.ok(block[2 * k]! + block[2 * k + 1]! === 0);
    }
  }
  return out;
}

test("at a ratio of 1 the resampler is the identity", () => {
  const out = resample(997, 1, 18, () => 1);
  assert.deepEqual(out, tone(997, 0.7, 0, out.length));
});

test("a tone stays clean at any ratio near 1", () => {
  for (const channels of [1, 2]) {
    for (const hertz of [50, 440, 3000, 8000, 15_000, 19_500]) {
      for (const ratio of [1 - MAX_STRETCH, 1 - 300e-6, 1 + 1e-6, 1 + MAX_STRETCH]) {
        const got = signalToNoise(resample(hertz, channels, 30, () => ratio).subarray(FRAME_SAMPLES), hertz * ratio);
        assert.ok(got >= 85, `${hertz} Hz at ${ratio} in ${channels}: ${got} dB`);
      }
    }
  }
});

test("the phase goes on while the ratio changes", () => {
  const ratio = (block: number) => 1 + MAX_STRETCH * Math.sin(block);
  const out = resample(997, 1, 100, ratio);
  let at = 0, noise = 0, power = 0;
  out.forEach((v, i) => {
    const want = 0.7 * Math.sin(((2 * Math.PI * 997) / SAMPLE_RATE) * at);
    at += ratio(Math.floor(i / FRAME_SAMPLES));
    if (i < TAPS) return; // the filter sees the edge
    noise += (v - want) ** 2;
    power += want ** 2;
  });
  const got = 10 * Math.log10(power / noise);
  assert.ok(got >= 85, `${got} dB from where it should be`);
});

test("back at a ratio of 1 it is the identity again, a block later, and nothing jumps", () => {
  const out = resample(997, 2, 40, (block) => (block > 5 && block < 12 ? 1.0003 : 1));
  const step = 2 * Math.PI * (997 / SAMPLE_RATE) * 0.7;
  for (let i = 1; i < out.length; i++) assert.ok(Math.abs(out[i]! - out[i - 1]!) < step * 1.01, `a step at ${i}`);
  const from = 14 * FRAME_SAMPLES;
  const shift = Math.round(6 * FRAME_SAMPLES * 0.0003);
  assert.deepEqual(out.subarray(from), tone(997, 0.7, from + shift, out.length - from));
});

test("devices of other rates hear the same tone, and nothing folded", () => {
  for (const rate of [16_000, 44_100, 96_000, 192_000]) {
    const ratio = SAMPLE_RATE / rate;
    const out = resample(1000, 1, 30, () => ratio, Math.min(1, 1 / ratio));
    const got = signalToNoise(out.subarray(FRAME_SAMPLES), 1000, rate);
    assert.ok(got >= 80, `${rate}: ${got} dB`);
  }
  // 12 kHz does not exist at 16 kHz; unfiltered, it would be heard at 4.
  const folded = resample(12_000, 1, 30, () => 3, 1 / 3).subarray(FRAME_SAMPLES);
  assert.ok(Math.max(...folded) < 0.01, `${Math.max(...folded)}`);
});

test("the pace follows clocks and lag, within half a percent", () => {
  const p = new Pace();
  assert.equal(p.ratio(200e-6), 1 - 200e-6);
  p.played(20);
  assert.ok(Math.abs(p.ratio(0) - 1.002) < 1e-12);
  p.rested();
  for (let i = 0; i < 500; i++) p.played(400);
  assert.equal(p.ratio(0), 1 + MAX_STRETCH);
  p.rested();
  assert.equal(p.ratio(0), 1);
  p.played(-5000);
  assert.equal(p.ratio(0), 1 - MAX_STRETCH);
});

test("clocks nearly the same, and little lag, are let be", () => {
  const p = new Pace();
  p.played(4.9);
  assert.equal(p.ratio(50e-6), 1);
  p.rested();
  p.played(5.1);
  assert.ok(Math.abs(p.ratio(50e-6) - (1 - 50e-6 + 510e-6)) < 1e-12);
  for (let i = 0; i < 90; i++) p.played(0);
  assert.notEqual(p.ratio(0), 1, "once begun, it is mended");
  for (let i = 0; i < 50; i++) p.played(0);
  assert.equal(p.ratio(0), 1);
  assert.notEqual(p.ratio(61e-6), 1);
});
