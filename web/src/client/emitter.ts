/**
 * Calls handlers by event. A handler that throws is reported like any other error
 * of the page and disturbs nobody else.
 */
export class Emitter<Events> {
  private readonly handlers = new Map<keyof Events, Set<(value: never) => void>>();

  /** Calls `handler` on each event until the returned function is called. */
  on<E extends keyof Events>(event: E, handler: (value: Events[E]) => void): () => void {
    const all = this.handlers.get(event) ?? new Set();
    this.handlers.set(event, all);
    const own = (value: Events[E]): void => handler(value); // the same handler may be given twice
    all.add(own);
    return () => void all.delete(own);
  }

  emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const handler of [...(this.handlers.get(event) ?? [])]) {
      try {
        (handler as (value: Events[E]) => void)(value);
      } catch (error) {
        report(error);
      }
    }
  }
}

/** Tells the page of an error that it has made, as an uncaught one. */
function report(error: unknown): void {
  if (typeof reportError === "function") return reportError(error);
  queueMicrotask(() => {
    throw error;
  });
}
