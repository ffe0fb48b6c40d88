/** Something like speech, and whether it was heard. Pure. */

const rate = 48_000;
/** Length of a step of an envelope, in samples: 20 ms. */
const step = 960;

/** Always the same numbers, 0 to 1 (mulberry32). */
function numbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Syllables: short sounds of a gliding voice with pauses of changing length between
 * them, so that noise suppression takes it for speech and no stretch is like another.
 */
export function speechLike(seconds: number, seed = 7): Float32Array {
  const random = numbers(seed);
  const samples = new Float32Array(rate * seconds);
  let at = 0;
  while (at < samples.length) {
    const length = Math.round(rate * (0.12 + 0.25 * random()));
    const pitch = 110 + 70 * random();
    const glide = 1 + 0.3 * (random() - 0.5);
    const loud = 0.25 + 0.5 * random();
    for (let i = 0; i < length && at + i < samples.length; i++) {
      const t = i / rate;
      const hz = pitch * (1 + ((glide - 1) * i) / length);
      let value = 0;
      for (let harmonic = 1; harmonic <= 20; harmonic++) value += Math.sin(2 * Math.PI * hz * harmonic * t) / (1 + Math.abs(harmonic - 5) / 2);
      samples[at + i] = (loud * Math.sin((Math.PI * i) / length) * value) / 6;
    }
    at += length + Math.round(rate * (0.04 + 0.3 * random() ** 2));
  }
  return samples;
}

/** A WAV file (PCM16, mono, 48 kHz). */
export function wav(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(44 + 2 * samples.length);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(36 + 2 * samples.length, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20); // PCM
  bytes.writeUInt16LE(1, 22); // channels
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(2 * rate, 28); // bytes a second
  bytes.writeUInt16LE(2, 32); // bytes of a sample of all channels
  bytes.writeUInt16LE(16, 34); // bits
  bytes.write("data", 36);
  bytes.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((value, i) => bytes.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, value))), 44 + 2 * i));
  return bytes;
}

/** The first channel of a WAV file of 16 bits. */
export function samplesOf(file: Buffer): Float32Array {
  const channels = file.readUInt16LE(22);
  const data = file.indexOf("data") + 8;
  return Float32Array.from({ length: Math.floor((file.length - data) / 2 / channels) }, (_, i) => file.readInt16LE(data + 2 * channels * i) / 32768);
}

/** How loud each 20 ms are. */
export function envelope(samples: Float32Array): number[] {
  const out: number[] = [];
  for (let at = 0; at + step <= samples.length; at += step) out.push(Math.sqrt(samples.subarray(at, at + step).reduce((sum, value) => sum + value * value, 0) / step));
  return out;
}

/** The best correlation (-1 to 1) of part with any stretch of whole, which goes round and round. */
export function correlation(whole: readonly number[], part: readonly number[]): number {
  let best = -1;
  for (let shift = 0; shift < whole.length; shift++) {
    best = Math.max(best, pearson(part, part.map((_, i) => whole[(shift + i) % whole.length] ?? 0)));
  }
  return best;
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    const [da, db] = [value - ma, (b[i] ?? 0) - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  });
  return ab / Math.sqrt(aa * bb || 1);
}
