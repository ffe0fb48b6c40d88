import type { RaisedHand } from "../src/client/types";
import type { RoomCommand } from "./client";
import { element, find, icon, setAttribute, setHidden, setText } from "./dom";
import type { Key } from "./languages/en";
import type { Stage } from "./stage";
import { hosts, shownSubject } from "./standing";
import { ask } from "./sure";
import type { Words } from "./text";

/** More hands than these at once help nobody; the rest is counted. */
const maxHands = 20;

/** What hosts and co-hosts see below the stage: whose hands are up, and what becomes of the room. */
export class Hosting {
  readonly #stage: Stage;
  readonly #list = find<HTMLOListElement>("hands");
  #words: Words;
  #error: Key | undefined;

  constructor(stage: Stage, words: Words) {
    this.#stage = stage;
    this.#words = words;
    find("host-create").addEventListener("click", () => void this.command({ do: "create" }));
    find("host-start").addEventListener("click", () => void this.command({ do: "start" }));
    find("host-end").addEventListener("click", () => {
      const say = (key: Key): string => this.#words.say(key);
      ask(find("host-deeds"), say("host.end.sure"), say("host.end"), say("sure.no"), () => void this.command({ do: "end" }));
    });
  }

  /** Has a command carried out; what is wrong with it is said below. */
  async command(command: RoomCommand): Promise<void> {
    this.#error = undefined;
    this.show(this.#words);
    this.#error = await this.#stage.command(command);
    this.show(this.#words);
  }

  /** Shows how things are. */
  show(words: Words): void {
    this.#words = words;
    const { state, me } = this.#stage;
    const role = me.role;
    setHidden(find("host"), !hosts(role) || state === undefined || state.state === "ended");
    if (state === undefined) return;
    const made = state.version > 0;
    setText(find("host-title"), words.say("host.title"));
    setText(find("host-create"), words.say("host.create"));
    setText(find("host-start"), words.say("host.start"));
    setText(find("host-end"), words.say("host.end"));
    setHidden(find("host-create"), made || role !== "host");
    setHidden(find("host-start"), state.state !== "announced");
    setHidden(find("host-end"), !made || role !== "host");
    setHidden(find("host-queue"), !made);
    setText(find("hands-title"), state.hands === 0 ? words.say("hands.none") : words.count("hands", state.hands));
    this.#queue(words);
    setText(find("host-error"), this.#error === undefined ? "" : words.say(this.#error));
  }

  /** The hands in their order. Who is on a button stays there when others come or go. */
  #queue(words: Words): void {
    const there = new Map([...this.#list.children].map((item) => [(item as HTMLElement).dataset["subject"], item]));
    const focused = document.activeElement;
    this.#stage.hands.slice(0, maxHands).forEach((hand, place) => {
      const { subject, name } = hand;
      const item = there.get(subject) ?? this.#item(hand);
      there.delete(subject);
      const buttons = item.lastElementChild;
      const [invite, lower] = buttons?.children ?? [];
      if (invite === undefined || lower === undefined) return;
      setText(invite, words.say("hands.invite"));
      setAttribute(invite, "aria-label", words.say("hands.invite.name", { name }));
      setAttribute(lower, "aria-label", words.say("hands.lower.name", { name }));
      setAttribute(lower, "title", words.say("hands.lower"));
      if (this.#list.children[place] !== item) this.#list.insertBefore(item, this.#list.children[place] ?? null);
    });
    let lost = false;
    for (const gone of there.values()) {
      lost ||= gone.contains(focused);
      gone.remove();
    }
    if (!(focused instanceof HTMLElement)) return;
    if (lost) (this.#list.querySelector("button") ?? find("host-end")).focus(); // to the next in the queue
    else if (focused !== document.activeElement && this.#list.contains(focused)) focused.focus({ preventScroll: true });
  }

  #item({ subject, name }: RaisedHand): HTMLLIElement {
    const invite = element("button", { type: "button", class: "quiet" });
    const lower = element("button", { type: "button", class: "plain" }, icon("M6 6l12 12M18 6L6 18"));
    lower.querySelector("path")?.setAttribute("class", "stroke");
    invite.addEventListener("click", () => void this.command({ do: "invite", who: subject }));
    lower.addEventListener("click", () => void this.command({ do: "hands", up: false, who: subject }));
    const who = element("span", { class: "who" }, element("bdi", {}, name));
    const more = shownSubject(subject, name); // two may have one name
    if (more !== "") who.append(element("small", {}, element("bdi", {}, more)));
    const item = element("li", {}, who, element("span", { class: "deeds" }, invite, lower));
    item.dataset["subject"] = subject;
    return item;
  }
}
