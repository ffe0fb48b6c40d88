import { type Message, message } from "./message";
import type { Path } from "./path";

/**
 * Asks what a track is like (docs/wire.md, section 6.1).
 *
 *     TRACK { Length (i), Broadcast (path), Track (string) }
 */
export interface TrackRequest {
  broadcast: Path;
  track: string;
}

/** The codec of {@link TrackRequest}. */
export const TrackRequest: Message<TrackRequest> = message(
  "track",
  (w, m) => {
    w.string(m.broadcast);
    w.string(m.track);
  },
  (c) => ({ broadcast: c.path(), track: c.string() }),
);

/**
 * The answer. It does not change while the track lives.
 *
 *     TRACK_INFO { Length (i), Priority (8), Ordered (bool), Max Latency (i), Timescale (i) }
 */
export interface TrackInfo {
  /** The publisher's, 0 to 255; breaks ties. */
  priority: number;
  /** Likewise. */
  ordered: boolean;
  /** Milliseconds that groups stay available after the newest one came. */
  maxLatencyMs: number;
  /** Units a second of every timestamp, not 0. */
  timescale: number;
}

/** The codec of {@link TrackInfo}. */
export const TrackInfo: Message<TrackInfo> = message(
  "track info",
  (w, m) => {
    w.u8(m.priority);
    w.bool(m.ordered);
    w.varint(m.maxLatencyMs);
    w.varint(m.timescale);
  },
  (c) => {
    const m = { priority: c.u8(), ordered: c.bool(), maxLatencyMs: c.varint(), timescale: c.varint() };
    if (m.timescale === 0) throw c.fail("timescale 0");
    return m;
  },
);
