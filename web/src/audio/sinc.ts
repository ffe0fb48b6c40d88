/** Input samples an output sample is made of. */
export const TAPS = 32;

/** Places between two input samples with a filter of their own. */
export const PHASES = 256;

/** Of the Kaiser window: 90 dB. */
const BETA = 9;

const tables = new Map<number, Float32Array>();

/**
 * The filters that read a signal between its samples: row p of TAPS values is for
 * the fraction p/PHASES of a sample; between two rows, interpolate. The last row
 * (PHASES) is the first one shifted by a sample.
 *
 * With a cutoff of 1 (of half the input's rate) it does not limit the band: a
 * ratio within half a percent of 1 folds nothing below 23.8 kHz, and Opus ends at
 * 20 kHz. So row 0 is then the identity. A lower cutoff is for devices whose rate
 * is far below the input's.
 */
export function sincTable(cutoff = 1): Float32Array {
  let table = tables.get(cutoff);
  if (!table) {
    table = compute(cutoff);
    tables.set(cutoff, table);
  }
  return table;
}

function compute(cutoff: number): Float32Array {
  const table = new Float32Array((PHASES + 1) * TAPS);
  const row = new Float64Array(TAPS);
  for (let p = 0; p <= PHASES; p++) {
    let sum = 0;
    for (let k = 0; k < TAPS; k++) {
      const x = k - (TAPS / 2 - 1) - p / PHASES;
      row[k] = sinc(x * cutoff) * kaiser(x / (TAPS / 2));
      sum += row[k]!;
    }
    for (let k = 0; k < TAPS; k++) table[p * TAPS + k] = row[k]! / sum; // a constant stays that constant
  }
  return table;
}

/** sin(πx)/πx, exactly 0 or 1 at whole numbers. */
function sinc(x: number): number {
  if (Number.isInteger(x)) return x === 0 ? 1 : 0;
  return Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The Kaiser window at x, from -1 to 1. */
function kaiser(x: number): number {
  if (x < -1 || x > 1) return 0;
  return bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);
}

/** The modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
