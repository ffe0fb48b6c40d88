/**
 * Asks again and again while the page is looked at, and at once when somebody
 * comes back to it. Waits everyMs, give or take a quarter, so that the pages of a
 * large audience do not ask in step. ask must not throw.
 */
export class Poll {
  readonly #everyMs: number;
  readonly #ask: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  constructor(everyMs: number, ask: () => Promise<void>) {
    this.#everyMs = everyMs;
    this.#ask = ask;
    document.addEventListener("visibilitychange", () => void this.#look());
    void this.#look();
  }

  /** Asks within two seconds, and not all pages at once. */
  soon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#look();
    }, Math.random() * 2000);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    if (document.hidden || this.#asking) return;
    this.#asking = true;
    await this.#ask();
    this.#asking = false;
    this.#timer = setTimeout(() => void this.#look(), this.#everyMs * (0.75 + Math.random() / 2));
  }
}
