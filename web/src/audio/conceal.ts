import type { Decoder } from "./decoder";
import { FRAME_SAMPLES, SAMPLE_RATE } from "./config";
import { Guesser } from "./guess";

/**
 * How long, in samples, audio takes to come up after silence, or to take over
 * from a guess: 5 ms, enough that it does not click and too little to swallow a
 * consonant.
 */
export const RAMP = SAMPLE_RATE / 200;

/**
 * Makes a frame of PCM of any slot. Audio that stops fades out over a frame of a
 * guess; audio that begins comes up over 5 ms; audio that goes on after a guess
 * is faded into over 5 ms.
 */
export class Concealer {
  /** The decoder's part in guessing; without it there is repetition. */
  decoder: Decoder | null = null;

  private readonly channels: number;
  private readonly limit: number;
  private readonly guesser: Guesser;
  private readonly overlap: Float32Array; // what the guess would have gone on with
  private guessing = false; // the last block was a guess that still sounds
  private gain = 0; // at the end of the last block: 0 after silence, 1 in speech
  private failed = 0; // packets in a row that did not decode

  /** limit is how many blocks may be guessed in a row, fading. */
  constructor(channels: number, limit: number) {
    this.channels = channels;
    this.limit = limit;
    this.guesser = new Guesser(channels);
    this.overlap = new Float32Array(RAMP * channels);
  }

  /** Makes pcm, a decoded frame, continue what came before. */
  play(pcm: Float32Array): void {
    this.failed = 0;
    this.guesser.heard(pcm);
    if (this.guessing) this.takeOver(pcm);
    else this.ramp(pcm, RAMP, 1);
  }

  /** Fills pcm, a frame, in place of a packet that did not decode. */
  undecodable(pcm: Float32Array): void {
    this.failed++;
    this.guess(pcm, FRAME_SAMPLES, fade(this.failed, this.limit));
  }

  /** Fills pcm, a frame, as the run'th block in a row that has no packet. */
  lost(pcm: Float32Array, run: number): void {
    this.guess(pcm, FRAME_SAMPLES, fade(run, this.limit));
  }

  /** Fills the first n samples of pcm with what sounds when speech ends. */
  silence(pcm: Float32Array, n: number): void {
    this.guess(pcm, n, 0);
  }

  /** Lets a guess go on while its gain falls to end over n samples; at nothing, it is not asked for. */
  private guess(pcm: Float32Array, n: number, end: number): void {
    end = Math.min(end, this.gain);
    if (this.gain === 0) {
      pcm.fill(0);
      this.guessing = false;
      return;
    }
    if (!this.decoder?.conceal?.(pcm, this.overlap)) this.guesser.fill(pcm, this.overlap);
    this.ramp(pcm, n, end);
    this.guessing = end > 0;
  }

  /** Fades from the guess, which goes on in the overlap, to pcm. */
  private takeOver(pcm: Float32Array): void {
    for (let i = 0; i < RAMP * this.channels; i++) {
      const share = (Math.floor(i / this.channels) + 1) / RAMP;
      pcm[i] = pcm[i]! * share + this.overlap[i]! * this.gain * (1 - share);
    }
    this.gain = 1;
    this.guessing = false;
  }

  /** Takes the gain of pcm from where it is to end over n samples. */
  private ramp(pcm: Float32Array, n: number, end: number): void {
    if (this.gain === 1 && end === 1) return;
    const step = (end - this.gain) / n;
    for (let i = 0; i < pcm.length / this.channels; i++) {
      const gain = i < n ? this.gain + step * (i + 1) : end;
      for (let ch = 0; ch < this.channels; ch++) pcm[i * this.channels + ch]! *= gain;
    }
    this.gain = end;
  }
}

/** The gain at the end of the run'th guessed block in a row: full for the first, none for the last. */
export function fade(run: number, limit: number): number {
  if (run >= limit) return 0;
  return (limit - run) / Math.max(limit - 1, 1);
}
