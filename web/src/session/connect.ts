import { ResetCode } from "../protocol";
import { reasonOf, Scope, sleep } from "./abort";
import type { Connection } from "./connection";
import { asError, TimeoutError } from "./errors";
import { connectWebSocket } from "./websocket";
import { connectWebTransport, hasWebTransport } from "./webtransport";

/** The ways to a relay. */
export type Transport = "webtransport" | "websocket";

/** How to reach a relay. */
export interface ConnectOptions {
  /** Hashes of certificates to accept; see {@link connectWebTransport}. WebSocket cannot take them. */
  certificateHashes?: readonly (string | Uint8Array)[];
  /** Which ways to try. Default both. */
  transports?: readonly Transport[];
  /** How long WebTransport may be ahead of WebSocket. Default 500 ms. */
  headStartMs?: number;
  /**
   * Shows the relay over HTTPS that this client may go first where many come, and
   * resolves to whether it may (docs/wire.md, section 2.2); rejects when nothing is
   * heard. It is called when WebTransport has failed or has taken 250 ms, which is then
   * tried once more beside.
   */
  knock?: (signal: AbortSignal) => Promise<boolean>;
  /** How long all of it may take. Default 10 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** No way led to a relay: why, for each that was tried, and what to do. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";

  constructor(
    /** The relay's URL without its query, which may hold a token. */
    readonly relay: string,
    readonly causes: ReadonlyMap<Transport, Error>,
  ) {
    const why = [...causes].map(([transport, e]) => `${transportName(transport)}: ${e.message.replace(/\.$/, "")}`);
    super(`no connection to ${relay}. ${why.join("; ")}. ${advice(relay)}`);
  }
}

function transportName(transport: Transport): string {
  return transport === "webtransport" ? "WebTransport" : "WebSocket";
}

function advice(relay: string): string {
  const { protocol, host, port } = new URL(relay);
  const number = port || (protocol === "https:" ? "443" : "80");
  return (
    `Check that a relay runs at ${host}, that UDP and TCP port ${number} are open on the way there, ` +
    "that the browser accepts its certificate or knows its hash, and that the token, if it wants one, is good."
  );
}

/** How long WebTransport has until a client that may go first knocks, in ms: two or three round trips. */
const KNOCK_AFTER = 250;
/** How often it knocks, and about how long it waits between two, in ms. */
const KNOCKS = 5;
const KNOCK_PAUSE = 100;

/** One attempt at a connection; the signal ends it. */
export type Attempt = (signal: AbortSignal) => Promise<Connection>;

/** A way to a relay, and how long it may be ahead of the next one. */
export interface Way {
  readonly transport: Transport;
  readonly attempt: Attempt;
  readonly aheadMs: number;
  /** It is tried once more: why it failed without a knock is what is told. */
  readonly again?: boolean;
}

/**
 * Connects to a relay: WebTransport first, and WebSocket as well once that has
 * failed or has taken half a second. The first that is up wins and the other is
 * ended. Rejects with a {@link ConnectError}, or with the signal's reason.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Connection> {
  const { certificateHashes, transports = ["webtransport", "websocket"], headStartMs = 500, knock } = options;
  const ways: Way[] = [];
  if (transports.includes("webtransport")) {
    const attempt: Attempt = (signal) => connectWebTransport(url, { signal, ...(certificateHashes && { certificateHashes }) });
    ways.push(...(hasWebTransport() ? webTransportWays(attempt, headStartMs, knock) : webTransportWays(missing, headStartMs, undefined)));
  }
  if (transports.includes("websocket")) ways.push({ transport: "websocket", attempt: (signal) => connectWebSocket(url, { signal }), aheadMs: 0 });
  const relay = new URL(url);
  relay.search = relay.hash = relay.username = relay.password = "";
  return race(relay.href, ways, options);
}

function missing(): Promise<never> {
  return Promise.reject(new Error("this browser does not have it"));
}

/**
 * WebTransport alone, or once more behind a knock, which all of the head start is
 * for. Exported for tests.
 */
export function webTransportWays(attempt: Attempt, headStartMs: number, knock: ConnectOptions["knock"]): Way[] {
  const transport = "webtransport";
  if (!knock) return [{ transport, attempt, aheadMs: headStartMs }];
  const alone = Math.min(KNOCK_AFTER, headStartMs);
  return [
    { transport, attempt, aheadMs: alone },
    { transport, attempt: (signal) => goFirst(attempt, knock, signal), aheadMs: headStartMs - alone, again: true },
  ];
}

/** Knocks until that is heard, and comes then; gives up once it is told that it may not go first. */
async function goFirst(attempt: Attempt, knock: NonNullable<ConnectOptions["knock"]>, signal: AbortSignal): Promise<Connection> {
  let why = new Error("it is not heard over HTTPS");
  for (let n = 0; n < KNOCKS; n++) {
    if (n > 0 && !(await sleep(KNOCK_PAUSE * (0.5 + Math.random()), signal))) break;
    const may = await knock(signal).catch(() => undefined); // nothing is heard
    if (may === false) throw new Error("it may not go first");
    try {
      if (may) return await attempt(signal);
    } catch (error) {
      why = asError(error);
    }
  }
  throw why;
}

/**
 * Tries each way in order, the next one when all before have failed or the head start
 * is over. Exported for tests.
 */
export async function race(relay: string, ways: readonly Way[], options: Pick<ConnectOptions, "timeoutMs" | "signal">): Promise<Connection> {
  const { timeoutMs = 10_000, signal } = options;
  const scope = new Scope(signal).timeout(timeoutMs, () => new TimeoutError(`no answer within ${timeoutMs} ms`));
  const causes = new Map<Transport, Error>();
  let winner: Connection | undefined;
  const run = async ({ transport, attempt, again }: Way): Promise<void> => {
    try {
      const connection = await attempt(scope.signal);
      if (winner === undefined && !scope.signal.aborted) {
        winner = connection;
        scope.end(new DOMException("another way was quicker", "AbortError"));
      } else {
        connection.close(ResetCode.Cancel);
      }
    } catch (e) {
      if (winner === undefined && !again) causes.set(transport, asError(e));
    }
  };
  const attempts: Promise<void>[] = [];
  for (const way of ways) {
    if (scope.signal.aborted) break;
    attempts.push(run(way));
    if (attempts.length < ways.length) await Promise.race([Promise.all(attempts), sleep(way.aheadMs, scope.signal)]);
  }
  await Promise.all(attempts);
  scope.release();
  if (winner !== undefined) return winner;
  if (signal?.aborted) throw reasonOf(signal);
  throw new ConnectError(relay, causes);
}
