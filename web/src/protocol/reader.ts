import { checkBody, Cursor } from "./cursor";
import { Limit, ProtocolError, short } from "./errors";
import { getVarint, varintLength, type Wide } from "./varint";

/** Where a Reader's bytes come from. */
export interface ByteSource {
  /** The next bytes, of any number, or undefined at the end. Throws what cut the stream short. */
  read(): Promise<Uint8Array | undefined>;
}

/**
 * Takes messages off a stream, however small the pieces in which their bytes
 * arrive. The caller knows from the stream's type and side which one comes next.
 *
 * A stream that ends between two messages gives undefined; one that ends inside a
 * message throws a {@link ProtocolError} that is "short". Errors of the source
 * pass through. After any error the Reader is of no use. Memory follows the bytes
 * that came, never a length that a peer claims.
 */
export class Reader {
  private buffer: Uint8Array = new Uint8Array(0);
  private start = 0;
  private end = 0;
  private own = false; // the buffer is ours and has room behind `end`

  constructor(private readonly source: ByteSource) {}

  /** The type at the start of a stream. It may be none that we know. */
  streamType(): Promise<Wide | undefined> {
    return this.first("stream type");
  }

  /** A varint that opens a message, before which the stream may end. */
  async first(where: string): Promise<Wide | undefined> {
    if (this.end === this.start && !(await this.more())) return undefined;
    return this.varint(where);
  }

  /** A varint inside a message. */
  async varint(where: string): Promise<Wide> {
    await this.fill(1, where);
    const size = varintLength(this.buffer[this.start]!);
    await this.fill(size, where);
    const v = getVarint(this.buffer, this.start);
    this.start += size;
    return v;
  }

  /** n bytes inside a message. */
  async bytes(n: number, where: string): Promise<Uint8Array> {
    await this.fill(n, where);
    this.start += n;
    return this.buffer.subarray(this.start - n, this.start);
  }

  /** The body of a message, or undefined if the stream ends before it. */
  async body(where: string): Promise<Cursor | undefined> {
    const size = await this.first(where);
    if (size === undefined) return undefined;
    checkBody(size, where);
    return new Cursor(await this.bytes(size, where), where, true);
  }

  /** Throws unless the stream ends here. */
  async finish(where: string): Promise<void> {
    if (this.end > this.start || (await this.more())) throw new ProtocolError(where, "bytes after the last message");
  }

  /** Waits until n bytes are here. */
  private async fill(n: number, where: string): Promise<void> {
    if (n > Limit.frame) throw new ProtocolError(where, "too long");
    while (this.end - this.start < n) {
      if (!(await this.more())) throw short(where);
    }
  }

  /** Waits for at least one more byte; false at the end. */
  private async more(): Promise<boolean> {
    let chunk: Uint8Array | undefined;
    do {
      chunk = await this.source.read();
      if (chunk === undefined) return false;
    } while (chunk.length === 0);
    if (this.end === this.start) {
      [this.buffer, this.start, this.end, this.own] = [chunk, 0, chunk.length, false];
      return true;
    }
    this.append(chunk);
    return true;
  }

  /** Puts chunk behind what is there. Bytes that were handed out are never written again. */
  private append(chunk: Uint8Array): void {
    const left = this.end - this.start;
    if (!this.own || this.end + chunk.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(2 * left, left + chunk.length));
      larger.set(this.buffer.subarray(this.start, this.end));
      [this.buffer, this.start, this.end, this.own] = [larger, 0, left, true];
    }
    this.buffer.set(chunk, this.end);
    this.end += chunk.length;
  }
}
