import { Failure } from "./types";

// What an HTTP server answers is not ours until it was looked at.

/** The size of an answer that is read, in bytes. */
export const MAX_ANSWER = 64 << 10;

/** The members of an object that came as JSON. */
export type Members = Readonly<Record<string, unknown>>;

/** An answer with a status other than 2xx. */
export class StatusError extends Failure {
  constructor(
    readonly status: number,
    message: string,
    /** What Retry-After says, in ms; 0 where it says nothing. */
    readonly retryAfterMs: number,
    /** The word for it, as Stentor's HTTP has one; empty where it has none. */
    readonly code = "",
  ) {
    super(status === 401 ? "unauthorized" : status === 403 ? "forbidden" : "protocol", message);
  }
}

/**
 * The members of value, which must be an object. What it is called goes into the
 * {@link Failure} of kind "protocol".
 */
export function members(value: unknown, what: string): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  throw new Failure("protocol", `${what} is no object`);
}

/** value as an array of which at most `most` members are looked at. */
export function list(value: unknown, what: string, most: number): readonly unknown[] {
  if (Array.isArray(value)) return value.slice(0, most) as unknown[];
  throw new Failure("protocol", `${what} is no list`);
}

/** value as a string of at most `most` UTF-16 units. */
export function text(value: unknown, what: string, most: number): string {
  if (typeof value === "string" && value.length <= most) return value;
  throw new Failure("protocol", `${what} is no string, or too long`);
}

/** value as an integer from 0 to 2^53-1. */
export function count(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Failure("protocol", `${what} is no whole number`);
}

/**
 * Reads JSON of at most 64 KiB. Fails as {@link StatusError} for a status that is
 * no success, and as a {@link Failure} otherwise.
 */
export async function readJson(response: Response, who: string): Promise<unknown> {
  const body = await readBody(response, who);
  if (!response.ok) {
    const { code, message } = refusalOf(response.status, body, who);
    throw new StatusError(response.status, message, retryAfter(response), code);
  }
  try {
    return JSON.parse(body) as unknown;
  } catch (cause) {
    throw new Failure("protocol", `${who} answers no JSON`, { cause });
  }
}

/** Reads at most so many bytes of text, 64 KiB unless told otherwise. */
export async function readBody(response: Response, who: string, most = MAX_ANSWER): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let size = 0;
  let body = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return body + decoder.decode();
    size += value.length;
    if (size > most) {
      void reader.cancel().catch(() => undefined);
      throw new Failure("protocol", `${who} answers with more than ${most} bytes`);
    }
    body += decoder.decode(value, { stream: true });
  }
}

/** What a refusal says, as Stentor's HTTP writes it: {"error": {"code": …, "message": …}}. */
export function refusalOf(status: number, body: string, who: string): { code: string; message: string } {
  try {
    const error = members(members(JSON.parse(body), "the answer")["error"], "error");
    const { code } = error;
    return { code: typeof code === "string" ? code : "", message: `${who}: ${text(error["message"], "message", 500)}` };
  } catch {
    return { code: "", message: `${who} answers with HTTP status ${status}` };
  }
}

function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}
