import { find, setAttribute, setHidden, setText } from "./dom";
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
    const { person, state, me, news } = this.#stage;
    if (news?.news === "banned") return false;
    if (person === undefined || state === undefined || state.version === 0 || state.state === "ended") return false;
    return me.role === "listener" || (me.role === "speaker" && me.muted === "host");
  }

  async #toggle(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#error = await this.#stage.command({ do: "hands", up: this.#stage.me.hand === 0 });
    this.#busy = false;
    this.show(this.#words);
  }

  /** Shows how things are. */
  show(words: Words): void {
    this.#words = words;
    const { me, state } = this.#stage;
    const handUp = me.hand > 0;
    const count = state?.hands ?? 1;
    const told = count > 1 ? words.say("hand.place", { place: words.number(me.hand), count: words.number(count) }) : words.say("hand.up");
    setHidden(find("hand"), !this.offered);
    setText(find("hand-text"), words.say(handUp ? "hand.lower" : "hand.raise"));
    setAttribute(find("hand"), "data-up", handUp);
    setText(find("hand-note"), handUp ? told : words.say("hand.hint"));
    setText(find("hand-error"), this.#error === undefined ? "" : words.say(this.#error));
  }
}
