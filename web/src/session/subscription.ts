import {
  type Delivery,
  type Frame,
  Reader,
  ResetCode,
  type Subscribe,
  SubscribeResponse,
  SubscribeUpdate,
} from "../protocol";
import { sleep } from "./abort";
import { reset, type Stream } from "./connection";
import { asError, codeOf } from "./errors";
import type { GroupReader } from "./group";

/** A subscription the publisher has ended goes on taking groups this long: a FIN may overtake the last of them. */
const finishedForMs = 1000;

/** Takes what a subscription delivers. */
export interface Sink {
  /** Takes a group that came as one datagram, and owns the payload. */
  datagram(sequence: number, frame: Frame): void;
  /** Takes a group stream and reads it to its end; it is stopped when the promise settles. */
  group(group: GroupReader): Promise<void>;
  /** The peer has said which group is the first that it delivers. */
  start?(group: number): void;
  /** The peer has said which group is the first that it will not deliver. */
  end?(group: number): void;
  /** The groups from first to last, both included, will not come. */
  drop?(first: number, last: number, code: ResetCode): void;
}

/** What to subscribe to; the Subscribe ID is the session's business. */
export type SubscribeRequest = Omit<Subscribe, "id">;

/** A request of ours that the peer serves. */
export class Subscription {
  /** Why it ended, once it has: undefined when the track did. Never rejects. */
  readonly ended: Promise<Error | undefined>;
  private readonly settle: (cause: Error | undefined) => void;
  private readonly over = new AbortController();

  /** `forget` takes it out of the session's table. */
  constructor(
    /** What was asked for, with its Subscribe ID. */
    readonly request: Subscribe,
    readonly sink: Sink,
    private readonly stream: Stream,
    private readonly forget: (s: Subscription) => void,
  ) {
    let settle!: (cause: Error | undefined) => void;
    this.ended = new Promise((resolve) => (settle = resolve));
    this.settle = settle;
  }

  /** Replaces what the subscription asks for. */
  update(d: Delivery): Promise<void> {
    return this.stream.send.write(SubscribeUpdate.encode(d));
  }

  /** Withdraws the subscription. Nothing reaches the sink any more, but a group call that runs already. */
  close(): void {
    if (!this.finish(new DOMException("unsubscribed", "AbortError"))) return;
    void this.stream.send.close().catch(() => {});
    this.stream.receive.cancel(ResetCode.Cancel);
  }

  /** Ends it with an error, which the peer sees as a reset. */
  fail(cause: Error): void {
    if (this.finish(cause)) reset(this.stream, codeOf(cause));
  }

  /** Marks it as ended, once; false afterwards. */
  private finish(cause: Error | undefined): boolean {
    if (this.over.signal.aborted) return false;
    this.over.abort();
    this.forget(this);
    this.settle(cause);
    return true;
  }

  /** Reads START, END and DROP until the publisher ends the stream. */
  async run(): Promise<void> {
    const r = new Reader(this.stream.receive);
    try {
      for (;;) {
        const m = await SubscribeResponse.read(r);
        if (this.over.signal.aborted) return;
        if (m === undefined) break;
        this.take(m);
      }
    } catch (e) {
      return this.fail(asError(e));
    }
    if (!(await sleep(finishedForMs, this.over.signal))) return;
    if (this.finish(undefined)) void this.stream.send.close().catch(() => {});
  }

  private take(m: SubscribeResponse): void {
    if (m.kind === "start") this.sink.start?.(m.group);
    else if (m.kind === "end") this.sink.end?.(m.group);
    else this.sink.drop?.(m.start, m.end, m.code);
  }
}
