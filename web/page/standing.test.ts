import assert from "node:assert/strict";
import test from "node:test";
import type { RoomState, StageMember } from "../src/client/types";
import { newsOf, ownVoice, personOf, type Role, shownSubject, stageDeeds, type Standing, standingOf } from "./standing";

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

test("what somebody is in the room: its word counts more than the link's, but a host is host", () => {
  const eve = { subject: "eve@x", name: "Eve", role: "listener" } as const;
  const standing = (role: Role, muted = false, place?: string): Standing => ({ role, muted, place });
  assert.deepEqual(standingOf(eve, undefined, false), standing("listener"));
  assert.deepEqual(standingOf(eve, room([member("Eve", "speaker", true)]), false), standing("speaker", true, "Eve"));
  assert.deepEqual(standingOf(eve, room([member("eve@x", "cohost")]), false), standing("cohost", false, "eve@x"), "invited by subject, before she came");
  assert.deepEqual(standingOf({ ...eve, role: "speaker" }, room(), false), standing("speaker"), "has not come yet");
  assert.deepEqual(standingOf({ ...eve, role: "speaker" }, room(), true), standing("listener"), "was there and is not");
  assert.deepEqual(standingOf({ ...eve, role: "host" }, room(), true), standing("host"));
  assert.deepEqual(standingOf({ ...eve, role: "host" }, room([member("Eve", "speaker")]), true), standing("host", false, "Eve"));
  assert.deepEqual(standingOf(undefined, room([member("Eve")]), false), standing("listener"));
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

test("the name of somebody whom the room has made a speaker", () => {
  const eve = { subject: "eve@x", name: "Eve", role: "listener" } as const;
  const voice = (stage: StageMember[], name: string = eve.name): string => ownVoice({ ...eve, name }, room(stage), standingOf({ ...eve, name }, room(stage), true), "~01020304");
  assert.equal(voice([member("Eve")]), "Eve");
  assert.equal(voice([member("eve@x")]), "Eve");
  assert.equal(voice([member("eve@x"), member("Eve")]), "Eve~01020304", "another is called so");
  assert.equal(voice([member("Eve"), member("Eve")]), "Eve~01020304");
  for (const none of ["", "a/b", ".hidden"]) assert.equal(voice([], none), "~01020304", none);
});

test("what people are told of a change", () => {
  const me = (role: Role, muted = false, place: string | undefined = role === "listener" ? undefined : "Eve"): Standing => ({ role, muted, place });
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
  assert.equal(news(me("speaker"), me("speaker", true)), "muted");
  assert.equal(news(me("speaker", true), me("speaker")), "unmuted");
  assert.equal(news(me("listener"), me("listener"), room([host, member("Bob", "host")])), "newhost Bob");
  assert.equal(news(me("listener"), me("listener"), room([host, member("Carl", "speaker")])), "");
  const announced = { state: room([], "announced"), me: me("listener") };
  assert.equal(newsOf(announced, { state: room([host]), me: me("listener") })?.news, "started");
  assert.equal(newsOf(announced, { state: room([host], "announced"), me: me("listener") }), undefined, "the first host is no news");
});

test("a subject is shown without the word before it", () => {
  for (const [subject, shown] of [["name:Zoé", "Zoé"], ["voice:bob", "bob"], ["ada@x", "ada@x"], ["name:voice:x", "voice:x"]] as const) assert.equal(shownSubject(subject), shown);
});
