/**
 * A moq-lite-05 session over one connection of a browser, WebTransport or qmux over
 * WebSocket, mirroring Go's protocol/session: it sends and reads SETUP, turns streams
 * and datagrams into groups, and knows neither rooms nor audio.
 */
export { Announcements } from "./announcements";
export { Broadcast, heldPackets, maxPacket } from "./broadcast";
export { connect, ConnectError, type ConnectOptions, type Transport } from "./connect";
export type { Connection, Datagrams, PathStats, ReceiveStream, SendStream, Stream } from "./connection";
export { ClosedError, codeOf, Refusal, StreamError, TimeoutError } from "./errors";
export { GroupReader, GroupWriter } from "./group";
export { AnnounceWriter, type Publisher, publishNothing, Subscriber } from "./publisher";
export { Session, type SessionOptions } from "./session";
export { type Sink, type SubscribeRequest, Subscription } from "./subscription";
export { connectWebSocket } from "./websocket";
export { connectWebTransport, hasWebTransport, type WebTransportSettings } from "./webtransport";
