/** A page that reads tracks with @moq/net. */
import { Connection, Path, type Track } from "@moq/net";

/** What came, as one group or one datagram. Bytes are base64. */
export interface Packet {
  sequence: number;
  /** In microseconds. */
  timestamp: number;
  payload: string;
}

export interface Reading {
  version: string;
  transport: string;
  /** The broadcasts that are live in the room. */
  announced: string[];
  catalog: unknown;
  timescale: number;
  groups: Packet[];
  datagrams: Packet[];
  /** The first group that came, fetched afterwards; undefined when it was datagrams that came. */
  fetched: Packet | undefined;
}

export interface NetPage {
  /**
   * Reads a broadcast of a room until count packets of a track have come. hash is that
   * of the relay's certificate; datagrams has the session say that it reads them.
   */
  read: (url: string, options: { name: string; track: string; count: number; hash?: string; datagrams?: boolean }) => Promise<Reading>;
}

const page: NetPage = {
  async read(url, { name, track, count, hash, datagrams = false }) {
    const address = new URL(url);
    const serverCertificateHashes = hash === undefined ? [] : [{ value: bytes(hash) }];
    const connection = await Connection.connect(
      address,
      datagrams ? { transport: await declaring(address, serverCertificateHashes) } : { webtransport: { serverCertificateHashes }, websocket: { enabled: hash === undefined } },
    );
    try {
      const announced = await connection.announced().next();
      const broadcast = connection.consume(Path.from(name));
      const catalog = await broadcast.track("catalog.json").subscribe().readJson();
      const audio = broadcast.track(track);
      const subscription = audio.subscribe({ priority: 80 });
      const [groups, sent]: [Packet[], Packet[]] = [[], []];
      await Promise.race([keepGroups(subscription, groups, count), keepDatagrams(subscription, sent, count)]);
      const first = groups[0];
      const fetched = first === undefined ? undefined : await frameOf(await audio.fetchGroup(first.sequence));
      const { timescale } = await subscription.info();
      return { version: connection.version, transport: connection.transport, announced: [announced?.path ?? ""], catalog, timescale: Number(timescale), groups, datagrams: sent, fetched };
    } finally {
      connection.close();
    }
  },
};
Object.assign(globalThis, { page });

async function keepGroups(subscription: Track.Subscriber, kept: Packet[], count: number): Promise<void> {
  while (kept.length < count) {
    const group = await subscription.recvGroup();
    if (group === undefined) throw new Error(`the track ends after ${kept.length} groups`);
    const packet = await frameOf(group);
    if (packet !== undefined) kept.push(packet);
  }
}

async function frameOf(group: Awaited<ReturnType<Track.Consumer["fetchGroup"]>>): Promise<Packet | undefined> {
  const frame = await group.readFrame();
  if (frame === undefined) return undefined;
  return { sequence: group.sequence, timestamp: frame.timestamp.asMicros(), payload: base64(frame.payload) };
}

async function keepDatagrams(subscription: Track.Subscriber, kept: Packet[], count: number): Promise<void> {
  while (kept.length < count) {
    const datagram = await subscription.recvDatagram();
    if (datagram === undefined) throw new Error(`the track ends after ${kept.length} datagrams`);
    kept.push({ sequence: datagram.sequence, timestamp: datagram.timestamp.asMicros(), payload: base64(datagram.payload) });
  }
}

/**
 * A WebTransport whose SETUP declares, beyond what @moq/net puts into it, that datagrams
 * are read: parameter 0x5354 with value 1. SETUP is the first unidirectional stream.
 */
async function declaring(url: URL, hashes: { value: BufferSource }[]): Promise<WebTransport> {
  const transport = new WebTransport(url, { protocols: ["moq-lite-05"], serverCertificateHashes: hashes.map(({ value }) => ({ algorithm: "sha-256", value })) } as WebTransportOptions);
  await transport.ready;
  const open = transport.createUnidirectionalStream.bind(transport);
  transport.createUnidirectionalStream = async (options) => {
    transport.createUnidirectionalStream = open;
    const writer = (await open(options)).getWriter();
    const written: number[] = [];
    return new WritableStream<Uint8Array>({
      write: (part) => void written.push(...part),
      async close() {
        const [type = 0, length = 0, count = 0, ...rest] = written; // each below 64: one byte
        await writer.write(Uint8Array.of(type, length + 6, count + 1, ...rest, 0x80, 0x00, 0x53, 0x54, 1, 1));
        await writer.close();
      },
    });
  };
  return transport;
}

const bytes = (hex: string): Uint8Array<ArrayBuffer> => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const base64 = (data: Uint8Array): string => btoa(String.fromCharCode(...data));
