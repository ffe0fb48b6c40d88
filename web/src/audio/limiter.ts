import { SAMPLE_RATE } from "./config";
import { sane } from "./level";

/** The highest absolute value of a mixed sample, -0.45 dBFS. */
export const CEILING = 0.95;

/**
 * How far the limiter sees ahead, in samples, and so the delay it adds: 5 ms, in
 * which the gain comes down smoothly.
 */
export const LIMITER_AHEAD = SAMPLE_RATE / 200;

/**
 * Makes the gain come back with a time constant of 2^13 samples, 170 ms: slower
 * than a syllable, faster than a sentence.
 */
const RELEASE = 13;

/**
 * A gain of 1. Gains are whole numbers so that their sums are exact and the gain
 * returns to exactly 1.
 */
const UNITY = 1 << 24;

/**
 * Keeps a mix within the ceiling. For each sample (of all channels together) it
 * knows the gain that sample needs; it holds the least gain needed within the
 * next 5 ms, releases it slowly, and averages over those 5 ms. The average is
 * never above what the sample needs, so nothing clips, and nothing jumps. A mix
 * below the ceiling passes unchanged, 5 ms later.
 */
export class Limiter {
  private readonly channels: number;
  private readonly delay: Float32Array; // a ring of LIMITER_AHEAD samples of each channel
  private readonly need = new Int32Array(LIMITER_AHEAD).fill(UNITY); // a ring: the gain each of those needs
  private readonly held = new Int32Array(LIMITER_AHEAD).fill(UNITY); // a ring: the gain after hold and release
  private sum = LIMITER_AHEAD * UNITY; // of held
  private hold = UNITY; // the newest of held
  private i = 0; // where the rings are
  private calm = LIMITER_AHEAD; // samples since one of held was not 1

  private readonly rising = new Float64Array(LIMITER_AHEAD); // positions of ever greater needs: the first is the least
  private first = 0;
  private n = 0;
  private position = 0;

  /** Of interleaved PCM. */
  constructor(channels: number) {
    this.channels = channels;
    this.delay = new Float32Array(LIMITER_AHEAD * channels);
  }

  /** Limits pcm in place. Blocks may have any length. */
  process(pcm: Float32Array): void {
    if (this.calm >= LIMITER_AHEAD && pcm.length >= this.delay.length && isQuiet(pcm)) return this.pass(pcm);
    for (let at = 0; at + this.channels <= pcm.length; at += this.channels) this.sample(pcm, at);
  }

  /** Delays pcm, and nothing else: what process does, at a fraction of the work, while every gain is 1. */
  private pass(pcm: Float32Array): void {
    const { delay, channels } = this;
    const held = delay.length - channels; // the oldest sample has left already
    const oldest = new Float32Array(held);
    const from = ((this.i + 1) % LIMITER_AHEAD) * channels;
    const tail = delay.subarray(from, from + held);
    oldest.set(tail);
    oldest.set(delay.subarray(0, held - tail.length), tail.length);
    delay.set(pcm.subarray(pcm.length - delay.length));
    pcm.copyWithin(held, 0);
    pcm.set(oldest);
    this.i = 0;
    this.first = this.n = 0; // a need that is not remembered is none
  }

  private sample(pcm: Float32Array, at: number): void {
    const least = this.least(this.gainNeeded(pcm, at));
    this.hold = Math.min(least, this.hold + ((UNITY - this.hold) >> RELEASE) + 1, UNITY);
    this.sum += this.hold - this.held[this.i]!;
    this.held[this.i] = this.hold;
    this.calm = this.hold === UNITY ? this.calm + 1 : 0;

    // The oldest sample of the ring leaves with the average of what was held
    // since it came, itself included.
    const out = (this.i + 1) % LIMITER_AHEAD;
    const gain = Math.floor(this.sum / LIMITER_AHEAD) / UNITY;
    for (let ch = 0; ch < this.channels; ch++) {
      this.delay[this.i * this.channels + ch] = pcm[at + ch]!;
      pcm[at + ch] = this.delay[out * this.channels + ch]! * gain;
    }
    this.i = out;
  }

  /**
   * The gain at which the loudest channel reaches the ceiling. It takes out of
   * the sample what no decoder should make.
   */
  private gainNeeded(pcm: Float32Array, at: number): number {
    let peak = 0;
    for (let ch = at; ch < at + this.channels; ch++) {
      const v = sane(pcm[ch]!);
      pcm[ch] = v;
      peak = Math.max(peak, Math.abs(v));
    }
    return peak <= Math.fround(CEILING) ? UNITY : Math.floor((CEILING / peak) * UNITY);
  }

  /** Adds the need of the newest sample and returns the least of the last LIMITER_AHEAD ones. */
  private least(need: number): number {
    const { rising } = this;
    const last = () => rising[(this.first + this.n - 1) % LIMITER_AHEAD]!;
    while (this.n > 0 && this.need[last() % LIMITER_AHEAD]! >= need) this.n--;
    if (this.n > 0 && rising[this.first]! <= this.position - LIMITER_AHEAD) {
      this.first = (this.first + 1) % LIMITER_AHEAD;
      this.n--;
    }
    this.need[this.position % LIMITER_AHEAD] = need;
    rising[(this.first + this.n) % LIMITER_AHEAD] = this.position;
    this.n++;
    this.position++;
    return this.need[rising[this.first]! % LIMITER_AHEAD]!;
  }
}

/** Whether no sample is above the ceiling, nor one that no decoder should make. */
function isQuiet(pcm: Float32Array): boolean {
  const ceiling = Math.fround(CEILING);
  for (let i = 0; i < pcm.length; i++) if (!(Math.abs(pcm[i]!) <= ceiling)) return false;
  return true;
}
