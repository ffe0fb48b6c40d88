/** The page at "/": the rooms that are live, and a way to the others. */
import type { RoomView } from "../src/client/types";
import { fetchRooms } from "./client";
import { element, find, setText } from "./dom";
import { Language } from "./language";
import { pathOf } from "./place";
import { Poll } from "./poll";
import type { Words } from "./text";

/** How often the list is read, in ms. */
const everyMs = 5_000;

const language = new Language();
/** What was read last: undefined before the first answer, null if the last one failed. */
let rooms: readonly RoomView[] | null | undefined;

language.each((words) => {
  setText(find("title"), words.say("rooms.title"));
  setText(find("enter-label"), words.say("rooms.enter"));
  setText(find("enter-go"), words.say("rooms.enter.go"));
  find("enter-room").setAttribute("placeholder", words.say("rooms.enter.hint"));
  showList(words);
});
language.apply();

find<HTMLFormElement>("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  const room = find<HTMLInputElement>("enter-room").value.trim();
  if (room !== "") location.assign(pathOf(room));
});

new Poll(everyMs, async () => {
  rooms = await fetchRooms(location.origin).catch(() => null);
  showList(language.words);
});

function showList(words: Words): void {
  setText(find("note"), note(words));
  if (rooms === undefined || rooms === null) return; // the last list is better than none
  const list = find<HTMLUListElement>("rooms");
  const busiest = [...rooms].sort((a, b) => b.listeners - a.listeners || a.room.localeCompare(b.room, words.tag));
  const focused = document.activeElement;
  const there = new Map([...list.children].map((item) => [(item as HTMLElement).dataset["room"], item]));
  busiest.forEach((room, place) => {
    const item = there.get(room.room) ?? newItem(room.room);
    there.delete(room.room);
    fillItem(item, room, words);
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  for (const gone of there.values()) gone.remove();
  // A link that was moved has lost the focus, though who stands on it has not left it.
  if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}

function note(words: Words): string {
  if (rooms === undefined) return words.say("rooms.looking");
  if (rooms === null) return words.say("rooms.unreadable");
  return rooms.length === 0 ? words.say("rooms.none") : "";
}

function newItem(room: string): HTMLLIElement {
  const link = element(
    "a",
    { href: pathOf(room) },
    element("bdi", { class: "room-name" }, room),
    element("span", { class: "room-count" }),
    element("span", { class: "room-speakers" }),
  );
  const item = element("li", {}, link);
  item.dataset["room"] = room;
  return item;
}

function fillItem(item: Element, room: RoomView, words: Words): void {
  const [, count, speakers] = item.firstElementChild?.children ?? [];
  if (count === undefined || speakers === undefined) return;
  setText(count, words.count("listeners", room.listeners));
  setText(speakers, new Intl.ListFormat(words.tag).format(room.speakers.map(({ name }) => name)));
}
