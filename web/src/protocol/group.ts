import { type Message, message } from "./message";
import type { Wide } from "./varint";

/**
 * Opens a group stream; the group's frames follow (docs/wire.md, section 7).
 *
 *     GROUP { Length (i), Subscribe ID (i), Sequence (i) }
 */
export interface GroupHeader {
  /** Of the subscription in this session that gets the group. */
  subscribeId: Wide;
  /** Of the group in its track, the same in every session. */
  sequence: number;
}

/** The codec of {@link GroupHeader}. */
export const GroupHeader: Message<GroupHeader> = message(
  "group",
  (w, m) => {
    w.varint(m.subscribeId);
    w.varint(m.sequence);
  },
  (c) => ({ subscribeId: c.wide(), sequence: c.varint() }),
);
