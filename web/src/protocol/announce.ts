import type { Cursor } from "./cursor";
import { Limit } from "./errors";
import { type Message, message } from "./message";
import type { Path } from "./path";
import type { Wide } from "./varint";

/**
 * Asks for the broadcasts at and below a prefix: the first message of an Announce
 * stream (docs/wire.md, section 5).
 *
 *     ANNOUNCE_REQUEST { Length (i), Prefix (path), Exclude Hop (i) }
 */
export interface AnnounceRequest {
  prefix: Path;
  /** Leave out routes through this hop; 0 excludes none. */
  excludeHop: Wide;
}

/** The codec of {@link AnnounceRequest}. */
export const AnnounceRequest: Message<AnnounceRequest> = message(
  "announce request",
  (w, m) => {
    w.string(m.prefix);
    w.varint(m.excludeHop);
  },
  (c) => ({ prefix: c.path(), excludeHop: c.wide() }),
);

/**
 * Opens the answer, exactly once.
 *
 *     ANNOUNCE_OK { Length (i), Hop ID (i), Active Count (i) }
 */
export interface AnnounceOk {
  /** The answering end: last hop of every announcement that follows; never send 0. */
  hopId: Wide;
  /** How many active announcements follow at once. */
  active: number;
}

/** The codec of {@link AnnounceOk}. */
export const AnnounceOk: Message<AnnounceOk> = message(
  "announce ok",
  (w, m) => {
    w.varint(m.hopId);
    w.varint(m.active);
  },
  (c) => ({ hopId: c.wide(), active: c.varint() }),
);

/**
 * Says that a broadcast is there, or no longer.
 *
 *     ANNOUNCE_BROADCAST { Length (i), Status (8), Suffix (path), Hop Count (i), Hop ID (i) ... }
 */
export interface Announce {
  /** On a path that is active already: a new route to it. */
  active: boolean;
  /** Of the broadcast's path, after the requested prefix. */
  suffix: Path;
  /** The route, the original publisher first and without the sender. At most 32. */
  hops: Wide[];
}

const Status = { Ended: 0, Active: 1, Restart: 2 } as const; // nobody sends Restart; it means active

/** The codec of {@link Announce}. */
export const Announce: Message<Announce> = message(
  "announce",
  (w, m) => {
    w.u8(m.active ? Status.Active : Status.Ended);
    w.string(m.suffix);
    w.varint(m.hops.length);
    for (const hop of m.hops) w.varint(hop);
  },
  (c) => ({ active: readStatus(c), suffix: c.path(), hops: readHops(c) }),
);

function readStatus(c: Cursor): boolean {
  const status = c.u8();
  if (status > Status.Restart) throw c.fail(`status ${status}`);
  return status !== Status.Ended;
}

function readHops(c: Cursor): Wide[] {
  const count = c.wide();
  if (count > Limit.hops) throw c.fail(`${count} hops, above ${Limit.hops}`);
  const hops: Wide[] = [];
  for (let i = 0; i < count; i++) hops.push(c.wide());
  return hops;
}
