import { codeName, ProtocolError, ResetCode } from "../protocol";

/** A stream that one end cut short (docs/wire.md, section 13). */
export class StreamError extends Error {
  override readonly name = "StreamError";

  constructor(
    readonly code: ResetCode,
    /** The peer did it. */
    readonly remote: boolean,
    options?: ErrorOptions,
  ) {
    super(`stream reset ${remote ? "by the peer" : "here"}: ${codeName(code)}`, options);
  }
}

/** A session that has ended: by a code of either end, or, without one, because the connection was lost. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";

  constructor(
    /** Undefined: nobody closed it, the connection was lost. */
    readonly code: ResetCode | undefined,
    readonly reason: string,
    /** The peer did it. */
    readonly remote: boolean,
    options?: ErrorOptions,
  ) {
    const how = code === undefined ? "connection lost" : `session closed ${remote ? "by the peer" : "here"}`;
    super(`${how}${reason && `: ${reason}`}${code === undefined ? "" : ` (${codeName(code)})`}`, options);
  }
}

/** Refuses a request with a code that the peer will see. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly code: ResetCode,
    message: string,
  ) {
    super(`${message} (${codeName(code)})`);
  }
}

/** Something took longer than it may. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** The code that tells a peer about an error. */
export function codeOf(error: unknown): ResetCode {
  if (error instanceof Refusal || error instanceof StreamError || error instanceof ProtocolError) return error.code;
  if (error instanceof ClosedError) return error.code ?? ResetCode.Cancel;
  return error instanceof TimeoutError ? ResetCode.Timeout : ResetCode.Cancel;
}

/** An Error, whatever was thrown. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
