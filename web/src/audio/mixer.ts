import { Limiter } from "./limiter";

/**
 * A gain that changes over a block, never in a step: what volume and mute do.
 */
export class Fader {
  private now: number;
  private target: number;

  constructor(gain = 1) {
    this.now = this.target = gain;
  }

  /** The gain at the end of the next block. */
  set(gain: number): void {
    this.target = gain;
  }

  /** Applies itself to a block in place. */
  apply(pcm: Float32Array, channels: number): void {
    if (this.now === 1 && this.target === 1) return;
    const samples = pcm.length / channels;
    const step = (this.target - this.now) / samples;
    for (let i = 0; i < samples; i++) {
      const gain = this.now + step * (i + 1);
      for (let ch = 0; ch < channels; ch++) pcm[i * channels + ch]! *= gain;
    }
    this.now = this.target;
  }
}

/** Sums blocks of PCM and keeps the sum from clipping. */
export class Mixer {
  /** The whole mix's volume, before the limiter. */
  readonly fader = new Fader();

  private readonly channels: number;
  private readonly sum: Float32Array;
  private readonly limiter: Limiter;

  /** Of blocks of samples in each of 1 or 2 channels. */
  constructor(channels: number, samples: number) {
    this.channels = channels;
    this.sum = new Float32Array(channels * samples);
    this.limiter = new Limiter(channels);
  }

  /** Starts a new block with silence. */
  begin(): void {
    this.sum.fill(0);
  }

  /**
   * Adds a block of 1 or 2 interleaved channels. One channel goes to both sides of
   * a stereo mix; two are averaged for a mono one.
   */
  add(pcm: Float32Array, channels: number): void {
    const { sum } = this;
    if (channels === this.channels) {
      for (let i = 0; i < sum.length; i++) sum[i]! += pcm[i]!;
    } else if (this.channels === 2) {
      for (let i = 0; i < sum.length; i++) sum[i]! += pcm[i >> 1]!;
    } else {
      for (let i = 0; i < sum.length; i++) sum[i]! += (pcm[2 * i]! + pcm[2 * i + 1]!) / 2;
    }
  }

  /**
   * Limits the block and returns it; it is good until begin. It is the sum of 5 ms
   * before, as the limiter looks that far ahead.
   */
  end(): Float32Array {
    this.fader.apply(this.sum, this.channels);
    this.limiter.process(this.sum);
    return this.sum;
  }
}
