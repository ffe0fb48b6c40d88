import { type Message, message } from "./message";
import type { Path } from "./path";

/**
 * Asks for one group. The answer is its frames, with no header, then FIN
 * (docs/wire.md, section 9).
 *
 *     FETCH { Length (i), Broadcast (path), Track (string), Priority (8), Group (i) }
 */
export interface Fetch {
  broadcast: Path;
  track: string;
  priority: number;
  group: number;
}

/** The codec of {@link Fetch}. */
export const Fetch: Message<Fetch> = message(
  "fetch",
  (w, m) => {
    w.string(m.broadcast);
    w.string(m.track);
    w.u8(m.priority);
    w.varint(m.group);
  },
  (c) => ({ broadcast: c.path(), track: c.string(), priority: c.u8(), group: c.varint() }),
);
