import { Limit, ProtocolError } from "./errors";
import type { Reader } from "./reader";
import { ResetCode } from "./reset";
import { maxInteger, unzigzag, zigzag } from "./varint";
import type { Writer } from "./writer";

/**
 * One payload of a group with its time. It has no message length of its own
 * (docs/wire.md, section 7.1):
 *
 *     FRAME { Timestamp Delta (i), Size (i), Payload (..) }
 */
export interface Frame {
  /** In units of the track's timescale. Above 2^53-1 it is refused: no number holds it. */
  timestamp: number;
  payload: Uint8Array;
}

/** Writes f. `previous` is the timestamp of the frame before it in the group, 0 for the first. */
export function appendFrame(w: Writer, f: Frame, previous: number): void {
  w.varint(zigzag(f.timestamp - previous));
  w.sized(f.payload);
}

/**
 * The next frame of a group, or undefined at its end. `previous` is the timestamp
 * of the frame before it, 0 for the first. A payload above `limit` bytes throws
 * with {@link ResetCode}.FrameTooLarge before any of it is kept.
 */
export async function readFrame(r: Reader, previous: number, limit: number = Limit.frame): Promise<Frame | undefined> {
  const where = "frame";
  const delta = await r.first(where);
  if (delta === undefined) return undefined;
  const timestamp = BigInt(previous) + BigInt(unzigzag(delta));
  if (timestamp < 0n || timestamp > BigInt(maxInteger)) throw new ProtocolError(where, `timestamp ${timestamp} out of range`);
  const size = await r.varint(where);
  if (size > limit) {
    throw new ProtocolError(where, `too long: ${size} bytes, above ${limit}`, "malformed", ResetCode.FrameTooLarge);
  }
  return { timestamp: Number(timestamp), payload: await r.bytes(Number(size), where) };
}
