import assert from "node:assert/strict";
import test from "node:test";
import type { RoomState, StageMember } from "../src/client/types";
import { keysOf, nameIn, newsOf, outOf, personOf, type Role, shownSubject, stageDeeds, type Standing, standingOf } from "./standing";

const token = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
const member = (name: string, role = "speaker", muted = false): StageMember => ({ name, role, muted });
const room = (stage: StageMember[] = [], state = "live"): RoomState => ({ room: "town", state, version: 3, stage, hands: 0 });

test("who somebody is: what rooms know them by, as relays have it", () => {
  for (const [claims, want] of [
    [{ sub: "ada@x", name: "Ada", role: "host" }, { subject: "ada@x", name: "Ada", role: "host" }],
    [{ sub: "ada@x", root: "town", put: [""] }, { subject: "ada@x", name: "", role: "speaker" }],
    [{ name: "Eve", root: "town", get: [""] }, { subject: "name:Eve", name: "Eve", role: "listener" }],
    [{ root: "town", put: ["bob"] }, { subject: "voice:bob", name: "bob", role: "speaker" }],
    [{ root: "town", put: ["bob", "carl"] }, undefined],
    [{ root: "town", get: [""] }, undefined],
    [{ name: "Eve", role: "emperor", root: "hall", put: [""] }, { subject: "name:Eve", name: "Eve", role: "listener" }],
  ] as const) assert.deepEqual(personOf({ room: "town", token: token(claims), as: "mallory" }, false), want, JSON.stringify(claims));
  assert.equal(personOf({ room: "town", token: undefined, as: "mallory" }, false), undefined, "a name is enough only where all is open");
  assert.deepEqual(personOf({ room: "town", token: undefined, as: "ada" }, true), { subject: "voice:ada", name: "ada", role: "host" });
  assert.equal(personOf({ room: "town", token: undefined, as: undefined }, true), undefined);
});

test("what somebody is in the room: its word alone, and the link's before that", () => {
  const eve = { subject: "eve@x", name: "Eve", role: "listener" } as const;
  const standing = (role: Role, more: Partial<Standing> = {}): Standing => ({ role, muted: undefined, place: 0, hand: 0, voice: "", ...more });
  const you = { role: "speaker", muted: "host", place: 2, hand: 3, voice: "Eve~01", removed: 1, banned: false } as const;
  assert.deepEqual(standingOf(eve, undefined), standing("listener"));
  assert.deepEqual(standingOf({ ...eve, role: "host" }, undefined), standing("host"));
  assert.deepEqual(standingOf(undefined, undefined), standing("listener"));
  assert.deepEqual(standingOf(eve, you), standing("speaker", { muted: "host", place: 2, hand: 3, voice: "Eve~01" }));
  assert.deepEqual(standingOf({ ...eve, role: "speaker" }, { ...you, role: "listener", muted: undefined, place: 0, hand: 0, voice: "" }), standing("listener"), "was demoted, whenever");
  assert.deepEqual(standingOf(eve, { ...you, role: "emperor" }).role, "listener");
});

test("two of one name have rows of their own", () => {
  const keys = keysOf([member("Eve"), member("Bob"), member("Eve"), member("Eve")]);
  assert.equal(new Set(keys).size, 4);
  assert.equal(keys[0], "Eve", "as it speaks");
  assert.deepEqual(keys.map(nameIn), ["Eve", "Bob", "Eve", "Eve"]);
});

test("what is offered is what relays would do", () => {
  for (const [mine, theirs, muted, want] of [
    ["listener", "speaker", false, ""],
    ["speaker", "speaker", false, ""],
    ["cohost", "speaker", false, "mute off remove"],
    ["cohost", "speaker", true, "unmute off remove"],
    ["cohost", "cohost", false, "mute"],
    ["cohost", "host", false, ""],
    ["host", "speaker", false, "mute host cohost off remove ban"],
    ["host", "cohost", true, "unmute host speaker off remove ban"],
    ["host", "host", false, "mute cohost speaker off remove ban"],
  ] as const) assert.equal(stageDeeds(mine, { role: theirs, muted, own: false }).join(" "), want, `${mine} with ${theirs}`);
  assert.equal(stageDeeds("host", { role: "host", muted: true, own: true }).join(" "), "unmute");
  assert.equal(stageDeeds("speaker", { role: "speaker", muted: true, own: true }).join(" "), "", "a host did it, mostly");
});

test("what people are told of a change", () => {
  const me = (role: Role, muted?: Standing["muted"], place = 0): Standing => ({ role, muted, place, hand: 0, voice: "" });
  const host = member("Ada", "host");
  const before = room([host, member("Bob", "cohost")]);
  const news = (was: Standing, is: Standing, state = before): string => {
    const told = newsOf({ state: before, me: was }, { state, me: is });
    return told === undefined ? "" : `${told.news} ${told.name}`.trim();
  };
  assert.equal(news(me("listener"), me("listener")), "");
  assert.equal(news(me("listener"), me("speaker")), "invited");
  assert.equal(news(me("cohost"), me("speaker")), "speaker");
  assert.equal(news(me("speaker"), me("cohost")), "cohost");
  assert.equal(news(me("cohost"), me("host")), "host");
  assert.equal(news(me("speaker"), me("listener")), "off");
  assert.equal(news(me("speaker"), me("speaker", "host")), "muted");
  assert.equal(news(me("speaker", "host"), me("speaker")), "unmuted");
  assert.equal(news(me("speaker"), me("speaker", "self")), "", "one's own doing");
  assert.equal(news(me("listener"), me("listener"), room([host, member("Bob", "host")])), "newhost Bob");
  assert.equal(news(me("host"), me("host", undefined, 2), room([host, member("Bob", "host")])), "", "is that host");
  assert.equal(news(me("listener"), me("listener"), room([host, member("Carl", "speaker")])), "");
  const announced = { state: room([], "announced"), me: me("listener") };
  assert.equal(newsOf(announced, { state: room([host]), me: me("listener") })?.news, "started");
  assert.equal(newsOf(announced, { state: room([host], "announced"), me: me("listener") }), undefined, "the first host is no news");
});

test("a subject is shown where it says more than the name", () => {
  for (const [subject, name, shown] of [["name:Zoé", "Zoé", ""], ["voice:bob", "bob", ""], ["ada@x", "Ada", "ada@x"], ["ada@x", "ada@x", ""], ["name:voice:x", "x", "name:voice:x"]] as const) {
    assert.equal(shownSubject(subject, name), shown);
  }
});

test("who was shown out, as a session's end says", () => {
  for (const [kind, out] of [["removed", "removed"], ["banned", "banned"], ["ended", undefined], ["unreachable", undefined], [undefined, undefined]] as const) assert.equal(outOf(kind), out);
});
