// What tests of playout share: talks, paths and a listener's clock.
import { Buffer } from "../buffer";
import { type BufferConfig, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE } from "../config";
import type { Decoder } from "../decoder";
import type { Slot } from "../slot";

/** What the speaker's clock says, in ms, when the listener's says 0. */
const EPOCH = 1_700_000_000_000;

/** The timestamp of what is spoken at a moment (ms). */
export const micros = (spoken: number) => Math.round((EPOCH + spoken) * 1000);

/** A packet that tells its sequence. */
export function packetOf(seq: number): Uint8Array {
  const packet = new Uint8Array(9);
  packet[0] = 0xfc;
  new DataView(packet.buffer).setFloat64(1, seq);
  return packet;
}

export const sequenceOf = (packet: Uint8Array) =>
  new DataView(packet.buffer, packet.byteOffset).getFloat64(1);

/** A frame on its way to the listener; times in ms. */
export interface Arrival {
  at: number;
  seq: number;
  spoken: number;
  repaired?: boolean;
}

/** What a speaker says: each sequence's place in time. */
export class Talk {
  readonly spoken = new Map<number, number>();

  /** n frames more from sequence first on, the first spoken at from. */
  say(first: number, n: number, from: number): this {
    for (let i = 0; i < n; i++) this.spoken.set(first + i, from + i * FRAME_MS);
    return this;
  }

  /** How it arrives when each frame takes transit from the moment it was spoken; a negative transit loses it. */
  sent(transit: (seq: number, spoken: number) => number = () => 0): Arrival[] {
    const arrivals: Arrival[] = [];
    for (const [seq, spoken] of this.spoken) {
      const takes = transit(seq, spoken);
      if (takes >= 0) arrivals.push({ at: spoken + takes, seq, spoken });
    }
    return arrivals;
  }

  /** How it arrives in packets of k frames, each after its last frame; transit is the packet's, from its number. */
  bundled(k: number, transit: (bundle: number) => number = () => 0): Arrival[] {
    const arrivals: Arrival[] = [];
    const takes = new Map<number, number>();
    for (const [seq, spoken] of this.spoken) {
      const bundle = Math.floor(seq / k);
      if (!takes.has(bundle)) takes.set(bundle, transit(bundle));
      const last = bundle * k + k - 1;
      if (takes.get(bundle)! >= 0) arrivals.push({ at: this.spoken.get(last)! + takes.get(bundle)!, seq, spoken });
    }
    return arrivals;
  }
}

export const say = (first: number, n: number, from = 0) => new Talk().say(first, n, from);

/** A transit of nothing, except for some sequences. */
export const except = (transits: Record<number, number>) => (seq: number) => transits[seq] ?? 0;

/** Holds what is spoken from one moment on back until another. */
export const during = (from: number, until: number) => (_: number, spoken: number) =>
  spoken >= from && spoken < until ? until - spoken : 0;

/** Plays arrivals to a buffer and writes down what it gave out. */
export interface Scene {
  config?: BufferConfig;
  talk: Talk;
  arrivals: Arrival[];
  /** Of a FETCH, ms; 0: nobody fetches. */
  roundTrip?: number;
  /** What a FETCH takes this time; negative for lost. Default: the round trip. */
  answer?: () => number;
  /** When to stop, ms. */
  until: number;
  /** Given to Buffer.end after the last arrival, if set. */
  end?: number;
}

/** Runs a scene; the transcript has a letter for each block of 20 ms, with how often it comes in a row. */
export function run(scene: Scene): { buffer: Buffer; transcript: string; fetched: number[] } {
  const buffer = new Buffer(scene.config);
  const queue = [...scene.arrivals].sort((a, b) => a.at - b.at);
  const last = queue.at(-1)?.at ?? 0;
  const fetched: number[] = [];
  const fetch = (now: number) => {
    if (!scene.roundTrip) return;
    for (const { sequence } of buffer.holes(now, scene.roundTrip)) {
      fetched.push(sequence);
      const takes = scene.answer ? scene.answer() : scene.roundTrip;
      const spoken = scene.talk.spoken.get(sequence);
      if (spoken === undefined || takes < 0) continue;
      const arrival = { at: now + takes, seq: sequence, spoken, repaired: true };
      let i = queue.length;
      while (i > 0 && queue[i - 1]!.at > arrival.at) i--;
      queue.splice(i, 0, arrival);
    }
  };
  let letters = "";
  for (let now = 0; now <= scene.until; now += FRAME_MS) {
    for (let a = queue[0]; a && a.at <= now; a = queue[0]) {
      queue.shift();
      const push = a.repaired ? buffer.pushRepaired : buffer.push;
      push.call(buffer, a.seq, micros(a.spoken), packetOf(a.seq), a.at);
      fetch(a.at);
    }
    if (scene.end !== undefined && now >= last) buffer.end(scene.end, now);
    fetch(now);
    const slot = buffer.pop(now);
    if (slot.kind === "play" && sequenceOf(slot.packet) !== slot.sequence) {
      throw new Error(`sequence ${slot.sequence} has the packet of ${sequenceOf(slot.packet)}`);
    }
    letters += letter(slot);
    if (slot.kind === "ended") break;
  }
  return { buffer, transcript: inRuns(letters), fetched };
}

