import type { SpeakerView } from "../src/client/types";
import { element, find, icon, setAttribute, setHidden, setText } from "./dom";
import type { Key } from "./languages/en";
import { nameIn, type Role, type StageDeed, stageDeeds } from "./standing";
import { ask } from "./sure";
import type { Words } from "./text";

/** More rows than these help nobody; the rest is counted. */
const maxRows = 50;

/** Somebody on the stage, or at the microphone without a place there. */
export interface Entry {
  /** Theirs alone: {@link nameIn} is what is shown. */
  name: string;
  /** What is heard of them; undefined where nobody listens, or nothing comes. */
  live: SpeakerView | undefined;
  /** Undefined where the room says nothing of roles. */
  role: Role | undefined;
  /** In the room, for everybody. */
  muted: boolean;
  own: boolean;
  /** What else tells them from another of their name, for hosts; empty if nothing has to. */
  apart?: string;
}

/** How the list is shown. */
export interface View {
  words: Words;
  /** Somebody listens: rows can be muted here. */
  listening: boolean;
  /** What the page's owner is; "listener" has nobody to look after. */
  role: Role;
}

/** What the buttons of a row do. */
export interface Deeds {
  /** Mutes somebody at this page only. */
  mute(name: string, muted: boolean): void;
  /** Does something with somebody in the room. */
  stage(name: string, deed: StageDeed): void;
}

interface Row {
  item: HTMLLIElement;
  level: HTMLElement;
  button: HTMLButtonElement;
  note: HTMLElement;
  more: HTMLButtonElement;
  menu: HTMLElement;
  shape: string; // of the menu
  drawn: string; // of the level
}

/** Deeds that are not done by one press. */
const grave: ReadonlySet<StageDeed> = new Set(["host", "remove", "ban"]);

/** Those on the stage: a row each, which stays the same element while they are there. */
export class SpeakerList {
  readonly #list = find<HTMLUListElement>("speakers");
  readonly #none = find("speakers-none");
  readonly #rows = new Map<string, Row>();
  readonly #deeds: Deeds;

  constructor(deeds: Deeds) {
    this.#deeds = deeds;
  }

  /** Shows who is there. */
  show(entries: readonly Entry[], view: View): void {
    const { words } = view;
    const shown = entries.slice(0, maxRows);
    const gone = new Set(this.#rows.keys());
    shown.forEach((entry, place) => {
      gone.delete(entry.name);
      const row = this.#rows.get(entry.name) ?? this.#add(entry.name);
      if (this.#list.children[place] !== row.item) this.#list.insertBefore(row.item, this.#list.children[place] ?? null);
      const { name, live, own } = entry;
      setHidden(row.button, !view.listening || own || live === undefined);
      setAttribute(row.button, "aria-pressed", String(live?.muted ?? false));
      setAttribute(row.button, "aria-label", words.say(live?.muted ? "speakers.unmute" : "speakers.mute", { name: nameIn(name) }));
      setText(row.note, notes(entry, words));
      this.#menu(row, entry, view);
    });
    for (const name of gone) {
      this.#rows.get(name)?.item.remove();
      this.#rows.delete(name);
    }
    setText(this.#none, this.#rest(entries.length, words));
    this.levels(entries.flatMap(({ live }) => live ?? []), false);
  }

  /** Moves the lines under the names; still shows only whether somebody speaks. */
  levels(speakers: readonly SpeakerView[], still: boolean): void {
    for (const speaker of speakers) {
      const row = this.#rows.get(speaker.name);
      if (row === undefined) continue;
      const heard = speaker.speaking && !speaker.muted;
      const drawn = `scaleX(${!heard ? 0 : still ? 1 : speaker.level.toFixed(2)})`;
      if (row.drawn === drawn) continue;
      row.drawn = drawn;
      row.level.style.transform = drawn;
      setAttribute(row.item, "data-speaking", heard);
    }
  }

  #rest(count: number, words: Words): string {
    if (count === 0) return words.say("speakers.none");
    return count > maxRows ? words.count("speakers.more", count - maxRows) : "";
  }

  /** What may be done with somebody; made anew only if that changes, or the language. */
  #menu(row: Row, { name, role = "speaker", muted, own }: Entry, { words, role: mine }: View): void {
    const deeds = stageDeeds(mine, { role, muted, own });
    setHidden(row.more, deeds.length === 0);
    if (row.more.hidden) this.#open(row, false);
    setAttribute(row.more, "aria-label", words.say("deed.menu", { name: nameIn(name) }));
    const shape = [words.tag, ...deeds].join();
    if (row.shape === shape) return;
    row.shape = shape;
    row.menu.nextElementSibling?.remove(); // a question about what there was
    const focused = row.menu.contains(document.activeElement);
    row.menu.replaceChildren(...deeds.map((deed) => this.#deed(row, name, deed, words)));
    if (focused) (row.menu.firstElementChild as HTMLElement | null)?.focus();
  }

  #deed(row: Row, name: string, deed: StageDeed, words: Words): HTMLButtonElement {
    const button = element("button", { type: "button", class: "quiet" }, words.say(`deed.${deed}`));
    const act = (): void => this.#deeds.stage(name, deed);
    button.addEventListener("click", () => {
      if (!grave.has(deed)) return act();
      ask(row.menu, words.say(`deed.${deed}.sure` as Key, { name: nameIn(name) }), words.say(`deed.${deed}`), words.say("sure.no"), act);
    });
    return button;
  }

  #open(row: Row, open: boolean): void {
    setAttribute(row.more, "aria-expanded", String(open));
    if (!open) row.menu.nextElementSibling?.remove();
    setHidden(row.menu, !open);
  }

  #add(name: string): Row {
    const level = element("span", { class: "level", "aria-hidden": "true" });
    const speaker = icon("M4 9.5v5h3.5L12 19V5L7.5 9.5z", "M15 8.5a5 5 0 0 1 0 7M17.6 5.8a9 9 0 0 1 0 12.4", "M15.5 9.5l5 5M20.5 9.5l-5 5");
    speaker.children[1]?.setAttribute("class", "stroke waves");
    speaker.children[2]?.setAttribute("class", "stroke cross");
    const button = element("button", { type: "button", class: "plain mute" }, speaker);
    button.addEventListener("click", () => this.#deeds.mute(name, button.getAttribute("aria-pressed") !== "true"));
    const dots = icon("M5 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM12 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6zM19 10.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z");
    const more = element("button", { type: "button", class: "plain", "aria-expanded": "false", hidden: true }, dots);
    const menu = element("div", { class: "menu row", hidden: true });
    const note = element("small");
    const who = element("span", { class: "speaker-name" }, element("bdi", {}, nameIn(name)), note);
    const item = element("li", { class: "speaker" }, element("div", { class: "speaker-line" }, who, button, more, level), menu);
    const row: Row = { item, level, button, note, more, menu, shape: "", drawn: "" };
    more.addEventListener("click", () => this.#open(row, menu.hidden && menu.nextElementSibling === null));
    item.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || menu.hidden) return;
      this.#open(row, false);
      more.focus();
    });
    this.#rows.set(name, row);
    return row;
  }
}

/** What stands behind a name: role, that it is muted, that it is you. */
function notes({ role, muted, own, apart = "" }: Entry, words: Words): string {
  const said: Key[] = [];
  if (own) said.push("speakers.you");
  if (role === "host" || role === "cohost") said.push(`role.${role}`);
  if (muted) said.push("speakers.muted");
  return [...(apart === "" ? [] : [apart]), ...said.map((key) => words.say(key))].join(" · ");
}
