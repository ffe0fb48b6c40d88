import { Cursor } from "./cursor";
import type { Reader } from "./reader";
import { Writer } from "./writer";

/** What every message can do. */
export interface Message<M> {
  /** Writes m behind what is in w. */
  append(w: Writer, m: M): void;
  /** The bytes of m. */
  encode(m: M): Uint8Array<ArrayBuffer>;
  /** Reads the message at the start of b and says how many bytes it took. */
  parse(b: Uint8Array): { message: M; size: number };
  /** Reads the message off a stream, or undefined where the stream ends before it. */
  read(r: Reader): Promise<M | undefined>;
}

/**
 * A message that is a length and a body (docs/wire.md, section 4.2). `read` must
 * take all of the body.
 */
export function message<M>(where: string, write: (w: Writer, m: M) => void, read: (c: Cursor) => M): Message<M> {
  const take = (body: Cursor): M => {
    const m = read(body);
    body.finish();
    return m;
  };
  return withEncode({
    append: (w, m) => w.body((body) => write(body, m)),
    parse(b) {
      const head = new Cursor(b, where, false);
      return { message: take(head.body()), size: head.taken };
    },
    async read(r) {
      const body = await r.body(where);
      return body && take(body);
    },
  });
}

/** Adds `encode` to what can append. */
export function withEncode<M>(codec: Omit<Message<M>, "encode">): Message<M> {
  return {
    ...codec,
    encode(m) {
      const w = new Writer();
      codec.append(w, m);
      return w.bytes();
    },
  };
}
