import { type Message, message } from "./message";

/**
 * Asks the other end to leave, for uri if there is one (docs/wire.md, section 11).
 *
 *     GOAWAY { Length (i), URI (string) }
 */
export interface Goaway {
  /** Empty: anywhere else. */
  uri: string;
}

/** The codec of {@link Goaway}. */
export const Goaway: Message<Goaway> = message(
  "goaway",
  (w, m) => w.string(m.uri),
  (c) => ({ uri: c.string() }),
);
