import { type Catalog, type Delivery, type TrackInfo, Track as TrackName, bundleSize, parseCatalog } from "../protocol";
import { Scope, abortable, sleep } from "../session/abort";
import { StreamError } from "../session/errors";
import type { Subscription } from "../session/subscription";
import { Backoff } from "./backoff";
import { type Choice, choose, sameChoice } from "./choice";
import type { Feed } from "./feed";
import { firstFrames, newestFrames } from "./line";
import { Toggle } from "./toggle";
import type { Track } from "./track";
import { type Format, unpack } from "./unpack";

// Priorities of subscriptions; the values that other players use.
const CATALOG_PRIORITY = 100;
export const AUDIO_PRIORITY = 80;

/** The track of bundles of so many ms. */
const bundles: Readonly<Record<number, string>> = { 60: TrackName.Audio60, 120: TrackName.Audio120 };

/** What a tap can subscribe to and fetch. */
export interface Intake {
  readonly tap: Tap;
  readonly choice: Choice;
  /** The track of the choice that is subscribed to. */
  readonly track: string;
  readonly channels: 1 | 2;
  readonly format: Format;
}

/** One speaker's way through one session. */
export class Tap {
  /** What can be subscribed to and fetched; undefined until it is known. */
  ready: Intake | undefined;
  /** The machine wants it subscribed to. */
  private readonly called = new Toggle();
  private from: number | undefined; // the first frame wanted
  private readonly scope: Scope;
  private readonly news = new Toggle();
  private foreseen: { track: string; info: Promise<TrackInfo> } | undefined;

  constructor(
    readonly feed: Feed,
    readonly track: Track,
    /** Of the broadcast within the session. */
    readonly path: string,
  ) {
    this.scope = new Scope(feed.signal);
  }

  /** Ends with the tap. */
  get signal(): AbortSignal {
    return this.scope.signal;
  }

  /** Follows the speaker. */
  start(): void {
    this.foresee();
    void this.run();
    void this.keepCatalog();
  }

  close(): void {
    this.scope.end(new DOMException("not announced any more", "AbortError"));
  }

  /** Subscribes from a frame on, or from the newest one, as the machine says. */
  call(start: number | undefined): void {
    this.from = start;
    this.called.set(true);
  }

  /** Ends the subscription, as the machine says. */
  dismiss(): void {
    this.called.set(false);
  }

  /** Subscribes, and again whenever that fails, while the speaker is announced. */
  private async run(): Promise<void> {
    const pause = new Backoff(this.feed.random);
    for (;;) {
      const begun = this.feed.now();
      await this.listen().catch(() => undefined);
      if (this.signal.aborted || !(await sleep(pause.next(this.feed.now() - begun), this.signal))) return;
    }
  }

  /** Subscribes to what there is, until the subscription is over. */
  private async listen(): Promise<void> {
    await abortable(this.track.known, this.signal);
    for (;;) {
      const catalog = this.track.catalog!;
      const choice = choose(catalog, this.feed.packetMs);
      if (typeof choice === "string") {
        await this.catalogChange(catalog);
        continue;
      }
      const intake = await this.prepare(choice);
      this.feed.begin(this.track, intake);
      this.ready = intake;
      try {
        await this.follow(intake);
      } finally {
        this.ready = undefined;
      }
    }
  }

  /** Waits until the track has another catalog. */
  private async catalogChange(old: Catalog): Promise<void> {
    while (this.track.catalog === old) await abortable(this.news.changed(), this.signal);
  }

  /**
   * Asks about the chosen track, or about the single packets if there are no
   * bundles: not every relay makes them.
   */
  private async prepare(choice: Choice): Promise<Intake> {
    if (choice.bundle) {
      try {
        return await this.prepareTrack(choice, choice.bundle.track);
      } catch (error) {
        if (this.signal.aborted || !(error instanceof StreamError)) throw error;
      }
    }
    return this.prepareTrack({ source: choice.source, bundle: undefined }, choice.source.track);
  }

  private async prepareTrack(choice: Choice, track: string): Promise<Intake> {
    const rendition = choice.bundle ?? choice.source;
    const info = await (this.foreseen?.track === track ? this.foreseen.info : this.ask(track));
    this.foreseen = undefined;
    return {
      tap: this,
      choice,
      track,
      channels: rendition.channels === 2 ? 2 : 1,
      format: {
        container: rendition.container,
        size: choice.bundle ? bundleSize(track) || 1 : 1,
        timescale: info.timescale,
      },
    };
  }

