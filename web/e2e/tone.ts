/** A steady tone to speak, and what became of it in what was heard. Pure. */

const rate = 48_000;

/**
 * A WAV file (PCM16, mono, 48 kHz) with a sine of half the full scale. A whole
 * number of periods fits into whole seconds, so it loops without a jump.
 */
export function toneWav(hz: number, seconds: number): Uint8Array {
  const samples = rate * seconds;
  const bytes = new Uint8Array(44 + 2 * samples);
  const view = new DataView(bytes.buffer);
  const text = (at: number, tag: string): void => [...tag].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes of a sample of all channels
  view.setUint16(34, 16, true); // bits
  text(36, "data");
  view.setUint32(40, 2 * samples, true);
  for (let i = 0; i < samples; i++) view.setInt16(44 + 2 * i, Math.round(16384 * Math.sin((2 * Math.PI * hz * i) / rate)), true);
  return bytes;
}

/** What a recording of a tone is like from its first to its last sound. */
export interface Heard {
  /** When the tone begins, in ms. */
  fromMs: number;
  /** How long it is heard, in ms. */
  ms: number;
  /** Stretches in which it is far too quiet, in ms since the start of the recording. */
  gaps: { atMs: number; ms: number }[];
  /** The largest turn of its phase against a steady tone from one block of 10 ms to the next, in radians. */
  largestTurn: number;
  /** When that was, in ms. */
  turnAtMs: number;
}

const block = rate / 100; // 10 ms
const fine = rate / 400; // 2.5 ms: a lost packet of 20 ms, or the edge of one, cannot hide between them

/** Looks at a recording (48 kHz, mono) of a tone of hz. */
export function analyse(samples: Float32Array, hz: number): Heard {
  const loud = loudnessOf(samples);
  // The median is that of the tone: what is far below it, between two parts of it, is a gap.
  const median = [...loud].filter((value) => value > 0.01).sort((a, b) => a - b)[Math.floor(loud.filter((value) => value > 0.01).length / 2)] ?? 0;
  const sounds = loud.map((value) => value > median / 2);
  const first = sounds.indexOf(true);
  const last = sounds.lastIndexOf(true);
  const gaps: Heard["gaps"] = [];
  const onset = 8; // 20 ms: what comes of a decoder's first packet is not yet the tone
  for (let i = first + onset; i <= last; i++) {
    if (first < 0 || sounds[i]) continue;
    const from = i;
    while (!sounds[i]) i++;
    gaps.push({ atMs: from * 2.5, ms: (i - from) * 2.5 });
  }
  const settle = 80; // 200 ms: fade and start of the decoder
  return { fromMs: first * 2.5, ms: (last - first + 1) * 2.5, gaps, ...turns(samples, hz, (first + settle) * fine, (last - 4) * fine) };
}

function loudnessOf(samples: Float32Array): number[] {
  const loud: number[] = [];
  for (let at = 0; at + fine <= samples.length; at += fine) {
    let power = 0;
    for (let i = at; i < at + fine; i++) power += (samples[i] ?? 0) ** 2;
    loud.push(Math.sqrt(power / fine));
  }
  return loud;
}

/** Compares the phase of each block with that of the block before. */
function turns(samples: Float32Array, hz: number, from: number, to: number): { largestTurn: number; turnAtMs: number } {
  let before: number | undefined;
  let largestTurn = 0;
  let turnAtMs = 0;
  for (let at = from; at + block <= to; at += block) {
    let re = 0;
    let im = 0;
    for (let i = at; i < at + block; i++) {
      const angle = (2 * Math.PI * hz * i) / rate;
      re += (samples[i] ?? 0) * Math.cos(angle);
      im += (samples[i] ?? 0) * Math.sin(angle);
    }
    const phase = Math.atan2(im, re);
    if (before !== undefined) {
      const turn = Math.abs(Math.atan2(Math.sin(phase - before), Math.cos(phase - before)));
      if (turn > largestTurn) [largestTurn, turnAtMs] = [turn, (at / rate) * 1000];
    }
    before = phase;
  }
  return { largestTurn, turnAtMs };
}
