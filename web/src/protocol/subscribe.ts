import type { Cursor } from "./cursor";
import { type Message, message } from "./message";
import type { Path } from "./path";
import type { Wide } from "./varint";
import type { Writer } from "./writer";

/**
 * How a subscriber wants a track's groups: the fields that SUBSCRIBE and
 * SUBSCRIBE_UPDATE share (docs/wire.md, section 6.2).
 */
export interface Delivery {
  /** 0 to 255; higher goes first. */
  priority: number;
  /** The oldest group first, else the newest. */
  ordered: boolean;
  /** Milliseconds that a group which is not the newest may wait; 0 is no wish. */
  maxLatencyMs: number;
  /** First group wanted; undefined: the newest there is. */
  start?: number | undefined;
  /** Last group wanted; undefined: no end. */
  end?: number | undefined;
}

function writeDelivery(w: Writer, m: Delivery): void {
  w.u8(m.priority);
  w.bool(m.ordered);
  w.varint(m.maxLatencyMs);
  w.sequence(m.start);
  w.sequence(m.end);
}

function readDelivery(c: Cursor): Delivery {
  return { priority: c.u8(), ordered: c.bool(), maxLatencyMs: c.varint(), start: c.sequence(), end: c.sequence() };
}

/**
 * Asks for the groups of a track: the first message of a Subscribe stream. Nothing
 * but the groups says that it was accepted.
 *
 *     SUBSCRIBE {
 *       Length (i),
 *       Subscribe ID (i),
 *       Broadcast (path),
 *       Track (string),
 *       Priority (8),
 *       Ordered (bool),
 *       Max Latency (i),
 *       Group Start (seq?),
 *       Group End (seq?),
 *     }
 */
export interface Subscribe extends Delivery {
  /** Chosen by the subscriber, never used twice in a session. */
  id: Wide;
  broadcast: Path;
  track: string;
}

/** The codec of {@link Subscribe}. */
export const Subscribe: Message<Subscribe> = message(
  "subscribe",
  (w, m) => {
    w.varint(m.id);
    w.string(m.broadcast);
    w.string(m.track);
    writeDelivery(w, m);
  },
  (c) => ({ id: c.wide(), broadcast: c.path(), track: c.string(), ...readDelivery(c) }),
);

/** Replaces the {@link Delivery} of the subscription on whose stream it comes. */
export type SubscribeUpdate = Delivery;

/** The codec of {@link SubscribeUpdate}. */
export const SubscribeUpdate: Message<SubscribeUpdate> = message("subscribe update", writeDelivery, readDelivery);
