import {
  appendFrame,
  type Frame,
  GroupHeader,
  Reader,
  readFrame,
  ResetCode,
  UniStreamType,
  Writer,
} from "../protocol";
import type { ReceiveStream, SendStream } from "./connection";
import { TimeoutError } from "./errors";

/** A group stream, or the answer to FETCH, on its way in. */
export class GroupReader {
  private last = 0;

  /** `idleMs` bounds the wait for each frame, `maxFrame` the bytes of its payload. */
  constructor(
    /** Of the group in its track. */
    readonly sequence: number,
    private readonly stream: ReceiveStream,
    private readonly reader: Reader,
    private readonly idleMs: number,
    private readonly maxFrame: number,
  ) {}

  /**
   * The next frame, or undefined at the clean end of the group. A peer that leaves
   * the stream hanging is cut off: a TimeoutError.
   */
  async next(): Promise<Frame | undefined> {
    const read = readFrame(this.reader, this.last, this.maxFrame);
    const frame = await deadline(read, this.idleMs, this.stream, "the next frame of a group");
    if (frame !== undefined) this.last = frame.timestamp;
    return frame;
  }

  /** Asks the peer to stop this group. */
  cancel(code: ResetCode = ResetCode.Cancel): void {
    this.stream.cancel(code);
  }
}

/**
 * What `p`, which reads from `stream`, gives, unless that takes more than `ms`: then
 * the stream is stopped and a TimeoutError thrown.
 */
export async function deadline<T>(p: Promise<T>, ms: number, stream: ReceiveStream, what: string): Promise<T> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stream.cancel(ResetCode.Timeout); // the read that waits ends
  }, ms);
  try {
    const value = await p;
    if (!late) return value;
  } catch (e) {
    if (!late) throw e;
  } finally {
    clearTimeout(timer);
  }
  throw new TimeoutError(`waited ${ms} ms for ${what}`);
}

/** Writes the frames of one group. */
export class GroupWriter {
  private last = 0;

  constructor(private readonly stream: SendStream) {}

  /** Sends one frame. */
  async write(frame: Frame): Promise<void> {
    const w = new Writer(16 + frame.payload.length);
    appendFrame(w, frame, this.last);
    this.last = frame.timestamp;
    await this.stream.write(w.bytes());
  }

  /** Ends the group with FIN. */
  close(): Promise<void> {
    return this.stream.close();
  }

  /** Resets the group. */
  abort(code: ResetCode = ResetCode.Cancel): void {
    this.stream.abort(code);
  }
}

/** The first bytes of a group stream. */
export function groupOpening(header: GroupHeader, frame?: Frame): Uint8Array<ArrayBuffer> {
  const w = new Writer(frame ? 32 + frame.payload.length : 32);
  w.varint(UniStreamType.Group);
  GroupHeader.append(w, header);
  if (frame) appendFrame(w, frame, 0);
  return w.bytes();
}
