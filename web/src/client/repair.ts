import { Container, type Frame } from "../protocol";
import { Scope } from "../session/abort";
import type { Feed } from "./feed";
import { AUDIO_PRIORITY, type Intake } from "./tap";
import type { Pending, Track } from "./track";
import { type Format, unpack } from "./unpack";

/** How many groups of one speaker are fetched at a time: more than a second of single packets. */
const MAX_FETCHES = 64;
/** When a fetch is given up, in ms: no buffer waits longer. */
const FETCH_PATIENCE = 1000;
/**
 * How much later than 99 in 100 come is overdue, and how long after a hole that is
 * a reason to ask, in ms.
 */
const OVERDUE_MARGIN = 30;
const LOSSY = 10_000;
/**
 * How long a session in use may bring nothing before others are asked first, in ms:
 * a tick is due every 200 ms.
 */
const DEAF_AFTER = 300;
/** What a round trip is taken for while it is not known, in ms. */
const UNKNOWN_ROUND_TRIP = 100;
const FRAME_MS = 20;

/** A group that is to be fetched over one session. */
interface Request {
  readonly intake: Intake;
  readonly track: string;
  readonly group: number;
  readonly format: Format;
}

/** Fetches what the buffer of a track misses at `now`, from whichever session is best. */
export function repair(t: Track, now: () => number): void {
  const best = t.buffer && bestIntake(t, () => false);
  if (!t.buffer || !best) return;
  const at = now();
  const holes = t.buffer.holes(at, roundTrip(best.tap.feed));
  for (const { sequence } of holes) {
    if (!ask(t, sequence, at, now)) t.buffer.fetchFailed(sequence);
  }
  if (holes.length > 0) t.holedAt = at;
  repairOverdue(t, at, now);
}

/**
 * Fetches what was said just before the first group of a track, as far back as the
 * playout delay reaches: all of that is still to be played, so the listener need not
 * wait for the delay to fill.
 */
export async function reachBack(t: Track, intake: Intake, group: number, delayMs: number, now: () => number): Promise<void> {
  const { size } = intake.format;
  const count = Math.min(Math.ceil(delayMs / (size * FRAME_MS)), group, MAX_FETCHES);
  const requests = Array.from({ length: count }, (_, i) => ({ intake, track: intake.track, group: group - 1 - i, format: intake.format }));
  const { buffer } = t;
  // The newest first: one that does not come ends it.
  for (const [i, frame] of [...requests.map((req) => fetchGroup(req, now))].entries()) {
    const came = await frame;
    if (!came || t.buffer !== buffer || !buffer) return;
    const { frames } = unpack(intake.format, group - 1 - i, came.timestamp, came.payload);
    if (frames.length < size) return;
    for (const f of frames.reverse()) if (!buffer.precede(f.sequence, f.timestampUs, f.opus, now())) return;
  }
}

/** Whether time alone may be a reason to fetch something of a track: something is missing, or was lately. */
export function unsettled(t: Track, at: number): boolean {
  return t.buffer !== undefined && (t.buffer.missing > 0 || (t.holedAt !== undefined && at - t.holedAt <= LOSSY));
}

/**
 * Fetches the group that should be here by now, if groups have been lost lately.
 * With long packets a hole shows only when the next one comes, which may be lost,
 * too: that would be too late. A pause looks the same and costs a request in vain,
 * so lines that lose nothing do without.
 */
function repairOverdue(t: Track, at: number, now: () => number): void {
  if (t.holedAt === undefined || at - t.holedAt > LOSSY || t.fetching.size >= MAX_FETCHES) return;
  const expected = t.buffer!.expectedBy();
  if (!expected || at < expected.by + OVERDUE_MARGIN || expected.sequence <= t.pursued) return;
  const intake = bestIntake(t, () => false);
  if (!intake) return;
  t.pursued = expected.sequence;
  const { size } = intake.format;
  const req = { intake, track: intake.track, group: Math.floor(expected.sequence / size), format: intake.format };
  if (t.fetching.has(key(req))) return;
  const pending = send(t, req, key(req), at, now);
  for (let seq = expected.sequence; seq < (req.group + 1) * size; seq++) pending.wanted.add(seq);
}

/**
 * What to fetch by: of the sessions that have the track, one over which something
 * comes rather than one that should bring something and does not, one that `busy`
 * does not speak against, and of these the one with the shortest way.
 */
