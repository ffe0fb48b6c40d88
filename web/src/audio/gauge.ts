import type { OutputCounts } from "./output";

/** Where each value is, in words of 4 bytes. */
const LOW = 0;
const PLAYED = 1;
const MISSED = 2;
const UNDERRUNS = 3;
const SOUNDED = 4;
const WORDS = 5;

const LARGEST = 0x7fffffff;

/**
 * What the audio thread and the page tell each other through memory that both
 * have, so that nobody has to be woken to hear it: how much has gone out, and when
 * so little waits that the page is to be called. Each side has one of its own over
 * the same memory.
 */
export class Gauge {
  /** The bytes it needs. */
  static readonly BYTES = WORDS * 4;

  private readonly words: Int32Array;
  private readonly seen = new Uint32Array(WORDS); // the counters as they were last read, which start over at 2^32
  private readonly total: OutputCounts = { played: 0, missed: 0, underruns: 0, sounded: -1 };

  constructor(memory: ArrayBufferLike) {
    this.words = new Int32Array(memory, 0, WORDS);
  }

  /** Samples: when fewer wait, the page is called. */
  get low(): number {
    return Atomics.load(this.words, LOW);
  }

  set low(samples: number) {
    Atomics.store(this.words, LOW, samples);
  }

  /** Says what was counted: the audio thread's part. */
  publish(counts: OutputCounts): void {
    Atomics.store(this.words, PLAYED, counts.played | 0);
    Atomics.store(this.words, MISSED, counts.missed | 0);
    Atomics.store(this.words, UNDERRUNS, counts.underruns | 0);
    Atomics.store(this.words, SOUNDED, Math.min(counts.sounded + 1, LARGEST));
  }

  /** What was counted, for a page that looks once a day or more often. */
  read(): OutputCounts {
    const { total } = this;
    total.played += this.grown(PLAYED);
    total.missed += this.grown(MISSED);
    total.underruns += this.grown(UNDERRUNS);
    total.sounded = Atomics.load(this.words, SOUNDED) - 1;
    return total;
  }

  private grown(word: number): number {
    const now = Atomics.load(this.words, word) >>> 0;
    const by = (now - this.seen[word]!) >>> 0;
    this.seen[word] = now;
    return by;
  }
}

/** Decides on the audio thread when the page is called: once each time that little is left. */
export class Caller {
  private called = false;

  /** Whether to call now, when so many samples wait. */
  due(queued: number, low: number): boolean {
    const little = queued < low;
    const due = little && !this.called;
    this.called = little;
    return due;
  }
}
