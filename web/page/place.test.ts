import assert from "node:assert/strict";
import test from "node:test";
import { pathOf, permitOf, placeOf } from "./place";

const token = (claims: unknown): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

test("an address says which room, and with which token", () => {
  for (const [url, room, jwt] of [
    ["https://a.example/r/town", "town", undefined],
    ["https://a.example/r/town/", "town", undefined],
    ["https://a.example/r/town#jwt=e30.e30.x", "town", "e30.e30.x"],
    ["https://a.example/r/town?jwt=e30.e30.x", "town", "e30.e30.x"],
    ["https://a.example/r/town?jwt=query#jwt=hash", "town", "hash"],
    ["https://a.example/r/town#jwt=", "town", undefined],
    ["https://a.example/r/%3Cscript%3E", "<script>", undefined],
    ["https://a.example/r/Conseil%20de%20Saint-%C3%89tienne", "Conseil de Saint-Étienne", undefined],
    ["https://a.example/r/100%", "100%", undefined],
    ["https://a.example/", "", undefined],
    ["https://a.example/r/a/b", "", undefined],
  ] as const) assert.deepEqual(placeOf(new URL(url)), { room, token: jwt, as: undefined }, url);
});

test("the way to a room and back", () => {
  for (const room of ["town", "a b", "é", "<script>", "100%", "?#&", "日本"]) {
    assert.equal(placeOf(new URL(pathOf(room), "https://a.example")).room, room);
  }
});

test("what a link lets one do", () => {
  const no = { speak: false, name: "", suggested: "" };
  for (const [what, jwt, open, want] of [
    ["an open relay", undefined, true, { speak: true, name: "", suggested: "" }],
    ["no token", undefined, false, no],
    ["a listener's", token({ root: "town", get: [""] }), false, no],
    ["any name in the room", token({ root: "town", put: [""], name: "Ada" }), false, { speak: true, name: "", suggested: "Ada" }],
    ["one name in the room", token({ root: "town", put: ["ada"] }), false, { speak: true, name: "ada", suggested: "ada" }],
    ["one name, as a text", token({ root: "town", put: "ada" }), false, { speak: true, name: "ada", suggested: "ada" }],
    ["one name, from above", token({ root: "", put: ["hall/eve", "/town//ada/"] }), false, { speak: true, name: "ada", suggested: "ada" }],
    ["everything everywhere", token({ root: "", put: [""] }), false, { speak: true, name: "", suggested: "" }],
    ["another room", token({ root: "hall", put: [""] }), false, no],
    ["a room that begins alike", token({ root: "town2", put: [""] }), false, no],
    ["below a speaker", token({ root: "town", put: ["ada/x"] }), false, no],
    ["put of numbers", token({ root: 1, put: [2, null, {}] }), false, no],
    ["claims that are null", token(null), false, no],
    ["claims that are no JSON", "e30.!!!.x", false, no],
    ["not a token", "rubbish", false, no],
  ] as const) assert.deepEqual(permitOf({ room: "town", token: jwt, as: undefined }, open), want, what);
});
