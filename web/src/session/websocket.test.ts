import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Qmux from "@moq/qmux";
import { ResetCode, voiceCatalog } from "../protocol";
import { Broadcast } from "./broadcast";
import type { Connection } from "./connection";
import { StreamError } from "./errors";
import type { GroupReader } from "./group";
import { Session } from "./session";
import { overSocket, type Socket } from "./websocket";
import { WebStreamsConnection } from "./webstreams";

/** One end of a WebSocket in memory, open from the start. */
class FakeSocket {
  binaryType = "arraybuffer";
  bufferedAmount = 0;
  readyState = 1;
  extensions = "";
  peer!: FakeSocket;
  /** Messages that came, by their first byte. */
  readonly received: number[] = [];
  onopen: ((e: unknown) => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onerror: ((e: unknown) => void) | null = null;
  onclose: ((e: { code?: number; reason?: string }) => void) | null = null;

  constructor(readonly protocol: string) {}

  send(data: string | ArrayBufferLike | ArrayBufferView): void {
    const view = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data;
    const copy = view instanceof Uint8Array ? view.slice().buffer : view;
    setImmediate(() => {
      if (this.peer.readyState > 1) return;
      if (copy instanceof ArrayBuffer) this.peer.received.push(new Uint8Array(copy)[0]!);
      this.peer.onmessage?.({ data: copy });
    });
  }

  close(code = 1005, reason = ""): void {
    for (const end of [this, this.peer]) {
      if (end.readyState > 1) continue;
      end.readyState = 3;
      setImmediate(() => end.onclose?.({ code, reason }));
    }
  }
}

/** A connection of the page, and that of a relay made of the same library, over one socket. */
async function pair(version = "qmux-02"): Promise<{ page: Connection; relay: Connection; socket: FakeSocket }> {
  const [a, b] = [new FakeSocket(`${version}.moq-lite-05`), new FakeSocket(`${version}.moq-lite-05`)];
  [a.peer, b.peer] = [b, a];
  const opening = overSocket(a as Socket);
  const accepted = Qmux.accept(b as Socket);
  await accepted.ready;
  assert.equal(accepted.protocol, "moq-lite-05");
  const page = await opening;
  return { page, relay: new WebStreamsConnection(accepted, "websocket", { datagrams: false }), socket: a };
}

const audio = { broadcast: "ada", track: "audio/data", priority: 80, ordered: false, maxLatencyMs: 0 };
const DATAGRAM = [0x30, 0x31];

for (const version of ["qmux-02", "qmux-01"]) {
  describe(`over ${version}`, () => {
    test("a voice goes by group streams, in either direction", async () => {
      const { page, relay, socket } = await pair(version);
      assert.equal(page.transport, "websocket");
      assert.equal(page.datagrams, undefined);
      const ada = new Broadcast(77, voiceCatalog(32000));
      const bob = new Broadcast(78, voiceCatalog(32000));
      const here = new Session(page, { publisher: bob.at("bob") });
      const there = new Session(relay, { publisher: ada.at("ada") });
      assert.deepEqual(await here.peerSetup, { goaway: true });

      for (const [session, broadcast, path] of [[here, ada, "ada"], [there, bob, "bob"]] as const) {
        const announced = await session.announced("");
        assert.equal((await announced.next())?.suffix, path);
        const got = new Set<number>();
        let all!: () => void;
        const complete = new Promise<void>((resolve) => (all = resolve));
        const subscription = await session.subscribe({ ...audio, broadcast: path, start: 0 }, {
          datagram: () => assert.fail("a datagram"),
          async group(group: GroupReader) {
            const frame = await group.next();
            assert.equal(frame?.timestamp, group.sequence * 20_000);
            assert.equal(await group.next(), undefined);
            if (got.add(group.sequence).size === 300) all();
          },
        });
        // More than the 100 streams of the first credit.
        for (let i = 0; i < 300; i++) {
          broadcast.add(i * 20_000, Uint8Array.of(0xf8, i & 255));
          while (i - got.size > 20) await new Promise(setImmediate);
        }
        await complete;
        broadcast.end();
        assert.equal(await subscription.ended, undefined);
      }
      assert.equal(socket.received.some((type) => DATAGRAM.includes(type)), false);
      here.close();
      await there.closed;
    });

    test("codes and reasons arrive", async () => {
      const { page, relay } = await pair(version);
      const here = new Session(page);
      const there = new Session(relay);
      await assert.rejects(here.trackInfo("a", "b"), (e) => e instanceof StreamError && e.remote && e.code === ResetCode.RoleViolated);
      there.close(ResetCode.Unauthorized, "go away");
      const cause = await here.closed;
      assert.deepEqual([cause.code, cause.reason, cause.remote], [ResetCode.Unauthorized, "go away", true]);
    });

    test("a socket that is gone ends everything without a code", async () => {
      const { page, socket } = await pair(version);
      const session = new Session(page);
      const asked = session.trackInfo("a", "b");
      asked.catch(() => {});
      socket.close(1006);
      const cause = await session.closed;
      assert.equal(cause.code, undefined);
      await assert.rejects(asked);
      await assert.rejects(session.peerSetup, cause);
    });
  });
}
