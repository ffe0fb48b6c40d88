package client

import (
	"context"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A request is a group that is being fetched.
type request struct {
	track  string
	group  uint64
	format format
}

const (
	// maxFetches is how many groups of one speaker are fetched at a time: more
	// than a second of single packets.
	maxFetches = 64

	// fetchPatience is when a fetch is given up: no buffer waits longer.
	fetchPatience = time.Second
)

// repair fetches what the track's buffer misses. l.mu is held.
func (l *Listener) repair(t *track, at time.Duration) {
	in := t.best()
	if t.buffer == nil || in == nil {
		return
	}
	l.o.Output.Lock()
	holes := t.buffer.Holes(at, time.Duration(in.tap.feed.roundTrip.Load()), nil)
	var refused []uint64
	for _, seq := range holes {
		if !l.ask(t, in, seq) {
			refused = append(refused, seq)
		}
	}
	for _, seq := range refused {
		t.buffer.FetchFailed(seq)
	}
	l.o.Output.Unlock()
}

// best is what to fetch by: of the sessions in use the one with the shortest
// way.
func (t *track) best() *intake {
	var best *intake
	for p := range t.taps {
		in := p.using.Load()
		if in != nil && (best == nil || p.feed.roundTrip.Load() < best.tap.feed.roundTrip.Load()) {
			best = in
		}
	}
	return best
}

// ask has one sequence fetched. It is false if that cannot be now. l.mu is held.
func (l *Listener) ask(t *track, in *intake, seq uint64) bool {
	source := in.choice.source
	req := request{source.Track, seq, format{container: source.Container, size: 1, timescale: protocol.AudioTimescale}}
	// A bundle comes at the price of a packet and may close several holes, but
	// not one that it is known to have itself.
	if _, hollow := t.empty[seq]; in.format.size > 1 && !hollow {
		req = request{in.track.Track, seq / uint64(in.format.size), in.format}
	}
	if _, busy := t.fetching[req]; !busy {
		if len(t.fetching) >= maxFetches || in.tap.feed.ctx.Err() != nil {
			return false
		}
		t.fetching[req] = struct{}{}
		l.tasks.Go(func() { l.fetch(t, in, req) })
	}
	t.asked[seq] = struct{}{}
	return true
}

// fetch brings one group.
func (l *Listener) fetch(t *track, in *intake, req request) {
	ctx, cancel := context.WithTimeout(in.tap.feed.ctx, fetchPatience)
	defer cancel()
	var frames []frame
	got, err := in.tap.feed.fetch(ctx, in.tap.path, req.track, req.group)
	if err == nil {
		frames, err = req.format.unpack(nil, req.group, got)
	}
	if err != nil {
		l.log.Debug("not repaired", "speaker", t.key.speaker, "track", req.track, "group", req.group, "cause", err)
	}
	l.fetched(t, in, req, frames)
}

// fetched puts what a fetch brought where it was missing.
func (l *Listener) fetched(t *track, in *intake, req request, frames []frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(t.fetching, req)
	at := now()
	l.o.Output.Lock()
	defer l.o.Output.Unlock()
	for _, f := range frames {
		if !t.wanted(f.sequence) {
			continue
		}
		delete(t.empty, f.sequence)
		if t.buffer != nil {
			t.buffer.PushRepaired(f.sequence, f.timestamp, f.opus, at)
		}
	}
	l.o.Output.Flow(at)
	// What is still wanted of this group did not come.
	size := uint64(req.format.size)
	for seq := req.group * size; seq < (req.group+1)*size; seq++ {
		if !t.wanted(seq) || t.buffer == nil {
			continue
		}
		if size > 1 && len(t.empty) < maxEmpty {
			t.empty[seq] = struct{}{} // ask for the packet itself now
			if l.ask(t, in, seq) {
				continue
			}
		}
		t.buffer.FetchFailed(seq)
	}
}

// wanted reports whether some fetch was to bring a sequence, and crosses it off.
func (t *track) wanted(seq uint64) bool {
	_, wanted := t.asked[seq]
	delete(t.asked, seq)
	return wanted
}
