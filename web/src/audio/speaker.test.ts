import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_SAMPLES } from "./config";
import { MAX_STRETCH } from "./pace";
import { Playout } from "./playout";
import { Speaker } from "./speaker";
import { type Arrival, during, exponential, micros, packetOf, randomNumbers, roughest, say, ToneDecoder } from "./testing/scene";

const HERTZ = 440;

/** Whether a loudspeaker would click, or the pitch be heard to change, is told from three numbers. */
interface Heard {
  /** Of the sound from its second block on. */
  rough: number;
  /** The greatest step of the tone's phase from one 10 ms to the next, beyond the tone's own, in µs of sound. */
  step: number;
  speaker: Speaker;
  pcm: Float32Array;
}

/**
 * Plays arrivals to a speaker whose listener's sound card is so many ppm slower
 * than the clock, for ms from the first sound on.
 */
function listen(arrivals: Arrival[], ms: number, options: { card?: number; ahead?: number; packetMs?: number } = {}): Heard {
  const queue = [...arrivals].sort((a, b) => a.at - b.at);
  const speaker = new Speaker("ada", { packetMs: options.packetMs ?? 20 });
  const decoder = new ToneDecoder(HERTZ, 0.5, options.ahead ?? 0);
  speaker.use(decoder);
  const blocks: Float32Array[] = [];
  for (let block = 0; blocks.length < ms / 20; block++) {
    const now = block * 20 * (1 + (options.card ?? 0) * 1e-6);
    for (; queue[0] && queue[0].at <= now; queue.shift()) {
      const a = queue[0];
      speaker.buffer.push(a.seq, micros(a.spoken), packetOf(a.seq), a.at);
    }
    decoder.answer(1); // an asynchronous decoder is a frame behind
    const pcm = speaker.render(now);
    if (blocks.length > 0 || pcm.some((v) => v !== 0)) blocks.push(pcm.slice());
  }
  const pcm = new Float32Array(blocks.length * FRAME_SAMPLES);
  blocks.forEach((b, i) => pcm.set(b, i * FRAME_SAMPLES));
  const sound = pcm.subarray(2 * FRAME_SAMPLES);
  return { rough: roughest(sound, HERTZ, 0.5), step: greatestStep(sound), speaker, pcm };
}

/** Of the phase of HERTZ in windows of 10 ms, in µs. */
function greatestStep(pcm: Float32Array): number {
  const turn = (2 * Math.PI * HERTZ) / 48_000;
  let last: number | null = null;
  let most = 0;
  for (let from = 0; from + 480 <= pcm.length; from += 480) {
    let s = 0, c = 0;
    for (let i = 0; i < 480; i++) {
      const weight = 1 - Math.cos((2 * Math.PI * (i + 0.5)) / 480);
      s += weight * pcm[from + i]! * Math.sin(turn * (from + i));
      c += weight * pcm[from + i]! * Math.cos(turn * (from + i));
    }
    const phase = Math.atan2(c, s);
    if (last !== null) {
      const step = phase - last;
      most = Math.max(most, Math.abs(step - 2 * Math.PI * Math.round(step / (2 * Math.PI))));
    }
    last = phase;
  }
  return (most / (2 * Math.PI * HERTZ)) * 1e6;
}

/** What a ratio as far from 1 as is allowed moves in 10 ms, and a little for the measure itself. */
const STRETCHED = 10_000 * MAX_STRETCH + 3;

function assertSmooth({ rough, step }: Heard, allowed = STRETCHED): void {
  assert.ok(rough < 1.05, `roughness ${rough}`);
  assert.ok(step < allowed, `phase steps by ${step} µs`);
}

for (const { speaker, card, bundle } of [
  { speaker: 0, card: 0, bundle: 1 },
  { speaker: 300, card: 0, bundle: 1 },
  { speaker: -300, card: 0, bundle: 1 },
  { speaker: 200, card: -100, bundle: 3 },
  { speaker: -200, card: 100, bundle: 6 },
]) {
  test(`three minutes with a speaker ${speaker} ppm and a sound card ${card} ppm slow, packets of ${bundle * 20} ms`, () => {
    const random = randomNumbers(bundle);
    const frames = 3 * 60 * 50 + 60;
    const arrivals = say(0, frames).bundled(bundle, () => 30 + 3 * exponential(random()));
    for (const a of arrivals) a.at += a.at * speaker * 1e-6;
    const heard = listen(arrivals, 3 * 60_000, { card, packetMs: bundle * 20 });
    assertSmooth(heard, 25); // 0.2 % at the most, once jitter has set the base
    const { lost, late, stalled, refused, played } = heard.speaker.buffer.stats;
    assert.deepEqual([lost, late, stalled, refused], [0, 0, 0, 0]);
    assert.ok(played >= 8990);
    const { skew, lag } = heard.speaker.buffer.timing(180_000);
    assert.ok(Math.abs(skew * 1e6 - speaker) < 20, `skew ${skew * 1e6} ppm`);
    assert.ok(Math.abs(lag) < 10, `lag ${lag} ms`);
  });
}

test("a hop from one relay to another, 40 ms further, with a common stretch, is not heard", () => {
  const talk = say(0, 500);
  const one = talk.sent((seq) => (seq < 260 ? 20 : -1));
  const other = talk.sent((seq) => (seq >= 240 ? 60 : -1));
  const heard = listen([...one, ...other], 9000);
  assertSmooth(heard, 10);
  assert.equal(heard.speaker.buffer.stats.duplicate, 20);
  assert.equal(heard.speaker.buffer.stats.lost, 0);
});

