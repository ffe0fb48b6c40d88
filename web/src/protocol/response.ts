import { Cursor } from "./cursor";
import { ProtocolError } from "./errors";
import { type Message, withEncode } from "./message";
import type { Wide } from "./varint";
import type { Writer } from "./writer";

/**
 * What a publisher says on a Subscribe stream. Unlike other messages it has a type
 * before its length (docs/wire.md, section 6.2):
 *
 *     SUBSCRIBE_START { Type (i) = 0, Length (i), Group (i) }
 *     SUBSCRIBE_END   { Type (i) = 1, Length (i), Group (i) }
 *     SUBSCRIBE_DROP  { Type (i) = 2, Length (i), Start (i), End (i), Error (i) }
 *
 * start: the first group that will be delivered. end: the first that will not be,
 * one more than the last. drop: the groups from start to end, both included, will
 * not come.
 */
export type SubscribeResponse =
  | { kind: "start"; group: number }
  | { kind: "end"; group: number }
  | { kind: "drop"; start: number; end: number; code: number };

const where = "subscribe response";
const Type = { Start: 0, End: 1, Drop: 2 } as const;

/** The codec of {@link SubscribeResponse}. */
export const SubscribeResponse: Message<SubscribeResponse> = withEncode({
  append: write,
  parse(b) {
    const head = new Cursor(b, where, false);
    const type = known(head.wide());
    return { message: take(type, head.body()), size: head.taken };
  },
  async read(r) {
    const type = await r.first(where);
    if (type === undefined) return undefined;
    known(type);
    const body = await r.body(where);
    if (body === undefined) throw new ProtocolError(where, "input ends inside the value", "short");
    return take(type, body);
  },
});

function write(w: Writer, m: SubscribeResponse): void {
  switch (m.kind) {
    case "start":
      w.varint(Type.Start);
      return w.body((w) => w.varint(m.group));
    case "end":
      w.varint(Type.End);
      return w.body((w) => w.varint(m.group));
    case "drop":
      w.varint(Type.Drop);
      return w.body((w) => {
        w.varint(m.start);
        w.varint(m.end);
        w.varint(m.code);
      });
  }
}

function known(type: Wide): Wide {
  if (type > Type.Drop) throw new ProtocolError(where, `type ${type}`);
  return type;
}

function take(type: Wide, body: Cursor): SubscribeResponse {
  const m = fields(type, body);
  body.finish();
  return m;
}

function fields(type: Wide, c: Cursor): SubscribeResponse {
  if (type === Type.Start) return { kind: "start", group: c.varint() };
  if (type === Type.End) return { kind: "end", group: c.varint() };
  return { kind: "drop", start: c.varint(), end: c.varint(), code: c.varint() };
}
