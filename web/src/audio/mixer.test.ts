import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_SAMPLES, SAMPLE_RATE } from "./config";
import { LevelMeter, measure, QUIETEST } from "./level";
import { CEILING, Limiter, LIMITER_AHEAD } from "./limiter";
import { Fader, Mixer } from "./mixer";
import { randomNumbers, signalToNoise, tone } from "./testing/scene";

/** pcm through a fresh limiter, in blocks of n samples, with what it still holds at the end. */
function limited(pcm: Float32Array, channels: number, n: number): Float32Array {
  const l = new Limiter(channels);
  const held = (LIMITER_AHEAD - 1) * channels;
  const out = new Float32Array(pcm.length + held);
  out.set(pcm);
  for (let at = 0; at < out.length; at += n * channels) l.process(out.subarray(at, at + n * channels));
  return out.slice(held);
}

function join(...parts: Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

test("below the ceiling the limiter changes nothing", () => {
  const pcm = tone(440, CEILING, 0, 10 * FRAME_SAMPLES);
  assert.deepEqual(limited(pcm, 1, FRAME_SAMPLES), pcm);
});

test("two seconds after a shout the mix passes unchanged again, and not at once", () => {
  const pcm = join(tone(440, 8, 0, FRAME_SAMPLES), tone(440, 0.5, 0, 3 * SAMPLE_RATE));
  const out = limited(pcm, 1, FRAME_SAMPLES);
  const calm = FRAME_SAMPLES + 2 * SAMPLE_RATE;
  assert.deepEqual(out.subarray(calm), pcm.subarray(calm));
  assert.notEqual(out[FRAME_SAMPLES + 100], pcm[FRAME_SAMPLES + 100]);
});

test("a loud tone is held without distortion", () => {
  for (const height of [1, 2, 5, 50]) {
    const out = limited(tone(440, height, 0, SAMPLE_RATE), 1, FRAME_SAMPLES);
    assert.ok(measure(out).peak <= -0.4, `${height}: ${measure(out).peak} dBFS`);
    const got = signalToNoise(out.subarray(SAMPLE_RATE / 2), 440);
    assert.ok(got >= 50, `${height}: ${got} dB`);
  }
});

test("the gain has no steps: it comes down over 5 ms, before the peak", () => {
  const pcm = new Float32Array(SAMPLE_RATE).fill(0.5);
  const peak = SAMPLE_RATE / 2;
  pcm[peak] = 5;
  const out = limited(pcm, 1, FRAME_SAMPLES);
  for (let i = 1; i < out.length; i++) {
    if (i === peak || i === peak + 1) continue;
    assert.ok(Math.abs(out[i]! - out[i - 1]!) <= 0.5 / LIMITER_AHEAD, `at ${i}`);
  }
});

test("whatever comes in, nothing above the ceiling comes out, in blocks of any length", () => {
  const random = randomNumbers(5);
  const values = [0, 0.3, -0.9, 1, -1.5, 3, -40, 1e30, Infinity, -Infinity, NaN];
  for (let round = 0; round < 60; round++) {
    const channels = 1 + (round % 2);
    const pcm = new Float32Array(channels * (1 + Math.floor(random() * 1500)));
    for (let i = 0; i < pcm.length; ) {
      const v = values[Math.floor(random() * values.length)]!;
      for (let n = random() * 100; n > 0 && i < pcm.length; n--) pcm[i++] = v;
    }
    const whole = limited(pcm, channels, pcm.length);
    for (const v of whole) assert.ok(v >= -Math.fround(CEILING) && v <= Math.fround(CEILING), `${v}`);
    assert.deepEqual(limited(pcm, channels, 1 + Math.floor(random() * 700)), whole);
  }
});

test("what is quiet goes through in one piece, and comes out as if sample by sample", () => {
  const random = randomNumbers(11);
  for (let round = 0; round < 20; round++) {
    const channels = 1 + (round % 2);
    const pcm = Float32Array.from({ length: channels * 960 * 8 }, () => random() - 0.5);
    const loud = Math.floor(random() * 3); // in the first blocks, and once
    for (let i = 0; i < loud; i++) pcm[Math.floor(random() * 960 * 2 * channels)] = random() < 0.5 ? 3 : NaN;
    assert.deepEqual(limited(pcm, channels, 960), limited(pcm, channels, 1));
  }
});

test("mono and stereo mix into each other", () => {
  const cases: [mix: 1 | 2, channels: 1 | 2, pcm: number[], want: number[]][] = [
    [1, 1, [0.1, 0.2], [0.1, 0.2]],
    [2, 1, [0.1, 0.2], [0.1, 0.1, 0.2, 0.2]],
    [1, 2, [0.1, 0.3, 0.2, -0.2], [0.2, 0]],
    [2, 2, [0.1, 0.3, 0.2, -0.2], [0.1, 0.3, 0.2, -0.2]],
  ];
  for (const [mix, channels, pcm, want] of cases) {
    const m = new Mixer(mix, 2);
    m.begin();
    m.add(Float32Array.from(pcm), channels);
    m.end();
    let got: number[] = [];
    for (let i = 0; i < LIMITER_AHEAD / 2; i++) { // the limiter looks 5 ms ahead
      m.begin();
      got = [...got, ...m.end()];
    }
    const at = got.findIndex((v) => v !== 0);
    assert.deepEqual(got.slice(at, at + want.length).map((v) => Math.round(v * 1e6) / 1e6), want);
  }
});

test("volume moves over a block, not in a step", () => {
  const fader = new Fader();
  const block = () => new Float32Array(100).fill(1);
  let last = 1;
  for (const gain of [0, 0, 2, 1, 1]) {
    fader.set(gain);
    const pcm = block();
    fader.apply(pcm, 1);
    for (const v of pcm) {
      assert.ok(Math.abs(v - last) <= 0.0201, `${last} to ${v}`);
      last = v;
    }
    assert.ok(Math.abs(last - gain) < 1e-6);
  }
  const stereo = Float32Array.from([1, -1, 1, -1]);
  fader.set(0);
  fader.apply(stereo, 2);
  assert.deepEqual([...stereo].map((v) => v + 0), [0.5, -0.5, 0, 0]);
});

test("levels", () => {
  assert.deepEqual(measure(new Float32Array(0)), { rms: QUIETEST, peak: QUIETEST });
  assert.deepEqual(measure(new Float32Array(10)), { rms: QUIETEST, peak: QUIETEST });
  assert.deepEqual(measure(Float32Array.from([1, -1])), { rms: 0, peak: 0 });
  assert.ok(Math.abs(measure(tone(1000, 1, 0, 4800)).rms + 3.01) < 0.01);
  assert.ok(Number.isFinite(measure(Float32Array.from([NaN, Infinity])).rms));
  const meter = new LevelMeter();
  assert.equal(meter.show({ rms: -20, peak: -10 }, 0), -20);
  assert.equal(meter.show({ rms: -100, peak: -90 }, 500), -30);
  assert.equal(meter.show({ rms: -25, peak: -10 }, 600), -25);
  assert.equal(meter.show({ rms: -300, peak: -300 }, 60_000), QUIETEST);
});
