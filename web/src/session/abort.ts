import { asError } from "./errors";

/** What a signal was aborted with, as an Error. */
export function reasonOf(signal: AbortSignal): Error {
  return asError(signal.reason ?? new DOMException("aborted", "AbortError"));
}

/**
 * Settles as p does, or rejects with the signal's reason as soon as that is
 * aborted. What p gives after that goes to `late`.
 */
export function abortable<T>(p: Promise<T>, signal: AbortSignal, late: (value: T) => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const stop = (): void => {
      over = true;
      reject(reasonOf(signal));
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    p.then(
      (value) => {
        signal.removeEventListener("abort", stop);
        if (over) late(value);
        else resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener("abort", stop);
        reject(asError(error));
      },
    );
  });
}

/** A signal that ends with any of others, or by itself. */
export class Scope {
  private readonly controller = new AbortController();
  private readonly unlink: (() => void)[] = [];
  readonly signal = this.controller.signal;

  constructor(...parents: (AbortSignal | undefined)[]) {
    for (const parent of parents) {
      if (parent === undefined) continue;
      if (parent.aborted) {
        this.end(reasonOf(parent));
        break;
      }
      const follow = (): void => this.end(reasonOf(parent));
      parent.addEventListener("abort", follow, { once: true });
      this.unlink.push(() => parent.removeEventListener("abort", follow));
    }
  }

  /** Ends the scope after `ms` with the error that `make` makes. */
  timeout(ms: number, make: () => Error): this {
    const timer = setTimeout(() => this.end(make()), ms);
    this.unlink.push(() => clearTimeout(timer));
    return this;
  }

  /** Calls f once the scope ends, at once if it has. */
  onEnd(f: () => void): void {
    if (this.signal.aborted) f();
    else this.signal.addEventListener("abort", f, { once: true });
  }

  /** Ends the scope. */
  end(reason: Error): void {
    this.release();
    this.controller.abort(reason);
  }

  /** Forgets parents and timers without ending the scope. */
  release(): void {
    for (const undo of this.unlink.splice(0)) undo();
  }
}

/** Waits; false if the signal is aborted before. */
export function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve(true);
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
}
