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

/**
 * Connects to a relay: WebTransport first, and WebSocket as well once that has
 * failed or has taken half a second. The first that is up wins and the other is
 * ended. Rejects with a {@link ConnectError}, or with the signal's reason.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Connection> {
  const ways = new Map<Transport, (signal: AbortSignal) => Promise<Connection>>();
  const hashes = options.certificateHashes;
  const wanted = options.transports ?? ["webtransport", "websocket"];
  if (wanted.includes("webtransport")) {
    ways.set("webtransport", async (signal) => {
      if (!hasWebTransport()) throw new Error("this browser does not have it");
      return connectWebTransport(url, { signal, ...(hashes && { certificateHashes: hashes }) });
    });
  }
  if (wanted.includes("websocket")) ways.set("websocket", (signal) => connectWebSocket(url, { signal }));
  const relay = new URL(url);
  relay.search = relay.hash = relay.username = relay.password = "";
  return race(relay.href, ways, options);
}

/**
 * Tries each way in order, the next one when the one before has failed or its head
 * start is over. Exported for tests.
 */
export async function race(
  relay: string,
  ways: ReadonlyMap<Transport, (signal: AbortSignal) => Promise<Connection>>,
  options: Pick<ConnectOptions, "headStartMs" | "timeoutMs" | "signal">,
): Promise<Connection> {
  const { headStartMs = 500, timeoutMs = 10_000, signal } = options;
  const scope = new Scope(signal).timeout(timeoutMs, () => new TimeoutError(`no answer within ${timeoutMs} ms`));
  const causes = new Map<Transport, Error>();
  let winner: Connection | undefined;
  const attempt = async (transport: Transport, start: (signal: AbortSignal) => Promise<Connection>): Promise<void> => {
    try {
      const connection = await start(scope.signal);
      if (winner === undefined && !scope.signal.aborted) {
        winner = connection;
        scope.end(new DOMException("another way was quicker", "AbortError"));
      } else {
        connection.close(ResetCode.Cancel);
      }
    } catch (e) {
      if (winner === undefined) causes.set(transport, asError(e));
    }
  };
  const attempts: Promise<void>[] = [];
  for (const [transport, start] of ways) {
    if (scope.signal.aborted) break;
    const running = attempt(transport, start);
    attempts.push(running);
    if (attempts.length < ways.size) await Promise.race([running, sleep(headStartMs, scope.signal)]);
  }
  await Promise.all(attempts);
  scope.release();
  if (winner !== undefined) return winner;
  if (signal?.aborted) throw reasonOf(signal);
  throw new ConnectError(relay, causes);
}
