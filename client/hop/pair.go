package hop

import "time"

// muteAfter is how long a session of a speaker may bring no tick: five have then
// been lost, or the relay is. There is no hurry, for the other one is live.
const muteAfter = time.Second

// maxSides is how many sessions a Pair has at most: two, and two on their way
// out.
const maxSides = 4

// A side is one of a speaker's sessions, or an attempt at one.
type side struct {
	id    Session
	relay Candidate
	up    bool
	since time.Duration
	ticks bool
	heard time.Duration

	bad Cause // why it is to be replaced; CauseNone: it is not
}

// A loss is a session that is not replaced yet.
type loss struct {
	from  string
	cause Cause
	at    time.Duration
}

// A Pair decides for one speaker: it keeps sessions with two relays, in two
// zones if possible, both of which publish all the time. One that is to be
// replaced is closed only when two others are up. It is not safe for concurrent
// use.
//
// Of the events it wants Now, Candidates, Dialled, DialFailed, Closed, Ticked,
// Goaway and NetworkChanged; its effects are Dial, Subscribe and Unsubscribe
// (only to Tick), Close, AskLobby and Hopped.
type Pair struct {
	o       Options
	now     time.Duration
	effects []Effect

	deadline time.Duration
	book     book
	last     Session
	sides    [maxSides]side
	losses   []loss // oldest first

	askAt    time.Duration
	askPause time.Duration
}

// NewPair returns a pair that knows of no relay yet.
func NewPair(o Options) *Pair {
	return &Pair{o: o, book: book{o: o}}
}

// Step tells the pair what happened and returns what to do, as [Machine.Step].
func (p *Pair) Step(now time.Duration, e Event) []Effect {
	p.effects = p.effects[:0]
	p.now = max(p.now, now)
	p.take(e)
	p.review()
	return p.effects
}

// Deadline is as [Machine.Deadline].
func (p *Pair) Deadline() (at time.Duration, ok bool) { return p.deadline, p.deadline != never }

// Live are the sessions that are up, but for those to be replaced.
func (p *Pair) Live() []Session {
	var live []Session
	for i := range p.sides {
		if s := &p.sides[i]; s.up && s.bad == CauseNone {
			live = append(live, s.id)
		}
	}
	return live
}

func (p *Pair) emit(e Effect) { p.effects = append(p.effects, e) }
func (p *Pair) wake(at time.Duration) {
	if at > p.now {
		p.deadline = min(p.deadline, at)
	}
}

func (p *Pair) side(id Session) *side {
	for i := range p.sides {
		if s := &p.sides[i]; s.id == id && id != 0 {
			return s
		}
	}
	return nil
}

func (p *Pair) take(e Event) {
	switch e.Kind {
	case Candidates:
		p.book.list(e.Candidates, p.now)
		return
	case NetworkChanged:
		p.networkChanged()
		return
	}
	s := p.side(e.Session)
	if s == nil {
		return
	}
	switch {
	case e.Kind == Dialled && !s.up:
		p.dialled(s, e.Ticks)
	case e.Kind == DialFailed && !s.up, e.Kind == Closed && !s.up:
		p.book.failed(s.relay, e.Final, p.now)
		*s = side{}
	case e.Kind == Closed:
		p.book.left(s.relay, CauseClosed, s.since, p.now)
		if s.bad == CauseNone {
			p.lost(s, CauseClosed)
		}
		*s = side{}
	case e.Kind == Ticked:
		p.ticked(s)
	case e.Kind == Goaway && s.up:
		cause := e.Cause
		if cause != CauseLoad {
			cause = CauseDrain
		}
		p.book.askedToLeave(s.relay, cause, p.now)
		p.replace(s, cause)
	}
}

func (p *Pair) dialled(s *side, ticks bool) {
	s.up, s.since, s.heard, s.ticks = true, p.now, p.now, ticks
	p.askPause = 0
	if ticks {
		p.emit(Effect{Kind: Subscribe, Session: s.id, Track: Tick})
	}
	if len(p.losses) > 0 {
		l := p.losses[0]
		p.losses = append(p.losses[:0], p.losses[1:]...)
		p.emit(Effect{
			Kind: Hopped, Session: s.id,
			From: l.from, To: s.relay.Name, Cause: l.cause, Took: p.now - l.at,
		})
	}
}

// ticked keeps a session that had only gone quiet.
func (p *Pair) ticked(s *side) {
	s.heard = p.now
	again := func(other *side) bool { return other.bad == CauseNone && other.relay.same(s.relay) }
	if s.bad != CauseSilence || p.count(again) > 0 {
		return // its relay has been dialled anew
	}
	s.bad = CauseNone
	for i, l := range p.losses {
		if l.from == s.relay.Name && l.cause == CauseSilence {
			p.losses = append(p.losses[:i], p.losses[i+1:]...)
			break
		}
	}
}

// replace marks a session that is to be closed once another is there.
func (p *Pair) replace(s *side, cause Cause) {
	if s.bad == CauseNone {
		p.lost(s, cause)
	}
	if cause == CauseSilence {
		p.book.left(s.relay, cause, s.since, p.now)
	}
	s.bad = cause
}

