import { ResetCode } from "../protocol";
import type { Connection, Datagrams, ReceiveStream, SendStream, Stream } from "./connection";
import { ClosedError, StreamError } from "./errors";

/** What a pair of connections in memory is like. */
export interface MemoryOptions {
  /** Whether it has datagrams. Default true. */
  datagrams?: boolean;
  /** Bytes that may lie unread in a stream before a write waits. Default 64 KiB. */
  window?: number;
  /** Splits every write into pieces of this many bytes. Default: whole. */
  chunk?: number;
}

/** Two ends of one connection, for tests: what one sends the other gets. */
export function memoryPair(options: MemoryOptions = {}): [MemoryConnection, MemoryConnection] {
  const a = new MemoryConnection(options);
  const b = new MemoryConnection(options);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

/** One end of {@link memoryPair}. */
export class MemoryConnection implements Connection {
  readonly transport = "memory";
  readonly datagrams: (Datagrams & { readonly incoming: Queue<Uint8Array> }) | undefined;
  readonly closed: Promise<ClosedError>;
  peer!: MemoryConnection;

  private readonly bidi = new Queue<Stream>();
  private readonly uni = new Queue<ReceiveStream>();
  private readonly pipes = new Set<Pipe>();
  private settle!: (cause: ClosedError) => void;
  private cause: ClosedError | undefined;

  constructor(private readonly options: MemoryOptions) {
    this.closed = new Promise((resolve) => (this.settle = resolve));
    if (options.datagrams === false) return;
    const incoming = new Queue<Uint8Array>();
    this.datagrams = {
      incoming,
      maxSize: 1200,
      read: () => incoming.take(),
      write: (b) => this.cause ?? this.peer.datagrams?.incoming.put(b.slice()),
    };
  }

  async openBidi(): Promise<Stream> {
    this.check();
    const there = this.pipe();
    const back = this.peer.pipe();
    this.peer.bidi.put({ send: back.sender, receive: there.receiver });
    return { send: there.sender, receive: back.receiver };
  }

  async openUni(): Promise<SendStream> {
    this.check();
    const pipe = this.pipe();
    this.peer.uni.put(pipe.receiver);
    return pipe.sender;
  }

  acceptBidi(): Promise<Stream | undefined> {
    return this.bidi.take();
  }

  acceptUni(): Promise<ReceiveStream | undefined> {
    return this.uni.take();
  }

  close(code: ResetCode, reason = ""): void {
    this.end(new ClosedError(code, reason, false));
    this.peer.end(new ClosedError(code, reason, true));
  }

  /** Ends both ends as a lost network does. */
  lose(): void {
    this.end(new ClosedError(undefined, "", false));
    this.peer.end(new ClosedError(undefined, "", false));
  }

  private check(): void {
    if (this.cause) throw this.cause;
  }

  private pipe(): Pipe {
    const pipe = new Pipe(this.options.window ?? 64 << 10, this.options.chunk ?? Infinity);
    this.pipes.add(pipe);
    void pipe.sender.ended.then(() => this.pipes.delete(pipe));
    return pipe;
  }

  private end(cause: ClosedError): void {
    if (this.cause) return;
    this.cause = cause;
    for (const pipe of this.pipes) pipe.cut(cause);
    this.bidi.close();
    this.uni.close();
    this.datagrams?.incoming.close();
    this.settle(cause);
  }
}

/** Values on their way to whoever takes them. */
class Queue<T> {
  private readonly values: T[] = [];
  private waiting: ((value: T | undefined) => void)[] = [];
  private over = false;

  put(value: T): void {
    if (this.over) return;
    const taker = this.waiting.shift();
    if (taker) taker(value);
    else this.values.push(value);
  }

  take(): Promise<T | undefined> {
    const value = this.values.shift();
    if (value !== undefined) return Promise.resolve(value);
    if (this.over) return Promise.resolve(undefined);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  close(): void {
    this.over = true;
    for (const taker of this.waiting.splice(0)) taker(undefined);
  }
}

/** One direction of a stream. */
class Pipe {
  readonly sender: SendStream;
  readonly receiver: ReceiveStream;
  private readonly chunks: Uint8Array[] = [];
  private unread = 0;
  private fin = false;
  private failed: Error | undefined; // what reads and writes throw
  private cancelled = false;
  private wakeReader: (() => void) | undefined;
  private wakeWriters: (() => void)[] = [];
  private settle!: () => void;

  constructor(
    private readonly window: number,
    private readonly chunk: number,
  ) {
    const ended = new Promise<void>((resolve) => (this.settle = resolve));
    this.sender = {
      ended,
      write: (b) => this.write(b),
      close: async () => {
        if (this.failed) throw this.failed;
        this.fin = true;
        this.wake();
        this.settle();
      },
      abort: (code) => this.cut(new StreamError(code, true)),
    };
    this.receiver = {
      read: () => this.read(),
      cancel: (code) => {
        if (this.fin && this.unread === 0) return;
        this.cancelled = true;
        this.cut(new StreamError(code, true));
      },
    };
  }

  /** Ends it early, for whoever reads and whoever writes. */
  cut(cause: Error): void {
    if (this.fin && !this.cancelled && cause instanceof StreamError) return;
    this.failed ??= cause;
    this.wake();
    this.settle();
  }

  private wake(): void {
    this.wakeReader?.();
    for (const wake of this.wakeWriters.splice(0)) wake();
  }

  private async write(b: Uint8Array): Promise<void> {
    if (this.failed) throw this.failed;
    if (this.fin) throw new Error("written after its end");
    for (let at = 0; at < b.length; at += this.chunk) {
      this.chunks.push(b.slice(at, at + Math.min(this.chunk, b.length)));
    }
    this.unread += b.length;
    this.wakeReader?.();
    while (this.unread > this.window && !this.failed) {
      await new Promise<void>((resolve) => this.wakeWriters.push(resolve));
    }
    if (this.failed) throw this.failed;
  }

  private async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.cancelled) return undefined;
      const chunk = this.failed ? undefined : this.chunks.shift();
      if (chunk) {
        this.unread -= chunk.length;
        for (const wake of this.wakeWriters.splice(0)) wake();
        return chunk;
      }
      if (this.failed) throw this.failed;
      if (this.fin) return undefined;
      await new Promise<void>((resolve) => (this.wakeReader = resolve));
    }
  }
}
