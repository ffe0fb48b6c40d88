import type { Message } from "./message";
import { Writer } from "./writer";

/**
 * The varint at the start of a unidirectional stream (docs/wire.md, section 4). A
 * stream of another type is stopped, never fatal.
 */
export const UniStreamType = {
  /** Publisher: GROUP, then FRAMEs, FIN. */
  Group: 0,
  /** Both ends, once: SETUP, FIN. */
  Setup: 1,
} as const;

/** The same of bidirectional streams: what the opener sends, then what comes back. */
export const BidiStreamType = {
  /** ANNOUNCE_REQUEST; ANNOUNCE_OK, then ANNOUNCE_BROADCASTs. */
  Announce: 1,
  /** SUBSCRIBE, then SUBSCRIBE_UPDATEs; START, END, DROP. */
  Subscribe: 2,
  /** FETCH; FRAMEs, FIN. */
  Fetch: 3,
  /** Nothing; PROBEs. */
  Probe: 4,
  /** GOAWAY; nothing. */
  Goaway: 5,
  /** TRACK; TRACK_INFO, FIN. */
  Track: 6,
} as const;

/** The first bytes of a stream: its type and a message. */
export function opening<M>(type: number, codec: Message<M>, m: M): Uint8Array<ArrayBuffer> {
  const w = new Writer();
  w.varint(type);
  codec.append(w, m);
  return w.bytes();
}

/** The token of moq-lite-05 in a WebTransport subprotocol and behind `qmux-02.`. */
export const alpn = "moq-lite-05";
