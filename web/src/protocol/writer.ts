import { putVarint, varintSize, type Wide } from "./varint";

const utf8 = new TextEncoder();

/** Puts fields one behind the other into memory that grows. */
export class Writer {
  private buffer: Uint8Array<ArrayBuffer>;
  private end = 0;

  /** `size` is how many bytes to make room for at first. */
  constructor(size = 64) {
    this.buffer = new Uint8Array(size);
  }

  /** The bytes so far. They are the Writer's own until it is dropped. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.end);
  }

  u8(v: number): void {
    if (!Number.isInteger(v) || v < 0 || v > 255) throw new RangeError(`${v} is no byte`);
    this.grow(1);
    this.buffer[this.end++] = v;
  }

  bool(v: boolean): void {
    this.u8(v ? 1 : 0);
  }

  varint(v: Wide): void {
    this.grow(varintSize(v));
    this.end = putVarint(this.buffer, this.end, v);
  }

  /** A sequence or none: 0 for none, else one more than the sequence. */
  sequence(v: number | undefined): void {
    if (v === undefined) this.varint(0);
    else this.varint(v < Number.MAX_SAFE_INTEGER ? v + 1 : BigInt(v) + 1n);
  }

  raw(b: Uint8Array): void {
    this.grow(b.length);
    this.buffer.set(b, this.end);
    this.end += b.length;
  }

  /** A length and as many bytes. */
  sized(b: Uint8Array): void {
    this.varint(b.length);
    this.raw(b);
  }

  string(s: string): void {
    this.sized(utf8.encode(s));
  }

  /** A length and the body that `fill` writes. */
  body(fill: (w: Writer) => void): void {
    const inner = new Writer();
    fill(inner);
    this.sized(inner.bytes());
  }

  private grow(n: number): void {
    if (this.end + n <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.buffer.length, this.end + n));
    larger.set(this.bytes());
    this.buffer = larger;
  }
}
