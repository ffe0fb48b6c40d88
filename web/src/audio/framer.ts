import { FRAME_SAMPLES, SAMPLE_RATE } from "./config";
import { Resampler } from "./resampler";

/**
 * Cuts what a device captures, in blocks of any length and at any rate, into
 * frames of 20 ms at 48 kHz, one channel.
 */
export class Framer {
  private readonly ratio: number;
  private readonly resampler: Resampler | null;
  private readonly frame = new Float32Array(FRAME_SAMPLES);
  private filled = 0;

  /** rate is the device's, samples a second. */
  constructor(rate: number) {
    this.ratio = rate / SAMPLE_RATE;
    this.resampler = this.ratio === 1 ? null : new Resampler(1, Math.min(1, 1 / this.ratio));
  }

  /** Takes a block and returns the frames that it completes, which are the caller's to keep. */
  push(block: Float32Array): Float32Array[] {
    if (!this.resampler) return this.cut(block);
    this.resampler.write(block);
    const frames: Float32Array[] = [];
    while (this.resampler.ready(FRAME_SAMPLES, this.ratio)) {
      const frame = new Float32Array(FRAME_SAMPLES);
      this.resampler.read(frame, this.ratio);
      frames.push(frame);
    }
    return frames;
  }

  private cut(block: Float32Array): Float32Array[] {
    const frames: Float32Array[] = [];
    for (let at = 0; at < block.length; ) {
      const n = Math.min(block.length - at, FRAME_SAMPLES - this.filled);
      this.frame.set(block.subarray(at, at + n), this.filled);
      this.filled += n;
      at += n;
      if (this.filled === FRAME_SAMPLES) {
        frames.push(this.frame.slice());
        this.filled = 0;
      }
    }
    return frames;
  }
}
