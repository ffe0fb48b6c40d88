import { Cursor } from "./cursor";
import type { Wide } from "./varint";
import { Writer } from "./writer";

/**
 * A group of one frame that may get lost (docs/wire.md, section 8): the whole body
 * of a datagram.
 *
 *     DATAGRAM { Subscribe ID (i), Sequence (i), Timestamp (i), Payload (..) }
 */
export interface Datagram {
  subscribeId: Wide;
  sequence: number;
  /** As it is, not a difference as in a frame. */
  timestamp: number;
  /** Shares memory with the bytes it was parsed from. */
  payload: Uint8Array;
}

/** The bytes of d. Above 1200 they must not be sent; whoever sends looks at the length. */
export function encodeDatagram(d: Datagram): Uint8Array<ArrayBuffer> {
  const w = new Writer(24 + d.payload.length);
  w.varint(d.subscribeId);
  w.varint(d.sequence);
  w.varint(d.timestamp);
  w.raw(d.payload);
  return w.bytes();
}

/** Reads the datagram that b is. The payload is the end of b. */
export function parseDatagram(b: Uint8Array): Datagram {
  const c = new Cursor(b, "datagram", false);
  return { subscribeId: c.wide(), sequence: c.varint(), timestamp: c.varint(), payload: c.rest() };
}
