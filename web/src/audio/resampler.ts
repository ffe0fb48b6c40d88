import { PHASES, sincTable, TAPS } from "./sinc";

/** Samples the filter needs before the one it reads. */
const BEFORE = TAPS / 2 - 1;

/**
 * Plays audio faster or slower: its output is the input read at steps of a
 * ratio, by windowed-sinc interpolation. The ratio may change with every read;
 * the phase goes on. A ratio of 1 costs next to nothing: the input is copied, once the
 * output's samples are where the input's are. At ratios near 1 all but the sound's noise floor is kept (85
 * dB up to 19.5 kHz); for ratios well above 1 give the constructor the cutoff
 * 1/ratio.
 */
export class Resampler {
  private readonly channels: number;
  private readonly table: Float32Array;
  private input: Float32Array; // interleaved
  private length: number; // of what is in it, in samples per channel
  private position = BEFORE; // of the next output sample in it

  /** Of interleaved PCM of 1 or 2 channels. */
  constructor(channels: number, cutoff = 1) {
    this.channels = channels;
    this.table = sincTable(cutoff);
    this.input = new Float32Array(8192 * channels);
    this.length = BEFORE; // silence before the first sample
  }

  /** How many samples of each channel were written and not yet reached. */
  get queued(): number {
    return this.length - this.position;
  }

  /** Whether n samples can be read at ratio. */
  ready(n: number, ratio: number): boolean {
    return Math.round(this.position + n * ratio) + TAPS / 2 < this.length;
  }

  /** Queues the first `samples` (of each channel) of pcm. */
  write(pcm: Float32Array, samples = pcm.length / this.channels): void {
    this.compact();
    const end = this.length + samples;
    if (end * this.channels > this.input.length) {
      const bigger = new Float32Array(2 * end * this.channels);
      bigger.set(this.input);
      this.input = bigger;
    }
    this.input.set(pcm.subarray(0, samples * this.channels), this.length * this.channels);
    this.length = end;
  }

  /** Drops the input that no output sample will need, when that is much. */
  private compact(): void {
    const done = Math.floor(this.position) - BEFORE;
    if (done < 2048) return;
    this.input.copyWithin(0, done * this.channels, this.length * this.channels);
    this.length -= done;
    this.position -= done;
  }

  /** Fills out at ratio input samples for each output sample. It must be ready. */
  read(out: Float32Array, ratio: number): void {
    if (ratio !== 1) return this.interpolate(out, ratio);
    // To the nearest whole sample within this read: half a sample of a thousand is nothing.
    const samples = out.length / this.channels;
    const end = Math.round(this.position + samples);
    if (Number.isInteger(this.position)) out.set(this.input.subarray(this.position * this.channels, end * this.channels));
    else this.interpolate(out, (end - this.position) / samples);
    this.position = end;
  }

  private interpolate(out: Float32Array, ratio: number): void {
    const { channels, table, input } = this;
    for (let i = 0; i < out.length; i += channels) {
      const whole = Math.floor(this.position);
      const phase = (this.position - whole) * PHASES;
      const row = Math.floor(phase);
      const f = phase - row;
      const a = row * TAPS;
      for (let ch = 0; ch < channels; ch++) {
        let x = (whole - BEFORE) * channels + ch;
        // By the filters on both sides, and between these; every other tap by itself, as none then waits for the one before.
        let even = 0;
        let odd = 0;
        let nextEven = 0;
        let nextOdd = 0;
        for (let k = a; k < a + TAPS; k += 2, x += 2 * channels) {
          const v = input[x]!;
          const w = input[x + channels]!;
          even += table[k]! * v;
          odd += table[k + 1]! * w;
          nextEven += table[k + TAPS]! * v;
          nextOdd += table[k + TAPS + 1]! * w;
        }
        const sum = even + odd;
        out[i + ch] = sum + f * (nextEven + nextOdd - sum);
      }
      this.position += ratio;
    }
  }
}
