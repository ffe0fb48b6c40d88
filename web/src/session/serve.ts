import {
  AnnounceRequest,
  BidiStreamType,
  Fetch,
  Goaway,
  type Message,
  Probe,
  ProbeLevel,
  ProtocolError,
  Reader,
  ResetCode,
  type Setup,
  Subscribe,
  SubscribeUpdate,
  TrackInfo,
  TrackRequest,
  type Wide,
} from "../protocol";
import { Scope, sleep } from "./abort";
import { type Connection, reset, type Stream } from "./connection";
import { asError, codeOf, Refusal, StreamError } from "./errors";
import { deadline, GroupWriter } from "./group";
import { AnnounceWriter, type Publisher, Subscriber } from "./publisher";

/** What a request has to know of its session. */
export interface Host {
  readonly connection: Connection;
  readonly signal: AbortSignal;
  readonly peerSetup: Promise<Setup>;
}

/** The part of the session's options that requests go by. */
export interface ServeOptions {
  setup: Setup;
  publisher: Publisher;
  onGoaway: (uri: string) => void;
  requestTimeoutMs: number;
}

/** A request that is being read: its stream, and a scope that ends with it. */
interface Request {
  stream: Stream;
  reader: Reader;
  scope: Scope;
  host: Host;
  options: ServeOptions;
}

/** Reads what a stream of the peer asks for and answers it. Never rejects. */
export async function serveRequest(stream: Stream, host: Host, options: ServeOptions): Promise<void> {
  const reader = new Reader(stream.receive);
  const scope = new Scope(host.signal);
  const ms = options.requestTimeoutMs;
  try {
    const type = await deadline(reader.streamType(), ms, stream.receive, "the type of a stream");
    await serve(type, { stream, reader, scope, host, options });
    await stream.send.close();
    // Others end their side by themselves; in a browser that fails once they were told to stop.
    if (isAnswered(type)) await deadline(reader.finish("request"), ms, stream.receive, "the end of a request");
    stream.receive.cancel(ResetCode.Cancel);
  } catch (e) {
    reset(stream, codeOf(e));
  } finally {
    scope.end(new DOMException("request is over", "AbortError"));
  }
}

function isAnswered(type: Wide | undefined): boolean {
  return type === BidiStreamType.Track || type === BidiStreamType.Fetch || type === BidiStreamType.Goaway;
}

async function serve(type: Wide | undefined, r: Request): Promise<void> {
  switch (type) {
    case BidiStreamType.Announce:
      return serveAnnounce(r);
    case BidiStreamType.Subscribe:
      return serveSubscribe(r);
    case BidiStreamType.Fetch:
      return serveFetch(r);
    case BidiStreamType.Probe:
      return serveProbe(r);
    case BidiStreamType.Goaway:
      return r.options.onGoaway((await first(Goaway, r)).uri);
    case BidiStreamType.Track:
      return serveTrack(r);
    default:
      throw new Refusal(ResetCode.UnexpectedStream, `stream type ${type}`);
  }
}

/** The message that opens a request. */
async function first<M>(codec: Message<M>, r: Request): Promise<M> {
  const m = await deadline(codec.read(r.reader), r.options.requestTimeoutMs, r.stream.receive, "a request");
  if (m === undefined) throw new ProtocolError("request", "input ends before it", "short");
  return m;
}

/** Why a request ended: the peer took it back. */
class Withdrawn extends Error {}

/**
 * Ends the scope when the peer ends its half of the stream or says what it must
 * not. `read` takes each message that may still come, and gives undefined at the end.
 */
function watch(r: Request, read: () => Promise<unknown>): void {
  const loop = async (): Promise<never> => {
    while ((await read()) !== undefined);
    throw new Withdrawn();
  };
  loop().catch((e: unknown) => {
    const gone = e instanceof StreamError && e.remote;
    r.scope.end(gone ? new Withdrawn() : asError(e));
  });
}

/** Runs what serves a request, and throws if it ended for a reason the peer has to hear. */
async function until(r: Request, served: Promise<void>): Promise<void> {
  const cause = (): Error | undefined => (r.scope.signal.aborted ? asError(r.scope.signal.reason) : undefined);
  try {
    await served;
  } catch (e) {
    if (!cause()) throw e;
  }
  const why = cause();
  if (why !== undefined && !(why instanceof Withdrawn)) throw why;
}

async function nothingMore(r: Request): Promise<unknown> {
  if ((await r.reader.first("request")) === undefined) return undefined;
  throw new Refusal(ResetCode.UnexpectedMessage, "data after the request");
}

async function serveAnnounce(r: Request): Promise<void> {
  const request = await first(AnnounceRequest, r);
  watch(r, () => nothingMore(r));
  const writer = new AnnounceWriter(request, r.stream.send, r.options.setup.hopId ?? 0);
  await until(r, r.options.publisher.announce(writer, r.scope.signal));
}

async function serveSubscribe(r: Request): Promise<void> {
  const request = await first(Subscribe, r);
  const subscriber = new Subscriber(request, r.stream.send, r.host.connection, r.host.peerSetup);
  watch(r, async () => {
    const update = await SubscribeUpdate.read(r.reader);
    if (update !== undefined) subscriber.update(update);
    return update;
  });
  await until(r, r.options.publisher.subscribe(subscriber, r.scope.signal));
}

async function serveTrack(r: Request): Promise<void> {
  const request = await first(TrackRequest, r);
  await r.stream.send.write(TrackInfo.encode(await r.options.publisher.track(request, r.scope.signal)));
}

async function serveFetch(r: Request): Promise<void> {
  const request = await first(Fetch, r);
  void r.stream.send.ended.then(() => r.scope.end(new Withdrawn())); // the peer stopped reading
  await until(r, r.options.publisher.fetch(request, new GroupWriter(r.stream.send), r.scope.signal));
}

const probeEveryMs = 1000; // browsers measure no quicker

/** Reports what the browser knows of the path, where it was declared. */
async function serveProbe(r: Request): Promise<void> {
  const stats = r.host.connection.stats;
  if ((r.options.setup.probe ?? ProbeLevel.None) === ProbeLevel.None || stats === undefined) {
    throw new Refusal(ResetCode.Unsupported, "probing was not declared");
  }
  watch(r, () => Probe.read(r.reader)); // targets are a wish this end does not act on
  let last: Probe = { bitrate: 0, rttMs: 0 };
  const report = async (): Promise<void> => {
    const known = await stats.call(r.host.connection);
    const now = { bitrate: measured(known?.sendRate), rttMs: measured(known?.rttMs) };
    if (now.bitrate === last.bitrate && now.rttMs === last.rttMs) return;
    last = now;
    await r.stream.send.write(Probe.encode(now));
  };
  const loop = async (): Promise<void> => {
    do await report();
    while (await sleep(probeEveryMs, r.scope.signal));
  };
  await until(r, loop());
}

/** A measured 0 is written as 1: 0 means unknown. */
function measured(v: number | undefined): number {
  return v === undefined ? 0 : Math.max(1, Math.round(v));
}
