/** Where the counters are in the ring's memory, in words of 4 bytes. */
const WRITTEN = 0;
const READ = 1;
const WORDS = 2;

/**
 * Samples on their way from one thread to another: one side writes, the other
 * reads, and neither waits. With shared memory the two sides are two rings over
 * the same memory; otherwise both use one. Positions count samples modulo 2^32.
 */
export class Ring {
  readonly memory: ArrayBufferLike;
  /** Interleaved in every sample. */
  readonly channels: number;

  private readonly counters: Int32Array;
  private readonly values: Float32Array;
  private readonly size: number; // in samples

  constructor(memory: ArrayBufferLike, channels: number) {
    this.memory = memory;
    this.channels = channels;
    this.counters = new Int32Array(memory, 0, WORDS);
    this.values = new Float32Array(memory, WORDS * 4);
    this.size = this.values.length / channels;
  }

  /** The bytes a ring of that many samples needs: a power of two, so that positions may wrap. */
  static bytes(samples: number, channels: number): number {
    return WORDS * 4 + samples * channels * 4;
  }

  /** Samples that wait. */
  get queued(): number {
    return (Atomics.load(this.counters, WRITTEN) - Atomics.load(this.counters, READ)) >>> 0;
  }

  /** Adds interleaved samples, as many as there is room for, and returns how many that were. */
  write(pcm: Float32Array): number {
    const { channels, size } = this;
    const written = Atomics.load(this.counters, WRITTEN) >>> 0;
    const n = Math.min(pcm.length / channels, size - this.queued);
    const start = written % size;
    const head = Math.min(n, size - start);
    this.values.set(pcm.subarray(0, head * channels), start * channels);
    this.values.set(pcm.subarray(head * channels, n * channels), 0);
    Atomics.store(this.counters, WRITTEN, (written + n) | 0);
    return n;
  }

  /** Fills the beginning of the planes, one for each channel, and returns how many samples there were. */
  read(planes: Float32Array[]): number {
    const { channels, size, values } = this;
    const read = Atomics.load(this.counters, READ) >>> 0;
    const n = Math.min(planes[0]?.length ?? 0, this.queued);
    const start = read % size;
    const head = Math.min(n, size - start);
    for (let ch = 0; ch < planes.length; ch++) {
      const plane = planes[ch]!;
      if (channels === 1) { // a mono mix goes to every side
        plane.set(values.subarray(start, start + head));
        plane.set(values.subarray(0, n - head), head);
        continue;
      }
      const from = Math.min(ch, channels - 1);
      for (let i = 0, at = start; i < n; i++) {
        plane[i] = values[at * channels + from]!;
        at = at + 1 === size ? 0 : at + 1;
      }
    }
    Atomics.store(this.counters, READ, (read + n) | 0);
    return n;
  }
}
