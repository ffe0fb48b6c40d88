package client

import "github.com/stentor-audio/stentor/client/hop"

// join makes a tap one of the ways to a track, which begins if it is new.
func (l *Listener) join(key trackKey, p *tap) (*track, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, known := l.tracks[key]
	if !known {
		if !l.makeRoom() {
			return nil, false
		}
		l.last++
		t = newTrack(key, l.last)
		l.tracks[key] = t
	}
	t.taps[p] = struct{}{}
	t.gone = false
	p.track = t
	p.feed.voices[t.number] = p
	return t, true
}

// announced tells the machine that a session has a track.
func (l *Listener) announced(t *track, line *line) {
	l.roam.event(hop.Event{Kind: hop.Announced, Session: line.id, Track: t.number})
}

// makeRoom reports whether another track may be followed. Tracks that have
// ended are forgotten first, the longest gone before others.
func (l *Listener) makeRoom() bool {
	if len(l.tracks) < l.o.MaxSpeakers {
		return true
	}
	var oldest *track
	for _, t := range l.tracks {
		if t.gone && t.buffer == nil && (oldest == nil || t.left < oldest.left) {
			oldest = t
		}
	}
	if oldest != nil {
		delete(l.tracks, oldest.key)
		return true
	}
	if !l.room {
		l.room = true
		l.log.Warn("more speakers than can be listened to at once", "limit", l.o.MaxSpeakers)
	}
	return false
}

// leave takes a tap off its track. The track lingers.
func (l *Listener) leave(t *track, p *tap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(t.taps, p)
	if p.feed.voices[t.number] == p {
		delete(p.feed.voices, t.number)
		l.roam.step(hop.Event{Kind: hop.Ended, Session: p.feed.line.id, Track: t.number})
	}
	if len(t.taps) == 0 && !t.gone {
		t.gone, t.left = true, now()
	}
}

// begin gives a track its buffer once it is known what it carries.
func (l *Listener) begin(t *track, info Track) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.buffer != nil {
		return nil
	}
	l.o.Output.Lock()
	defer l.o.Output.Unlock()
	buffer, err := l.o.Output.Begin(info)
	if err != nil {
		return err
	}
	t.buffer, t.info = buffer, info
	l.log.Info("speaker", "speaker", info.Speaker, "packet", info.Packet)
	return nil
}

// endTrack lets a track's buffer go and keeps its counters. l.mu is held.
func (l *Listener) endTrack(t *track) {
	if t.buffer == nil {
		return
	}
	l.o.Output.Lock()
	defer l.o.Output.Unlock()
	t.past = t.stats(t.buffer.Stats())
	l.o.Output.End(t.info)
	t.buffer = nil
	l.log.Info("speaker gone", "speaker", t.info.Speaker)
}

func (l *Listener) closeTracks() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.tracks {
		l.endTrack(t)
	}
}