/** P played, R played after repair, L lost, S starved, . silence, E ended. */
function letter(slot: Slot): string {
  switch (slot.kind) {
    case "play": return slot.repaired ? "R" : "P";
    case "lost": return "L";
    case "starved": return "S";
    case "silence": return ".";
    case "ended": return "E";
  }
}

export const inRuns = (letters: string) =>
  (letters.match(/(.)\1*/g) ?? []).map((run) => `${run.length}${run[0]}`).join(" ");

/** Numbers from 0 to 1, the same every time. */
export function randomNumbers(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Exponential of mean 1, of a number from 0 to 1. */
export const exponential = (uniform: number) => -Math.log(1 - uniform);

/** n samples of a sine from sample first on. */
export function tone(hertz: number, height: number, first: number, n: number): Float32Array {
  const step = (2 * Math.PI * hertz) / SAMPLE_RATE;
  return Float32Array.from({ length: n }, (_, i) => height * Math.sin(step * (first + i)));
}

/**
 * Makes each packet (packetOf) its 20 ms of one endless tone, so that whatever is
 * missing, doubled or out of place breaks the tone. With ahead, it answers only
 * when told to.
 */
export class ToneDecoder implements Decoder {
  readonly ahead: number;
  closed = false;
  private readonly hertz: number;
  private readonly height: number;
  private readonly waiting: (() => void)[] = [];

  constructor(hertz: number, height = 0.5, ahead = 0) {
    this.hertz = hertz;
    this.height = height;
    this.ahead = ahead;
  }

  decode(packet: Uint8Array, done: (pcm: Float32Array | null) => void): void {
    const pcm = packet.length === 9
      ? tone(this.hertz, this.height, sequenceOf(packet) * FRAME_SAMPLES, FRAME_SAMPLES)
      : null;
    if (this.ahead === 0) done(pcm);
    else this.waiting.push(() => done(pcm));
  }

  /** Answers all but the last `keep` packets. */
  answer(keep = 0): void {
    for (const done of this.waiting.splice(0, Math.max(this.waiting.length - keep, 0))) done();
  }

  close(): void {
    this.closed = true;
  }
}

/** How far, in dB, all that is not a sine of that frequency lies below the best fitting one. */
export function signalToNoise(pcm: Float32Array, hertz: number, rate = SAMPLE_RATE): number {
  const step = (2 * Math.PI * hertz) / rate;
  let ss = 0, cc = 0, sc = 0, xs = 0, xc = 0;
  pcm.forEach((v, i) => {
    const s = Math.sin(step * i), c = Math.cos(step * i);
    ss += s * s; cc += c * c; sc += s * c; xs += v * s; xc += v * c;
  });
  const det = ss * cc - sc * sc;
  const a = (xs * cc - xc * sc) / det, b = (xc * ss - xs * sc) / det;
  let signal = 0, noise = 0;
  pcm.forEach((v, i) => {
    const fit = a * Math.sin(step * i) + b * Math.cos(step * i);
    signal += fit * fit;
    noise += (v - fit) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

/**
 * The greatest second difference of pcm against that of a sine of the given
 * frequency and height: about 1 for that sine, far more for a click.
 */
export function roughest(pcm: Float32Array, hertz: number, height: number, rate = SAMPLE_RATE): number {
  const step = (2 * Math.PI * hertz) / rate;
  let most = 0;
  for (let i = 2; i < pcm.length; i++) most = Math.max(most, Math.abs(pcm[i]! - 2 * pcm[i - 1]! + pcm[i - 2]!));
  return most / (height * step * step);
}
