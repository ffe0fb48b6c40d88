import { Ring } from "./ring";

/** Samples over which a mix that comes back after a gap comes up: 2.7 ms at 48 kHz. */
const RAMP = 128;

/** The share of the last sample that is left in each next one of a gap: -60 dB after 3 ms. */
const DECAY = 0.95;

/** What an Output has counted, in samples of each channel. */
export interface OutputCounts {
  /** Put out from the mix. */
  played: number;
  /** Put out as silence because the mix was not there. */
  missed: number;
  /** How often that began. */
  underruns: number;
  /** Put out in all, when the first sample that was not 0 went out; -1 before. */
  sounded: number;
}

/**
 * The sound card's side of the ring: what the worklet does, without the worklet.
 * Where the mix is missing it falls silent, and comes back, without a click. What
 * goes by before the first sample of the mix is not missed.
 */
export class Output {
  readonly counts: OutputCounts = { played: 0, missed: 0, underruns: 0, sounded: -1 };

  private readonly ring: Ring;
  private readonly last: Float32Array; // sample of each plane
  private dry = true; // the ring was empty at the end of the last block
  private coming = RAMP; // samples put out since it came back

  constructor(ring: Ring, planes: number) {
    this.ring = ring;
    this.last = new Float32Array(planes);
  }

  /** Fills a block: a plane for each channel. */
  fill(planes: Float32Array[]): void {
    const size = planes[0]?.length ?? 0;
    const n = this.ring.read(planes);
    const { counts } = this;
    if (n > 0 && this.dry) {
      this.coming = counts.played === 0 ? RAMP : 0;
      this.dry = false;
    }
    planes.forEach((plane, p) => this.smooth(plane, n, p));
    this.coming = Math.min(this.coming + n, RAMP);
    if (counts.sounded < 0 && planes[0]?.some((v) => v !== 0)) counts.sounded = counts.played + counts.missed;
    counts.played += n;
    if (n < size && counts.played > 0) {
      if (!this.dry) counts.underruns++;
      counts.missed += size - n;
    }
    this.dry ||= n < size;
  }

  /** Brings the n samples read up, and lets the rest of the block die away. */
  private smooth(plane: Float32Array, n: number, p: number): void {
    for (let i = 0; i < Math.min(n, RAMP - this.coming); i++) plane[i]! *= (this.coming + i + 1) / RAMP;
    let v = n > 0 ? plane[n - 1]! : this.last[p]!;
    for (let i = n; i < plane.length; i++) plane[i] = v = Math.abs(v) < 1e-4 ? 0 : v * DECAY;
    this.last[p] = v;
  }
}
