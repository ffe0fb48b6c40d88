import type { Watch } from "./host";

/** What Chromium tells of the network; `type` only where it knows it (phones). */
interface Connection extends EventTarget {
  readonly type?: string;
}

/**
 * Tells when the page's packets begin to leave another way, and when the page is
 * looked at again. A browser names no addresses: it has gone offline and come back,
 * or its kind of network is another one. What is wrong shows as silence within a
 * fifth of a second anyway; this only says why.
 */
export function watchBrowser(watch: Watch): () => void {
  const undo: (() => void)[] = [];
  const on = (target: EventTarget | undefined, type: string, handler: () => void): void => {
    target?.addEventListener(type, handler);
    undo.push(() => target?.removeEventListener(type, handler));
  };
  const page = typeof document === "undefined" ? undefined : document;
  const connection = (globalThis.navigator as { connection?: Connection } | undefined)?.connection;
  let kind = connection?.type;
  on(globalThis as unknown as EventTarget, "online", watch.moved);
  on(connection, "change", () => {
    if (connection!.type === kind) return; // only its speed was estimated anew
    kind = connection!.type;
    if (kind !== "none") watch.moved();
  });
  on(page, "visibilitychange", () => {
    if (page!.visibilityState === "visible") watch.shown();
  });
  on(page, "resume", watch.shown);
  on(globalThis as unknown as EventTarget, "pageshow", watch.shown);
  return () => undo.forEach((f) => f());
}
