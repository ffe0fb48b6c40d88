import { Failure } from "./types";

/**
 * What a page can tell about a token without its key: whether it reads as one, and
 * whether its time is over at `now` (ms since 1970). A browser does not say why a
 * relay refused a session, so this is looked at when one did. Undefined: nothing is
 * wrong with it that could be seen.
 */
export function tokenFault(token: string | undefined, now: number): Failure | undefined {
  if (!token) return undefined;
  const expiry = claimsOf(token)?.["exp"];
  if (claimsOf(token) === undefined) return new Failure("unauthorized", "the token is none: a JWT has three parts, the second of them JSON");
  if (typeof expiry === "number" && expiry * 1000 <= now) {
    return new Failure("unauthorized", `the token has expired at ${new Date(expiry * 1000).toISOString()}`);
  }
  return undefined;
}

/** What a token says, without knowing whether it is true; undefined if it is none. */
export function claimsOf(token: string): Record<string, unknown> | undefined {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  try {
    const bytes = Uint8Array.from(atob(parts[1]!.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof document === "object" && document !== null ? (document as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a token says that its owner may speak or host: some do while they listen. */
export function maySpeak(token: string | undefined): boolean {
  const put = claimsOf(token ?? "")?.["put"];
  return typeof put === "string" || (Array.isArray(put) && put.length > 0);
}
