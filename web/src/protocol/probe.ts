import { type Message, message } from "./message";

/**
 * What a publisher sees of its connection (docs/wire.md, section 10). Both fields
 * are 0 while unknown; a measured 0 is sent as 1.
 *
 *     PROBE { Length (i), Bitrate (i), RTT (i) }
 */
export interface Probe {
  /** bit/s that the publisher thinks it can send. */
  bitrate: number;
  /** Smoothed. */
  rttMs: number;
}

/** The codec of {@link Probe}. */
export const Probe: Message<Probe> = message(
  "probe",
  (w, m) => {
    w.varint(m.bitrate);
    w.varint(m.rttMs);
  },
  (c) => ({ bitrate: c.varint(), rttMs: c.varint() }),
);
