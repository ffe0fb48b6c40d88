import { ResetCode } from "./reset";

/**
 * Limits on what a peer can make us hold (docs/wire.md, section 15). Sizes are bytes.
 */
export const Limit = {
  /** Body of a message. */
  message: 64 << 10,
  /** Payload of a frame. */
  frame: 16 << 20,
  /** Catalog document. */
  catalog: 64 << 10,
  /** Datagram that we send; longer ones are read. */
  datagram: 1200,
  /** Hops in an announcement. */
  hops: 32,
  /** Segments in a path. */
  segments: 32,
  /** Parameters in a SETUP. */
  parameters: 64,
  /** Reason of a close. */
  reason: 1024,
} as const;

/**
 * Short: the input ends inside the value, and more bytes may help. Malformed: no
 * further byte can make sense of it.
 */
export type Fault = "short" | "malformed";

/**
 * The only error that a parser throws: `where` is the message, `what` what is
 * wrong with it, and `code` the reset that tells the peer (docs/wire.md, section 13).
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  constructor(
    readonly where: string,
    readonly what: string,
    readonly fault: Fault = "malformed",
    readonly code: ResetCode = ResetCode.Decode,
  ) {
    super(`${where}: ${what}`);
  }
}

/** A ProtocolError of input that ends too early. */
export function short(where: string): ProtocolError {
  return new ProtocolError(where, "input ends inside the value", "short");
}
