import type { Frame, TrackInfo } from "../protocol";
import { abortable } from "./abort";
import type { Subscriber } from "./publisher";

/** What is said of a track of reports. */
export const reportInfo: TrackInfo = { priority: 0, ordered: false, maxLatencyMs: 1000, timescale: 1000 };

/** A track of which only the newest group matters: one that is lost is not missed, the next comes soon. */
export class Reports {
  private newest: Frame | undefined;
  /** The sequence of the report to come. */
  next = 0;

  /** Makes the next report, at a time in ms. */
  add(timestamp: number, payload: Uint8Array): void {
    this.newest = { timestamp, payload };
    this.next++;
  }

  /** Sends the report there is, if it has not been sent before. Returns the sequence of the one to come. */
  async send(subscriber: Subscriber, datagrams: boolean, sent: number, signal: AbortSignal): Promise<number> {
    const { newest, next } = this;
    if (newest === undefined || next === sent) return next;
    await subscriber.start(next - 1);
    if (datagrams && subscriber.sendDatagram(next - 1, newest)) return next;
    await abortable(subscriber.writeGroup(next - 1, newest).catch(() => undefined), signal); // if not, the next one
    return next;
  }
}