test("a relay dies, the next one has what was missed 150 ms later: not heard", () => {
  const heard = listen(say(0, 500).sent(during(4000, 4150)), 9000);
  assertSmooth(heard, 10);
  assert.equal(heard.speaker.buffer.stats.stalled, 0);
});

test("a lost frame of a steady tone is bridged in phase", () => {
  const heard = listen(say(0, 200).sent((seq) => (seq === 100 ? -1 : 0)), 3000);
  assert.ok(heard.rough < 12, `roughness ${heard.rough}`);
  assert.ok(heard.step < 300, `phase steps by ${heard.step} µs`);
  assert.equal(heard.speaker.buffer.stats.concealed, 1);
});

test("an outage longer than the delay stalls speech, and its lag is made up for by half a percent at most", () => {
  const heard = listen(say(0, 3000).sent(during(10_000, 10_280)), 55_000);
  assert.equal(heard.speaker.buffer.stats.lost, 0);
  assert.ok(heard.speaker.buffer.stats.stalled > 0);
  assert.ok(Math.abs(heard.speaker.buffer.timing(55_000).lag) < 2);
  const after = heard.pcm.subarray(12 * 48_000);
  assertSmooth({ ...heard, rough: roughest(after, HERTZ, 0.5), step: greatestStep(after) });
});

test("a pause of the speaker is silence, and what follows begins when it is due", () => {
  const heard = listen(say(0, 48).say(48, 48, 1960).sent(), 2900);
  const silent = heard.pcm.subarray(1.2 * 48_000, 1.9 * 48_000);
  assert.ok(silent.every((v) => v === 0));
  assert.ok(heard.pcm.subarray(1.98 * 48_000, 2.8 * 48_000).some((v) => v > 0.49));
  assert.ok(heard.rough < 12, `roughness ${heard.rough}`);
  assert.equal(heard.speaker.buffer.stats.stalled, 0);
});

test("a decoder that answers a frame later sounds the same, 40 ms later", () => {
  const sync = listen(say(0, 200).sent(), 3000);
  const later = listen(say(0, 200).sent(), 3000, { ahead: 2 });
  assertSmooth(later, 10);
  assert.equal(later.speaker.behind, 0);
  assert.deepEqual(later.pcm.subarray(0, 48_000), sync.pcm.subarray(0, 48_000));
});

test("a decoder that never answers is concealed, not waited for", () => {
  const speaker = new Speaker("ada");
  speaker.use({ ahead: 2, decode: () => undefined, close: () => undefined });
  for (const a of say(0, 50).sent()) speaker.buffer.push(a.seq, micros(a.spoken), packetOf(a.seq), a.at);
  for (let now = 0; now < 1500; now += 20) assert.ok(speaker.render(now).every((v) => v === 0));
  assert.equal(speaker.behind, 50);
});

test("packets that do not decode are counted and concealed", () => {
  const speaker = new Speaker("ada");
  speaker.use(new ToneDecoder(HERTZ));
  for (const a of say(0, 50).sent()) {
    speaker.buffer.push(a.seq, micros(a.spoken), a.seq % 10 === 5 ? Uint8Array.of(1) : packetOf(a.seq), a.at);
  }
  for (let now = 0; now < 1500; now += 20) speaker.render(now);
  assert.equal(speaker.undecodable, 5);
  assert.equal(speaker.buffer.stats.played, 50);
});

test("the mix: voices come, are muted, go, and come back", () => {
  const playout = new Playout();
  const decoders = [440, 554].map((hertz) => new ToneDecoder(hertz, 0.3));
  const voices = ["ada", "bob"].map((name) => playout.add(name));
  voices.forEach((v, i) => v.use(decoders[i]!));
  assert.throws(() => playout.add("ada"), /already/);
  for (const a of say(0, 500).sent()) for (const v of voices) v.buffer.push(a.seq, micros(a.spoken), packetOf(a.seq), 0);
  let now = 0;
  const loud = (blocks: number) => {
    let peak = 0;
    for (let i = 0; i < blocks; i++, now += 20) peak = Math.max(...playout.mix(now));
    return Math.round(peak * 10) / 10;
  };
  assert.equal(loud(20), 0.6);
  voices[1]!.muted = true;
  assert.equal(loud(5), 0.3);
  assert.ok(voices[1]!.level.peak > -12, "who speaks is seen, muted or not");
  voices[1]!.muted = false;
  voices[0]!.volume = 0;
  assert.equal(loud(5), 0.3);
  playout.volume = 0.5;
  assert.ok(loud(5) <= 0.2);
  playout.muted = true;
  assert.equal(loud(5), 0);
  playout.remove("bob");
  assert.equal(playout.speaker("bob"), undefined);
  playout.add("bob"); // while the other still fades
  loud(1);
  assert.ok(decoders[1]!.closed && !decoders[0]!.closed);
  assert.deepEqual(playout.speakers.map((s) => s.name), ["ada", "bob"]);
  playout.close();
  assert.ok(decoders[0]!.closed);
});

test("a loud crowd does not clip", () => {
  const playout = new Playout();
  for (let i = 0; i < 12; i++) {
    const voice = playout.add(`${i}`);
    voice.use(new ToneDecoder(200 + 37 * i, 0.5));
    for (const a of say(0, 100).sent()) voice.buffer.push(a.seq, micros(a.spoken), packetOf(a.seq), 0);
  }
  for (let now = 0; now < 2000; now += 20) for (const v of playout.mix(now)) assert.ok(Math.abs(v) <= 0.951);
});
