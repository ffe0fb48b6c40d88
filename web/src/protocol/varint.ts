/**
 * An integer of the wire, 0 to 2^62-1: a number up to 2^53-1 and a bigint above,
 * never the other way round, so that `===` and a Map compare it rightly. Only ids
 * that are handed back as they came are of this type: hop ids and Subscribe IDs.
 */
export type Wide = number | bigint;

/** The largest integer that the wire can carry (RFC 9000 §16). */
export const maxVarint = (1n << 62n) - 1n;

/** The largest integer that Stentor sends, and that a plain number field takes. */
export const maxInteger = Number.MAX_SAFE_INTEGER;

/** The form of v that {@link Wide} asks for. */
export function wide(v: bigint): Wide {
  return v <= BigInt(maxInteger) && v >= -BigInt(maxInteger) ? Number(v) : v;
}

/**
 * How many bytes the shortest form of v takes. A value that the wire cannot carry
 * is the caller's mistake: a RangeError.
 */
export function varintSize(v: Wide): 1 | 2 | 4 | 8 {
  if (v < 0 || v > maxVarint || (typeof v === "number" && !Number.isSafeInteger(v))) {
    throw new RangeError(`${v} is no varint`);
  }
  if (v < 1 << 6) return 1;
  if (v < 1 << 14) return 2;
  if (v < 1 << 30) return 4;
  return 8;
}

/** Writes v at `at` in the shortest form and returns where it ends. There must be room. */
export function putVarint(b: Uint8Array, at: number, v: Wide): number {
  const size = varintSize(v);
  if (size === 8) {
    new DataView(b.buffer, b.byteOffset).setBigUint64(at, BigInt(v) | (3n << 62n));
    return at + 8;
  }
  let rest = Number(v);
  for (let i = at + size - 1; i >= at; i--) {
    b[i] = rest & 0xff;
    rest >>>= 8;
  }
  b[at]! |= size === 4 ? 0x80 : size === 2 ? 0x40 : 0;
  return at + size;
}

/** How many bytes the varint takes that starts with the byte `first`. */
export function varintLength(first: number): 1 | 2 | 4 | 8 {
  return (1 << (first >> 6)) as 1 | 2 | 4 | 8;
}

/** Reads the varint at `at`, all of whose bytes must be there. */
export function getVarint(b: Uint8Array, at: number): Wide {
  const size = varintLength(b[at]!);
  let high = b[at]! & 0x3f;
  if (size < 8) {
    for (let i = 1; i < size; i++) high = high * 256 + b[at + i]!;
    return high;
  }
  for (let i = 1; i < 4; i++) high = high * 256 + b[at + i]!;
  let low = 0;
  for (let i = 4; i < 8; i++) low = low * 256 + b[at + i]!;
  if (high < 1 << 21) return high * 2 ** 32 + low;
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Folds the sign into the lowest bit: 0, -1, 1, -2 become 0, 1, 2, 3. */
export function zigzag(d: Wide): Wide {
  if (typeof d === "number" && Math.abs(d) < 2 ** 52) return d < 0 ? -2 * d - 1 : 2 * d;
  const big = BigInt(d);
  return wide(big < 0n ? -2n * big - 1n : 2n * big);
}

/** The inverse of {@link zigzag}. */
export function unzigzag(u: Wide): Wide {
  if (typeof u === "number") return u % 2 === 0 ? u / 2 : -(u + 1) / 2;
  return wide(u % 2n === 0n ? u / 2n : -(u + 1n) / 2n);
}
