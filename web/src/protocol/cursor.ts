import { Limit, ProtocolError, short } from "./errors";
import { type Path, parsePath } from "./path";
import { getVarint, maxInteger, varintLength, type Wide } from "./varint";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Takes fields off the front of bytes; the first that does not fit throws a {@link ProtocolError}. */
export class Cursor {
  private at = 0;

  /**
   * `where` names the message in errors. `whole` says that all of it is here, so
   * that an end inside a field is malformed and not merely short.
   */
  constructor(
    private readonly bytes: Uint8Array,
    readonly where: string,
    private readonly whole: boolean,
  ) {}

  /** Bytes taken so far. */
  get taken(): number {
    return this.at;
  }

  /** Bytes left. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  fail(what: string): ProtocolError {
    return new ProtocolError(this.where, `${what} (before byte ${this.at})`);
  }

  u8(): number {
    this.need(1);
    return this.bytes[this.at++]!;
  }

  /** 0 or 1 and nothing else. */
  bool(): boolean {
    const v = this.u8();
    if (v > 1) throw this.fail(`${v} is no bool`);
    return v === 1;
  }

  /** An integer that is handed back as it came. */
  wide(): Wide {
    this.need(1);
    const size = varintLength(this.bytes[this.at]!);
    this.need(size);
    const v = getVarint(this.bytes, this.at);
    this.at += size;
    return v;
  }

  /** An integer that we count with. One above 2^53-1, which no number holds, is refused. */
  varint(): number {
    const v = this.wide();
    if (typeof v === "bigint") throw this.fail(`integer ${v} is above 2^53-1`);
    return v;
  }

  /** A sequence or none; see {@link Writer.sequence}. */
  sequence(): number | undefined {
    const v = this.wide();
    if (v === 0) return undefined;
    const sequence = typeof v === "bigint" ? v - 1n : v - 1;
    if (sequence > maxInteger) throw this.fail(`sequence ${sequence} is above 2^53-1`);
    return Number(sequence);
  }

  /** The next n bytes. They share memory with the input. */
  raw(n: Wide): Uint8Array {
    if (n > this.left) throw this.ends();
    const start = this.at;
    this.at += Number(n);
    return this.bytes.subarray(start, this.at);
  }

  /** A length and as many bytes. */
  sized(): Uint8Array {
    return this.raw(this.wide());
  }

  /** Whatever is left. */
  rest(): Uint8Array {
    return this.raw(this.left);
  }

  string(): string {
    return this.text(this.sized());
  }

  /** Checks that b, taken off before, is UTF-8. */
  text(b: Uint8Array): string {
    try {
      return utf8.decode(b);
    } catch {
      throw this.fail("string is not UTF-8");
    }
  }

  path(): Path {
    return parsePath(this.string(), this.where);
  }

  /** The body of a message: an allowed length and as many bytes. */
  body(): Cursor {
    const size = this.wide();
    checkBody(size, this.where);
    return new Cursor(this.raw(size), this.where, true);
  }

  /** Throws if bytes are left. */
  finish(): void {
    if (this.left > 0) throw this.fail(`${this.left} bytes too many`);
  }

  private need(n: number): void {
    if (this.left < n) throw this.ends();
  }

  private ends(): ProtocolError {
    return this.whole ? this.fail("body ends inside a field") : short(this.where);
  }
}

/** Throws if a message may not have a body of so many bytes. */
export function checkBody(size: Wide, where: string): asserts size is number {
  if (size > Limit.message) throw new ProtocolError(where, `too long: a body of ${size} bytes, above ${Limit.message}`);
}
