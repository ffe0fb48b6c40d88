/** A relay that may be dialled. */
export interface Candidate {
  /** The relay's name. Empty means its URL. */
  readonly name: string;
  /**
   * Where the relay is; empty if unknown. Standbys are looked for outside the
   * primary's zone.
   */
  readonly zone: string;
  /** What to dial. Two candidates with the same host and port are one. */
  readonly url: string;
  /** Those of the relay's certificates, for whoever dials. */
  readonly hashes?: readonly string[];
}

/** A candidate with a name, and with its host and port read once. */
export interface Relay extends Candidate {
  /** As `hostOf` gives it. */
  readonly host: string | undefined;
}

/** The relay that a candidate means. */
export function relayOf(c: Candidate): Relay {
  return { ...c, name: c.name || c.url, host: hostOf(c.url) };
}

/** Whether two candidates are one relay. */
export function same(a: Relay, b: Relay): boolean {
  return a.name === b.name || (a.host !== undefined && a.host === b.host);
}

/** Whether `a` is known to be in another zone than `b`. */
export function elsewhere(a: Candidate, b: Candidate): boolean {
  return a.zone !== "" && b.zone !== "" && a.zone !== b.zone;
}

/**
 * The host and port that a URL leads to, or undefined if it leads nowhere. What
 * is below them does not matter, nor which transport is asked for: the scheme is
 * taken for https, because browsers read no authority in those they do not know.
 */
export function hostOf(url: string): string | undefined {
  const found = /^(?:[a-z][a-z0-9+.-]*:)?\/\/(?=[^/?#\\])/i.exec(url);
  if (!found) {
    return undefined;
  }
  try {
    const { hostname, port } = new URL("https://" + url.slice(found[0].length));
    return hostname + " " + (port || "443");
  } catch {
    return undefined;
  }
}
