import { find, setAttribute, setText } from "./dom";
import type { Key } from "./languages/en";
import type { Stage } from "./stage";
import type { Words } from "./text";

/** The own hand: for who is known to the room and is not heard in it. */
export class Hand {
  readonly #stage: Stage;
  #words: Words;
  #busy = false;
  #error: Key | undefined;

  constructor(stage: Stage, words: Words) {
    this.#stage = stage;
    this.#words = words;
    find("hand-toggle").addEventListener("click", () => void this.#toggle());
  }

  /** Whether there is something to be seen of it. */
  get offered(): boolean {
    const { person, state, me } = this.#stage;
    if (person === undefined || state === undefined || state.version === 0 || state.state === "ended") return false;
    return me.role === "listener" || (me.role === "speaker" && me.muted);
  }

  async #toggle(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#error = await this.#stage.raise(!this.#stage.handUp);
    this.#busy = false;
    this.show(this.#words);
  }

  /** Shows how things are. */
  show(words: Words): void {
    this.#words = words;
    const { handUp, state } = this.#stage;
    find("hand").hidden = !this.offered;
    setText(find("hand-text"), words.say(handUp ? "hand.lower" : "hand.raise"));
    setAttribute(find("hand"), "data-up", handUp);
    setText(find("hand-note"), handUp ? words.count("hand.up", state?.hands ?? 1) : words.say("hand.hint"));
    setText(find("hand-error"), this.#error === undefined ? "" : words.say(this.#error));
  }
}
