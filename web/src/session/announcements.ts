import { Announce, AnnounceOk, ProtocolError, Reader, ResetCode, type Wide } from "../protocol";
import type { Stream } from "./connection";
import { codeOf } from "./errors";

/**
 * What the peer announces below a prefix. Iterate it, or call `next`, one at a
 * time; when it ends, however it ends, every broadcast learnt from it is gone.
 */
export class Announcements implements AsyncIterable<Announce> {
  private readonly reader: Reader;
  private opened: Promise<AnnounceOk | undefined> | undefined;
  private cut: Error | undefined;

  /** `release` is called once, when it has ended or was closed. */
  constructor(
    private readonly stream: Stream,
    private release: () => void,
  ) {
    this.reader = new Reader(stream.receive);
  }

  /** How many announcements follow at once as the initial set: waits for ANNOUNCE_OK. */
  async initial(): Promise<number> {
    return (await this.open())?.active ?? 0;
  }

  /**
   * The next announcement with its full chain of hops: the list of the message and
   * the peer's own id last. Undefined when the peer ends the stream or `close` was
   * called; throws why it was cut short.
   */
  async next(): Promise<Announce | undefined> {
    const ok = await this.open();
    const m = ok && (await this.read(Announce));
    if (m === undefined) return undefined;
    return m.active ? { ...m, hops: [...m.hops, ok!.hopId] } : { ...m, hops: [] };
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Announce> {
    try {
      for (;;) {
        const m = await this.next();
        if (m === undefined) return;
        yield m;
      }
    } finally {
      this.close();
    }
  }

  /** The hop id of the peer: from ANNOUNCE_OK, 0 if unknown. */
  async peerHop(): Promise<Wide> {
    return (await this.open())?.hopId ?? 0;
  }

  /** Withdraws the request. */
  close(): void {
    this.done();
    void this.stream.send.close().catch(() => {});
    this.stream.receive.cancel(ResetCode.Cancel);
  }

  /** Ends it because the session or its signal did; `next` throws the cause. */
  fail(cause: Error): void {
    this.cut ??= cause;
    this.close();
  }

  private open(): Promise<AnnounceOk | undefined> {
    this.opened ??= this.read(AnnounceOk);
    return this.opened;
  }

  private async read<M>(codec: { read(r: Reader): Promise<M | undefined> }): Promise<M | undefined> {
    try {
      const m = await codec.read(this.reader);
      if (this.cut) throw this.cut;
      if (m === undefined) this.done();
      return m;
    } catch (e) {
      this.done();
      if (this.cut) throw this.cut;
      if (e instanceof ProtocolError) {
        this.stream.receive.cancel(codeOf(e));
        this.stream.send.abort(codeOf(e));
      }
      throw e;
    }
  }

  private done(): void {
    this.release();
    this.release = () => {};
  }
}