function bestIntake(t: Track, busy: (feed: Feed) => boolean): Intake | undefined {
  let best: Intake | undefined;
  let cost = Infinity;
  for (const { ready, feed } of t.taps) {
    if (!ready || feed.signal.aborted) continue;
    let c = roundTrip(feed);
    if (busy(feed)) c += 2e6;
    if (!feed.inUse.on) c += 1; // all else being equal, whoever is listened to
    else if (feed.line.quiet() > DEAF_AFTER) c += 1e6;
    if (c < cost) [best, cost] = [ready, c];
  }
  return best;
}

function roundTrip(feed: Feed): number {
  return feed.line.roundTrip ?? UNKNOWN_ROUND_TRIP;
}

/**
 * Has one sequence fetched. It is false if that cannot be now. One that has been
 * asked for already, in vain so far, is asked for elsewhere.
 */
function ask(t: Track, sequence: number, at: number, now: () => number): boolean {
  const intake = bestIntake(t, (feed) => asks(t, feed, sequence));
  if (!intake) return false;
  const req = requestFor(t, intake, sequence);
  const late = roundTrip(intake.tap.feed) + FRAME_MS;
  let id = key(req);
  for (let again = 1; t.fetching.has(id) && at - t.fetching.get(id)!.asked > late; again++) {
    id = key(req, again); // its packets may be lost, too
  }
  let under = t.fetching.get(id);
  if (!under) {
    if (t.fetching.size >= MAX_FETCHES) return false;
    under = send(t, req, id, at, now);
  }
  under.wanted.add(sequence);
  return true;
}

/**
 * How a sequence is asked for. A bundle comes at the price of a packet and may
 * close several holes, but not one that it is known to have itself.
 */
function requestFor(t: Track, intake: Intake, sequence: number): Request {
  const { size } = intake.format;
  if (size > 1 && !t.empty.has(sequence)) {
    return { intake, track: intake.track, group: Math.floor(sequence / size), format: intake.format };
  }
  const { source } = intake.choice;
  const format = { container: source.container || Container.Legacy, size: 1, timescale: 1_000_000 };
  return { intake, track: source.track, group: sequence, format };
}

/** Names a request among those of its track. */
function key(req: Request, again = 0): string {
  return `${req.intake.tap.feed.id} ${req.track} ${req.group} ${again}`;
}

/** Whether a session is already to bring a sequence. */
function asks(t: Track, feed: Feed, sequence: number): boolean {
  for (const [id, { wanted }] of t.fetching) {
    if (wanted.has(sequence) && id.startsWith(`${feed.id} `)) return true;
  }
  return false;
}

/** Has a request sent. */
function send(t: Track, req: Request, id: string, at: number, now: () => number): Pending {
  const pending: Pending = { wanted: new Set(), asked: at };
  t.fetching.set(id, pending);
  void fetchGroup(req, now).then((frame) => fetched(t, req, id, frame, now));
  return pending;
}

/** Brings the frame of one group; undefined if it does not come. */
async function fetchGroup(req: Request, now: () => number): Promise<Frame | undefined> {
  const { feed, path } = req.intake.tap;
  const patience = new Scope(feed.signal).timeout(FETCH_PATIENCE, () => new Error("too late"));
  const asked = now();
  try {
    const ask = { broadcast: path, track: req.track, priority: AUDIO_PRIORITY, group: req.group };
    const [frame] = await feed.session.fetch(ask, patience.signal);
    feed.line.answered(now() - asked);
    return frame;
  } catch {
    return undefined;
  } finally {
    patience.release();
  }
}

/** Puts what a fetch brought where it was missing, and asks elsewhere for what it did not bring. */
function fetched(t: Track, req: Request, id: string, frame: Frame | undefined, now: () => number): void {
  const wanted = t.fetching.get(id)?.wanted ?? new Set<number>();
  t.fetching.delete(id);
  const { frames } = frame ? unpack(req.format, req.group, frame.timestamp, frame.payload) : { frames: [] };
  for (const f of frames) {
    if (!wanted.delete(f.sequence)) continue;
    for (const other of t.fetching.values()) other.wanted.delete(f.sequence);
    t.empty.delete(f.sequence);
    t.buffer?.pushRepaired(f.sequence, f.timestampUs, f.opus, now());
  }
  let again = false;
  const alive = !req.intake.tap.feed.signal.aborted;
  for (const sequence of wanted) { // did not come
    if (req.format.size > 1 && alive && sequence <= (t.newest ?? 0)) t.miss(sequence);
    if (t.buffer && !t.isAsked(sequence)) {
      t.buffer.fetchFailed(sequence);
      again = true;
    }
  }
  if (again) repair(t, now); // elsewhere, while there is time
}