func (p *Pair) lost(s *side, cause Cause) {
	if len(p.losses) == maxSides {
		p.losses = append(p.losses[:0], p.losses[1:]...)
	}
	p.losses = append(p.losses, loss{from: s.relay.Name, cause: cause, at: p.now})
}

func (p *Pair) networkChanged() {
	p.book.forgive()
	p.askAt, p.askPause = p.now, 0
	for i := range p.sides {
		s := &p.sides[i]
		switch {
		case s.id == 0:
		case s.up:
			p.replace(s, CauseNetwork)
		default:
			p.emit(Effect{Kind: Close, Session: s.id})
			*s = side{}
		}
	}
}

func (p *Pair) review() {
	p.deadline = never
	p.listen()
	p.closeReplaced()
	for p.count(func(s *side) bool { return s.bad == CauseNone }) < 2 && p.dialNext() {
	}
}

// count counts the sides that are in use and of which f is true.
func (p *Pair) count(f func(*side) bool) int {
	n := 0
	for i := range p.sides {
		if s := &p.sides[i]; s.id != 0 && f(s) {
			n++
		}
	}
	return n
}

// listen looks for sessions that are mute, and attempts without an end.
func (p *Pair) listen() {
	for i := range p.sides {
		s := &p.sides[i]
		at := s.heard + muteAfter
		switch {
		case s.id == 0 || s.bad != CauseNone || s.up && !s.ticks:
		case !s.up:
			if at = s.since + dialTimeout; p.now >= at {
				p.book.failed(s.relay, false, p.now)
				p.emit(Effect{Kind: Close, Session: s.id})
				*s = side{}
				continue
			}
			p.wake(at)
		case p.now >= at:
			p.replace(s, CauseSilence)
		default:
			p.wake(at)
		}
	}
}

// closeReplaced ends the sessions that are too many: those to be replaced, once
// there are two others, and the newest of three good ones, of which one had
// only gone quiet.
func (p *Pair) closeReplaced() {
	good := func(s *side) bool { return s.bad == CauseNone }
	for p.count(good) > 2 {
		var extra *side
		for i := range p.sides {
			s := &p.sides[i]
			if s.id != 0 && good(s) && (extra == nil || !s.up && extra.up || s.up == extra.up && s.id > extra.id) {
				extra = s
			}
		}
		p.close(extra)
	}
	if p.count(func(s *side) bool { return good(s) && s.up }) < 2 {
		return
	}
	for i := range p.sides {
		if s := &p.sides[i]; s.id != 0 && s.bad != CauseNone {
			p.close(s)
		}
	}
}

func (p *Pair) close(s *side) {
	p.emit(Effect{Kind: Close, Session: s.id, Cause: s.bad})
	if s.bad != CauseSilence { // that was noted when it went mute
		p.book.left(s.relay, s.bad, s.since, p.now)
	}
	*s = side{}
}

// dialNext dials another relay, of another zone than the rest if there is one.
func (p *Pair) dialNext() bool {
	e, again := p.book.pick(p.now, false, func(c Candidate) bool { return p.unused(c) && p.elsewhere(c) })
	if e == nil {
		e, again = p.book.pick(p.now, true, p.unused)
	}
	if e == nil {
		p.wake(again)
		p.ask()
		return false
	}
	slot := p.free()
	p.last++
	*slot = side{id: p.last, relay: e.Candidate, since: p.now}
	p.emit(Effect{Kind: Dial, Session: p.last, Candidate: e.Candidate})
	p.wake(p.now + dialTimeout)
	return true
}

// free is a place for another session. If need be the oldest of those to be
// replaced goes: there are three of them then, and the newest say more.
func (p *Pair) free() *side {
	var oldest *side
	for i := range p.sides {
		s := &p.sides[i]
		if s.id == 0 {
			return s
		}
		if s.bad != CauseNone && (oldest == nil || s.id < oldest.id) {
			oldest = s
		}
	}
	p.close(oldest)
	return oldest
}

// unused reports whether a relay has no session, but for one that may well be
// dead: mute, or from before the network changed.
func (p *Pair) unused(c Candidate) bool {
	return p.count(func(s *side) bool {
		return s.bad != CauseNetwork && s.bad != CauseSilence && s.relay.same(c)
	}) == 0
}

// elsewhere reports whether a relay is in no zone that the other one is in, as
// far as is known.
func (p *Pair) elsewhere(c Candidate) bool {
	return p.count(func(s *side) bool { return s.bad == CauseNone && !c.elsewhere(s.relay) }) == 0
}

// ask asks the lobby, less and less often.
func (p *Pair) ask() {
	if p.now >= p.askAt {
		p.emit(Effect{Kind: AskLobby})
		p.askPause = min(max(2*p.askPause, firstAsk), longestAsk)
		p.askAt = p.now + p.o.after(2*p.askPause)
	}
	p.wake(p.askAt)
}
