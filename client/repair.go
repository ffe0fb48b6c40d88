package client

import (
	"context"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A request is a group that is being fetched over one session.
type request struct {
	from   *feed
	track  string
	group  uint64
	format format
	again  int // how often it was sent before, and is still awaited
}

// A pending is a request under way.
type pending struct {
	wanted map[uint64]struct{} // the sequences that it is to bring
	asked  time.Duration
}

const (
	// maxFetches is how many groups of one speaker are fetched at a time: more
	// than a second of single packets.
	maxFetches = 64

	// fetchPatience is when a fetch is given up: no buffer waits longer.
	fetchPatience = time.Second

	// overdueMargin is how much later than 99 in 100 come is overdue.
	overdueMargin = 30 * time.Millisecond

	// lossyFor is how long after a hole a line counts as one that loses packets.
	lossyFor = 10 * time.Second

	// deafAfter is how long a session in use may bring nothing before others are
	// asked first: a tick is due every 200 ms.
	deafAfter = 300 * time.Millisecond
)

// repair fetches what the track's buffer misses. l.mu is held.
func (l *Listener) repair(t *track, at time.Duration) {
	if t.buffer == nil {
		return
	}
	best := t.best(func(*feed) bool { return false })
	if best == nil {
		return
	}
	l.o.Output.Lock()
	holes := t.buffer.Holes(at, time.Duration(best.tap.feed.roundTrip.Load()), nil)
	again := t.lossy(at)
	for _, seq := range holes {
		if !l.ask(t, seq, at) {
			t.buffer.FetchFailed(seq)
		} else if again {
			l.ask(t, seq, at) // at another session, too
		}
	}
	if len(holes) > 0 {
		t.holed, t.holedAt = true, at
	}
	l.repairOverdue(t, at)
	l.o.Output.Unlock()
}

// repairOverdue fetches the group that should be here by now, if groups have been
// lost lately. With long packets a hole shows only when the next one comes, which
// may be lost, too: that would be too late. A pause looks the same and costs a
// request in vain, so lines that lose nothing do without. The locks are held.
func (l *Listener) repairOverdue(t *track, at time.Duration) {
	b, ok := t.buffer.(interface {
		ExpectedBy() (sequence uint64, by time.Duration, ok bool)
	})
	if !ok || !t.lossy(at) {
		return
	}
	seq, by, ok := b.ExpectedBy()
	if !ok || at < by+overdueMargin || seq <= t.pursued {
		return
	}
	first := t.best(func(*feed) bool { return false })
	if first == nil {
		return
	}
	t.pursued = seq
	l.pursue(t, first, seq, at)
	if second := t.best(func(f *feed) bool { return f == first.tap.feed }); second != first {
		l.pursue(t, second, seq, at)
	}
}

// pursue fetches a group of which nothing has come yet. The locks are held.
func (l *Listener) pursue(t *track, in *intake, seq uint64, at time.Duration) {
	size := uint64(in.format.size)
	req := request{from: in.tap.feed, track: in.track.Track, group: seq / size, format: in.format}
	if _, busy := t.fetching[req]; busy || len(t.fetching) >= maxFetches {
		return
	}
	for p := l.send(t, in, req, at); seq < (req.group+1)*size; seq++ {
		p.wanted[seq] = struct{}{}
	}
}

// lossy reports whether something was missing lately. A request is lost as easily
// then, and there is no time to find that out and send another: with 200 ms of
// delay and a round trip of 40 ms the second comes too late for a bundle. So two
// sessions are asked at once.
func (t *track) lossy(at time.Duration) bool { return t.holed && at-t.holedAt <= lossyFor }

// best is what to fetch by: of the sessions that have the track, one over which
// something comes rather than one that should bring something and does not, one
// that busy does not speak against, and of these the one with the shortest way.
func (t *track) best(busy func(*feed) bool) *intake {
	var best *intake
	var cost time.Duration
	for p := range t.taps {
		in := p.ready.Load()
		if in == nil || p.feed.ctx.Err() != nil {
			continue
		}
		c := time.Duration(p.feed.roundTrip.Load())
		if busy(p.feed) {
			c += 2 * time.Hour
		}
		if used, _ := p.feed.inUse.get(); !used {
			c += time.Millisecond // all else being equal, whoever is listened to
		} else if p.feed.line.quiet() > deafAfter {
			c += time.Hour
		}
		if best == nil || c < cost {
			best, cost = in, c
		}
	}
	return best
}

// ask has one sequence fetched. It is false if that cannot be now. One that has
// been asked for already, in vain so far, is asked for elsewhere. l.mu is held.
func (l *Listener) ask(t *track, seq uint64, at time.Duration) bool {
	in := t.best(func(f *feed) bool { return t.asks(f, seq) })
	if in == nil {
		return false
	}
	source := in.choice.source
	req := request{from: in.tap.feed, track: source.Track, group: seq,
		format: format{container: source.Container, size: 1, timescale: protocol.AudioTimescale}}
	// A bundle comes at the price of a packet and may close several holes, but
	// not one that it is known to have itself.
	if _, hollow := t.empty[seq]; in.format.size > 1 && !hollow {
		req = request{from: in.tap.feed, track: in.track.Track, group: seq / uint64(in.format.size), format: in.format}
	}
	late := time.Duration(in.tap.feed.roundTrip.Load()) + FrameDuration
	under := t.fetching[req]
	for under != nil && at-under.asked > late { // its packets may be lost, too
		req.again++
		under = t.fetching[req]
	}
	if under == nil {
		if len(t.fetching) >= maxFetches {
			return false
		}
		under = l.send(t, in, req, at)
	}
	under.wanted[seq] = struct{}{}
	return true
}

// send has a request sent. The locks are held.
func (l *Listener) send(t *track, in *intake, req request, at time.Duration) *pending {
	p := &pending{wanted: make(map[uint64]struct{}), asked: at}
	t.fetching[req] = p
	l.tasks.Go(func() { l.fetch(t, in, req) })
	return p
}

// asks reports whether a session is already to bring a sequence.
func (t *track) asks(f *feed, seq uint64) bool {
	for req, p := range t.fetching {
		if _, asked := p.wanted[seq]; asked && req.from == f {
			return true
		}
	}
	return false
}

// fetch brings one group.
func (l *Listener) fetch(t *track, in *intake, req request) {
	ctx, cancel := context.WithTimeout(req.from.ctx, fetchPatience)
	defer cancel()
	var frames []frame
	got, err := req.from.fetch(ctx, in.tap.path, req.track, req.group)
	if err == nil {
		frames, err = req.format.unpack(nil, req.group, got)
	}
	if err != nil {
		l.log.Debug("not repaired", "speaker", t.key.speaker, "track", req.track, "group", req.group, "cause", err)
	}
	l.fetched(t, req, frames)
}

// fetched puts what a fetch brought where it was missing.
func (l *Listener) fetched(t *track, req request, frames []frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wanted := t.fetching[req].wanted
	delete(t.fetching, req)
	at := now()
	l.o.Output.Lock()
	for _, f := range frames {
		if _, ok := wanted[f.sequence]; !ok {
			continue
		}
		t.forget(f.sequence)
		delete(wanted, f.sequence)
		delete(t.empty, f.sequence)
		if t.buffer != nil {
			t.buffer.PushRepaired(f.sequence, f.timestamp, f.opus, at)
		}
	}
	l.o.Output.Flow(at)
	again, alive := false, req.from.ctx.Err() == nil
	for seq := range wanted { // did not come
		if req.format.size > 1 && alive && seq <= t.newest && len(t.empty) < maxEmpty {
			t.empty[seq] = struct{}{} // ask for the packet itself now
		}
		if t.buffer != nil && !t.asked(seq) {
			t.buffer.FetchFailed(seq)
			again = true
		}
	}
	l.o.Output.Unlock()
	if again {
		l.repair(t, at) // elsewhere, while there is time
	}
}

// asked reports whether some fetch is to bring a sequence.
func (t *track) asked(seq uint64) bool {
	for _, p := range t.fetching {
		if _, ok := p.wanted[seq]; ok {
			return true
		}
	}
	return false
}

// forget takes a sequence that came off the other fetches that were to bring it.
func (t *track) forget(seq uint64) {
	for _, p := range t.fetching {
		delete(p.wanted, seq)
	}
}
