import assert from "node:assert/strict";
import { test } from "node:test";
import { Concealer, fade, RAMP } from "./conceal";
import { FRAME_SAMPLES } from "./config";
import { Guesser } from "./guess";
import { roughest, signalToNoise, tone } from "./testing/scene";

const frame = () => new Float32Array(FRAME_SAMPLES);

/** What blocks sound like one after the other: tone frame n, or a word for a slot. */
function sound(blocks: (number | "lost" | "bad" | "silence")[], hertz = 440, limit = 4): Float32Array {
  const c = new Concealer(1, limit);
  const out = new Float32Array(blocks.length * FRAME_SAMPLES);
  let run = 0;
  blocks.forEach((block, i) => {
    let pcm: Float32Array = frame();
    if (typeof block === "number") {
      pcm = tone(hertz, 0.5, block * FRAME_SAMPLES, FRAME_SAMPLES);
      c.play(pcm);
      run = 0;
    } else if (block === "lost") {
      c.lost(pcm, ++run);
    } else if (block === "bad") {
      c.undecodable(pcm);
    } else {
      c.silence(pcm, FRAME_SAMPLES);
    }
    out.set(pcm, i * FRAME_SAMPLES);
  });
  return out;
}

const peak = (pcm: Float32Array) => pcm.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

test("the gain of guesses", () => {
  assert.deepEqual([1, 2, 3, 4, 5].map((run) => fade(run, 4)), [1, 2 / 3, 1 / 3, 0, 0]);
  assert.deepEqual([1, 2].map((run) => fade(run, 1)), [0, 0]);
});

test("a lost frame of a tone is not heard: its phase goes on into the guess and out of it", () => {
  // Frequencies whose period does not divide the frame.
  for (const hertz of [217, 440, 997]) {
    const out = sound([0, 1, 2, "lost", 4, 5], hertz).subarray(RAMP);
    assert.ok(roughest(out, hertz, 0.5) < 12, `${hertz} Hz: roughness ${roughest(out, hertz, 0.5)}`);
    const got = signalToNoise(out, hertz);
    assert.ok(got > 20, `${hertz} Hz: ${got} dB`);
  }
});

test("a frame that is left out altogether is rough, so the test above can fail", () => {
  const out = sound([0, 1, 2, 4, 5]).subarray(RAMP);
  assert.ok(signalToNoise(out, 440) < 20);
});

test("what stops fades, what begins comes up, and silence is silence", () => {
  const out = sound(["silence", "lost", 0, 1, "silence", "silence", 6]);
  const at = (block: number) => out.subarray(block * FRAME_SAMPLES, (block + 1) * FRAME_SAMPLES);
  assert.equal(peak(at(0)), 0);
  assert.equal(peak(at(1)), 0, "nothing is invented after silence");
  assert.ok(peak(at(4)) > 0.3 && peak(at(4).subarray(900)) < 0.05, "fades over a block");
  assert.equal(peak(at(5)), 0);
  assert.ok(roughest(out, 440, 0.5) < 12, `${roughest(out, 440, 0.5)}`);
});

test("a long loss fades to nothing at its limit", () => {
  const out = sound([0, 1, "lost", "lost", "lost", "lost", "lost", 7]);
  const peaks = [2, 3, 4, 5, 6].map((b) => peak(out.subarray((b + 1) * FRAME_SAMPLES - 100, (b + 1) * FRAME_SAMPLES)));
  for (const [i, want] of [1, 2 / 3, 1 / 3, 0, 0].entries()) {
    assert.ok(Math.abs(peaks[i]! - want / 2) < 0.06, `${peaks}`);
  }
});

test("packets that do not decode are losses", () => {
  assert.deepEqual(sound([0, 1, "bad", "bad", 4]), sound([0, 1, "lost", "lost", 4]));
});

test("a decoder that conceals is asked, and its guess is faded from", () => {
  const c = new Concealer(1, 4);
  c.decoder = {
    ahead: 0,
    decode: () => undefined,
    conceal: (pcm, overlap) => {
      pcm.fill(0.25);
      overlap.fill(0.25);
      return true;
    },
    close: () => undefined,
  };
  const play = () => {
    const pcm = frame().fill(0.5);
    c.play(pcm);
    return pcm;
  };
  play();
  const guess = frame();
  c.lost(guess, 1);
  assert.deepEqual(new Set(guess), new Set([0.25]));
  const back = play();
  assert.ok(back[0]! < 0.26 && back[RAMP / 2]! > 0.3 && back[RAMP - 1] === 0.5);
});

test("a guess of noise is as loud as the noise, and of silence is silent", () => {
  const g = new Guesser(2);
  const pcm = new Float32Array(2 * FRAME_SAMPLES);
  const overlap = new Float32Array(2 * RAMP);
  g.fill(pcm, overlap);
  assert.equal(peak(pcm), 0);
  let seed = 1;
  const noise = pcm.map(() => ((seed = (seed * 16807) % 2147483647) / 2147483647) - 0.5);
  g.heard(noise);
  g.heard(noise);
  g.fill(pcm, overlap);
  const power = (x: Float32Array) => x.reduce((sum, v) => sum + v * v, 0) / x.length;
  assert.ok(Math.abs(power(pcm) / power(noise) - 1) < 0.5, `${power(pcm) / power(noise)}`);
  assert.ok(peak(overlap) > 0);
});
