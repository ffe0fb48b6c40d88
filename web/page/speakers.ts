import type { SpeakerView } from "../src/client/types";
import { element, find, icon, setAttribute, setText } from "./dom";
import type { Words } from "./text";

/** More rows than these help nobody; the rest is counted. */
const maxRows = 50;

/** What a row does when its button is pressed. */
export type Mute = (name: string, muted: boolean) => void;

interface Row {
  item: HTMLLIElement;
  level: HTMLElement;
  button: HTMLButtonElement;
  note: HTMLElement;
}

/** Those at the microphone: a row each, which stays the same element while they are there. */
export class SpeakerList {
  readonly #list = find<HTMLUListElement>("speakers");
  readonly #none = find("speakers-none");
  readonly #rows = new Map<string, Row>();
  readonly #mute: Mute;

  constructor(mute: Mute) {
    this.#mute = mute;
  }

  /**
   * Shows who is there. Rows can be muted while one listens; who is known from the
   * outside only has no level and no button. self is the name spoken under here.
   */
  show(speakers: readonly SpeakerView[], words: Words, listening: boolean, self: string): void {
    const shown = speakers.slice(0, maxRows);
    const gone = new Set(this.#rows.keys());
    shown.forEach((speaker, place) => {
      gone.delete(speaker.name);
      const row = this.#rows.get(speaker.name) ?? this.#add(speaker.name);
      if (this.#list.children[place] !== row.item) this.#list.insertBefore(row.item, this.#list.children[place] ?? null);
      const own = speaker.name === self;
      row.button.hidden = !listening || own;
      setAttribute(row.button, "aria-pressed", String(speaker.muted));
      setAttribute(row.button, "aria-label", words.say(speaker.muted ? "speakers.unmute" : "speakers.mute", { name: speaker.name }));
      setText(row.note, own ? words.say("speakers.you") : "");
    });
    for (const name of gone) {
      this.#rows.get(name)?.item.remove();
      this.#rows.delete(name);
    }
    setText(this.#none, this.#rest(speakers.length, words));
    this.levels(speakers, false);
  }

  /** Moves the lines under the names; still shows only whether somebody speaks. */
  levels(speakers: readonly SpeakerView[], still: boolean): void {
    for (const speaker of speakers) {
      const row = this.#rows.get(speaker.name);
      if (row === undefined) continue;
      const heard = speaker.speaking && !speaker.muted;
      setAttribute(row.item, "data-speaking", heard);
      row.level.style.transform = `scaleX(${!heard ? 0 : still ? 1 : speaker.level.toFixed(3)})`;
    }
  }

  #rest(count: number, words: Words): string {
    if (count === 0) return words.say("speakers.none");
    return count > maxRows ? words.count("speakers.more", count - maxRows) : "";
  }

  #add(name: string): Row {
    const level = element("span", { class: "level", "aria-hidden": "true" });
    const speaker = icon("M4 9.5v5h3.5L12 19V5L7.5 9.5z", "M15 8.5a5 5 0 0 1 0 7M17.6 5.8a9 9 0 0 1 0 12.4", "M15.5 9.5l5 5M20.5 9.5l-5 5");
    speaker.children[1]?.setAttribute("class", "stroke waves");
    speaker.children[2]?.setAttribute("class", "stroke cross");
    const button = element("button", { type: "button" }, speaker);
    button.addEventListener("click", () => this.#mute(name, button.getAttribute("aria-pressed") !== "true"));
    const note = element("small");
    const item = element("li", { class: "speaker" }, element("span", { class: "speaker-name" }, element("bdi", {}, name), note), button, level);
    const row = { item, level, button, note };
    this.#rows.set(name, row);
    return row;
  }
}
