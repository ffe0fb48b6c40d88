import type { Datagrams } from "./connection";

/** Datagrams that may wait in the browser on their way in: a second of ten speakers while the page is busy. */
const incomingWaiting = 512;

/** Datagrams that may wait on their way out, here and in the browser. */
const outgoingWaiting = 16;

/** How long the browser may keep a datagram before it throws it away, in milliseconds: later it plays for nobody. */
const outgoingMaxAgeMs = 500;

/** The part of WebTransport's datagrams that all browsers have, and the new way to a writable. */
export type WebDatagrams = Pick<WebTransportDatagramDuplexStream, "readable" | "maxDatagramSize"> & {
  readonly writable?: WritableStream<Uint8Array>;
  createWritable?(options?: object): WritableStream<Uint8Array>;
};

/** Datagrams of a WebTransport session. Writing never waits: the oldest that wait are dropped. */
export class DatagramChannel implements Datagrams {
  /** How many were dropped here because the browser took them too slowly. */
  dropped = 0;

  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  private readonly waiting: Uint8Array[] = [];
  private pumping = false;
  private over = false;

  constructor(private readonly web: WebDatagrams) {
    // Browsers without one of these attributes get a property that nobody reads. Later
    // drafts have other names for two of them.
    Object.assign(web, {
      incomingHighWaterMark: incomingWaiting,
      incomingMaxBufferedDatagrams: incomingWaiting,
      outgoingHighWaterMark: outgoingWaiting,
      outgoingMaxBufferedDatagrams: outgoingWaiting,
      outgoingMaxAge: outgoingMaxAgeMs,
    });
    this.reader = web.readable.getReader();
    const writable = web.createWritable?.() ?? web.writable;
    if (writable === undefined) throw new Error("this browser's datagrams cannot be written");
    this.writer = writable.getWriter();
    this.writer.closed.catch(() => {});
    this.writer.ready.catch(() => {});
  }

  get maxSize(): number {
    return this.web.maxDatagramSize;
  }

  async read(): Promise<Uint8Array | undefined> {
    const next = await this.reader.read().catch(() => undefined); // the session has ended
    return next?.value;
  }

  write(b: Uint8Array): void {
    if (this.over) return;
    if (this.waiting.length >= outgoingWaiting) {
      this.waiting.shift();
      this.dropped++;
    }
    this.waiting.push(b);
    if (!this.pumping) void this.pump();
  }

  private async pump(): Promise<void> {
    this.pumping = true;
    try {
      while (this.waiting.length > 0) {
        await this.writer.ready;
        const b = this.waiting.shift();
        if (b !== undefined) this.writer.write(b).catch(() => {}); // `ready` tells when it is time for the next
      }
    } catch {
      this.over = true; // the session has ended
      this.waiting.length = 0;
    } finally {
      this.pumping = false;
    }
  }
}
