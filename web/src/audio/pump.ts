import { FRAME_SAMPLES, SAMPLE_RATE } from "./config";
import { Lead } from "./lead";
import { Resampler } from "./resampler";

/** ms without a call after which playout does not go on but begins anew, live: more than the longest lead. */
export const ASLEEP = 500;

/**
 * How far the ring may run down, in ms below the lead, before the page is woken for
 * it: a packet of 60 ms is late by then. The sound card takes about 32 ms at once: it
 * is to find enough two more times, however short the lead.
 */
const RUN_DOWN = 70;
const LEAST_LEFT = 70;

/** Where a Pump takes blocks from. */
export interface Source {
  /** The 20 ms asked for at now (ms), interleaved, 48 kHz; good until the next call. */
  mix(now: number): Float32Array;
  /** Lets time go by unheard until now. */
  skip(now: number): void;
}

/**
 * Keeps the sound card fed: as many blocks as it takes for `lead` ms to wait in
 * the ring, at the card's rate. Each is asked for at the moment at which it would
 * have been, had the pump been called in time.
 */
export class Pump {
  readonly lead = new Lead();
  /** How often playout skipped to live. */
  skips = 0;

  private readonly source: Source;
  private readonly channels: number;
  private readonly rate: number;
  private readonly resampler: Resampler | null;
  private called: number | null = null; // when the card was last seen to take samples
  private left = 0; // samples that waited after that
  private missed = 0; // samples, at that moment
  private slept = 0; // of those, in sleep
  private woken = -Infinity;

  /** rate is the sound card's, samples a second. */
  constructor(source: Source, channels: number, rate: number) {
    this.source = source;
    this.channels = channels;
    this.rate = rate;
    const ratio = SAMPLE_RATE / rate;
    this.resampler = ratio === 1 ? null : new Resampler(channels, Math.min(1, 1 / ratio));
  }

  /**
   * Takes at now (ms) how many samples wait and how many were missed so far, and
   * returns what to add, in blocks that are the caller's to keep. It may be called at
   * any time, and adds nothing while nobody takes any.
   */
  run(queued: number, missed: number, now: number): Float32Array[] {
    if (this.called === null) this.source.skip(now);
    else if (queued === this.left && missed === this.missed) return [];
    else if (now - this.called > ASLEEP) this.wake(now);
    // Reports from during the sleep come one by one; what they missed is no reason
    // for a longer lead.
    if (now - this.woken < ASLEEP) this.slept += missed - this.missed;
    this.called = now;
    this.missed = missed;
    this.left = queued;
    const lead = this.lead.update(((missed - this.slept) / this.rate) * 1000, now);
    const blocks: Float32Array[] = [];
    for (let ms = (queued / this.rate) * 1000; ms < lead; ) {
      const block = this.block(now + ms - lead);
      blocks.push(block);
      this.left += block.length / this.channels;
      ms += (block.length / this.channels / this.rate) * 1000;
    }
    return blocks;
  }

  /** Samples: the page is to be woken when fewer wait. */
  get low(): number {
    return Math.round((Math.max(this.lead.value - RUN_DOWN, LEAST_LEFT) / 1000) * this.rate);
  }

  /** Is called every so often (ms); when nobody takes samples, playout goes on unheard. */
  idle(now: number): void {
    if (this.called === null || now - this.called > ASLEEP) this.source.skip(now);
  }

  private wake(now: number): void {
    this.skips++;
    this.woken = now;
    this.source.skip(now);
  }

  /** The next 20 ms, at the card's rate. */
  private block(now: number): Float32Array {
    if (!this.resampler) return this.source.mix(now).slice();
    const ratio = SAMPLE_RATE / this.rate;
    const samples = Math.round(FRAME_SAMPLES / ratio);
    while (!this.resampler.ready(samples, ratio)) this.resampler.write(this.source.mix(now));
    const out = new Float32Array(samples * this.channels);
    this.resampler.read(out, ratio);
    return out;
  }
}
