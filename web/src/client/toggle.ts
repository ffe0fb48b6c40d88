import { reasonOf } from "../session/abort";

/** Whether something is wanted; its changes can be waited for. */
export class Toggle {
  private value = false;
  private waiting: (() => void)[] = [];

  get on(): boolean {
    return this.value;
  }

  set(value: boolean): void {
    if (value === this.value) return;
    this.value = value;
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** Settles at the next change. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Waits until it is on; rejects with the signal's reason. */
  async wanted(signal: AbortSignal): Promise<void> {
    while (!this.value) {
      await new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(reasonOf(signal));
        const stop = (): void => reject(reasonOf(signal));
        signal.addEventListener("abort", stop, { once: true });
        this.waiting.push(() => {
          signal.removeEventListener("abort", stop);
          resolve();
        });
      });
    }
    if (signal.aborted) throw reasonOf(signal);
  }
}