  /** Asks about a track, and measures how long that takes. */
  private async ask(track: string): Promise<TrackInfo> {
    const asked = this.feed.now();
    const info = await this.feed.session.trackInfo(this.path, track, this.signal);
    this.feed.line.answered(this.feed.now() - asked);
    return info;
  }

  /** Asks about the track that will be chosen, as far as one can know before there is a catalog. */
  private foresee(): void {
    const { packetMs, line } = this.feed;
    const track = bundles[packetMs];
    if (track === undefined || !line.stentor || this.track.catalog) return;
    const info = this.ask(track);
    info.catch(() => undefined); // whoever chooses it hears of it
    this.foreseen = { track, info };
  }

  /** Whether something else would be chosen from the track's present catalog. */
  private outdated(intake: Intake): boolean {
    const other = choose(this.track.catalog!, this.feed.packetMs);
    return typeof other === "string" || !sameChoice(intake.choice, other);
  }

  /** Subscribes whenever it is called, until another choice is due or the track is over. */
  private async follow(intake: Intake): Promise<void> {
    for (;;) {
      await this.called.wanted(this.signal);
      if (this.outdated(intake)) return;
      const subscription = await this.subscribe(intake);
      try {
        if (!(await this.keep(intake, subscription))) return;
      } finally {
        subscription.close();
      }
    }
  }

  /** Begins at the first frame that no session has brought. */
  private subscribe(intake: Intake): Promise<Subscription> {
    const { size } = intake.format;
    const start = this.track.resume(size) ?? (this.from === undefined ? undefined : Math.floor(this.from / size));
    return this.feed.session.subscribe(
      { broadcast: this.path, track: intake.track, ...delivery(AUDIO_PRIORITY), start },
      firstFrames((frame, group) => {
        this.feed.line.heard();
        const { frames, fault } = unpack(intake.format, group, frame.timestamp, frame.payload);
        this.feed.deliver(intake, group, frames, fault);
      }),
      this.signal,
    );
  }

  /**
   * Keeps a subscription while it is wanted: true when it is not any more, false
   * when another choice is due. Throws when it is over.
   */
  private async keep(intake: Intake, subscription: Subscription): Promise<boolean> {
    for (;;) {
      const ended = await Promise.race([
        subscription.ended.then((cause) => ({ cause })),
        this.called.changed(),
        this.news.changed(),
      ]);
      if (ended) throw ended.cause ?? new Error("the track is over");
      if (!this.called.on) return true;
      if (this.outdated(intake)) return false;
    }
  }

  /** Follows the speaker's catalog while the session is in use. */
  private async keepCatalog(): Promise<void> {
    const pause = new Backoff(this.feed.random);
    for (;;) {
      const begun = this.feed.now();
      await this.followCatalog().catch(() => undefined);
      if (this.signal.aborted || !(await sleep(pause.next(this.feed.now() - begun), this.signal))) return;
    }
  }

  private async followCatalog(): Promise<void> {
    // What a catalog's frames hold needs no TRACK_INFO to be read, so nobody waits for it who is in use.
    const known = this.ask(TrackName.Catalog);
    if (this.feed.inUse.on) known.catch(() => undefined);
    else await known;
    for (;;) {
      await this.feed.inUse.wanted(this.signal);
      const subscription = await this.feed.session.subscribe(
        { broadcast: this.path, track: TrackName.Catalog, ...delivery(CATALOG_PRIORITY) },
        newestFrames((frame) => this.learn(frame.payload)),
        this.signal,
      );
      const ended = await Promise.race([subscription.ended.then(() => true), this.feed.inUse.changed().then(() => false)]);
      subscription.close();
      if (ended) throw new Error("the catalog is over");
    }
  }

  private learn(document: Uint8Array): void {
    let catalog: Catalog;
    try {
      catalog = parseCatalog(document);
    } catch {
      this.track.malformed++;
      return; // the one before still counts
    }
    this.track.learn(catalog);
    for (const tap of this.track.taps) tap.notice();
  }

  /** Looks at the track's new catalog. */
  private notice(): void {
    this.news.set(!this.news.on);
  }
}

function delivery(priority: number): Delivery {
  return { priority, ordered: false, maxLatencyMs: 0 };
}

