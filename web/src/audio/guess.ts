/** Shortest and longest stretch that is repeated, in samples: 2.5 and 20 ms. */
const SHORTEST = 120;
const LONGEST = 960;

/** How much of the end must look like what came one stretch before: 5 ms. */
const PATTERN = 240;

/** What is remembered, in samples of each channel. */
const MEMORY = LONGEST + PATTERN;

/**
 * Goes on where audio broke off, for decoders that conceal nothing: by repeating
 * the stretch of the last 20 ms whose end looks most like the end. A voice or a
 * tone goes on in phase; noise stays noise.
 */
export class Guesser {
  private readonly channels: number;
  private readonly past: Float32Array; // the last MEMORY samples, interleaved
  private stretch = 0; // being repeated, in samples; 0: not guessing
  private at = 0; // where in it the guess is

  constructor(channels: number) {
    this.channels = channels;
    this.past = new Float32Array(MEMORY * channels);
  }

  /** Remembers audio that was heard: a block of at most 20 ms. */
  heard(pcm: Float32Array): void {
    const { past } = this;
    past.copyWithin(0, pcm.length);
    past.set(pcm, past.length - pcm.length);
    this.stretch = 0;
  }

  /** Fills pcm with what might come next, and overlap with what might follow that. */
  fill(pcm: Float32Array, overlap: Float32Array): void {
    if (this.stretch === 0) {
      this.stretch = this.bestStretch();
      this.at = 0;
    }
    this.at = this.copy(pcm, this.at);
    this.copy(overlap, this.at);
  }

  /** Repeats the stretch into pcm from the sample at on, and returns where it ended. */
  private copy(pcm: Float32Array, at: number): number {
    const { past, channels, stretch } = this;
    const from = past.length - stretch * channels;
    for (let i = 0; i < pcm.length; i += channels) {
      for (let ch = 0; ch < channels; ch++) pcm[i + ch] = past[from + at * channels + ch]!;
      at = (at + 1) % stretch;
    }
    return at;
  }

  /** The stretch for which the end correlates best with what came one stretch before it. */
  private bestStretch(): number {
    let best = SHORTEST;
    let most = -Infinity;
    for (let stretch = SHORTEST; stretch <= LONGEST; stretch++) {
      const likeness = this.likeness(stretch);
      if (likeness > most) {
        most = likeness;
        best = stretch;
      }
    }
    return best;
  }

  /** From -1 to 1; of the first channel alone, every other sample: enough for below 10 kHz. */
  private likeness(stretch: number): number {
    const { past, channels } = this;
    let product = 0;
    let power = 1e-9;
    for (let i = MEMORY - PATTERN; i < MEMORY; i += 2) {
      const before = past[(i - stretch) * channels]!;
      product += past[i * channels]! * before;
      power += before * before;
    }
    return product / Math.sqrt(power);
  }
}
