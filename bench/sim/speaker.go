package sim

import (
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/membership/placement"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/admission"
)

// A speaker publishes to two relays, which a hop.Pair chooses and keeps.
type speaker struct {
	id       int32
	rm       *room
	zone     int32
	pair     *hop.Pair
	jitter   float64
	sessions []voice
	wakeAt   time.Duration
	outSince time.Duration // since when no relay that lives has it; never while one does
	begun    bool
	asking   bool
}

// A voice is one of a speaker's sessions, or the attempt at one.
type voice struct {
	id     hop.Session
	relay  int32
	life   int32
	in, up bool
	ticks  time.Duration // when the last tick came
	trip   time.Duration
}

// ingests are the relays that take a speaker's voice now.
func (s *speaker) ingests(w *world) []*node {
	var at []*node
	for i := range s.sessions {
		if v := &s.sessions[i]; v.up {
			if r := w.relays[v.relay]; r.alive() && r.life == v.life {
				at = append(at, r)
			}
		}
	}
	return at
}

func (s *speaker) session(id hop.Session) *voice {
	for i := range s.sessions {
		if s.sessions[i].id == id {
			return &s.sessions[i]
		}
	}
	return nil
}

// speak lets the speakers of a room come.
func (w *world) speak(rm *room) {
	for range w.s.Rooms.Speakers {
		jitter := w.luck.Float64()
		s := &speaker{
			id: int32(len(w.speakers)), rm: rm, zone: int32(w.luck.IntN(len(w.zones))), jitter: jitter,
			pair: hop.NewPair(hop.Options{Jitter: jitter}), wakeAt: never, outSince: never,
		}
		w.speakers = append(w.speakers, s)
		rm.voices = append(rm.voices, s)
		w.sayTo(s, hop.Event{})
	}
}

// sayTo tells a speaker's pair what happened and does what it says.
func (w *world) sayTo(s *speaker, e hop.Event) {
	w.res.Messages.Steps++
	for _, effect := range s.pair.Step(w.now, e) {
		switch effect.Kind {
		case hop.Dial:
			r := w.relays[w.byName[effect.Candidate.Name]]
			trip := w.clientTrips[s.zone][r.zone]
			s.sessions = append(s.sessions, voice{id: effect.Session, relay: r.id, life: r.life, trip: trip})
			w.after(trip/2, func() { w.knock(s, effect.Session) })
		case hop.Close:
			w.hush(s, effect.Session)
		case hop.AskLobby:
			w.askAsSpeaker(s)
		case hop.Hopped:
			w.res.Speakers.Hops++
		case hop.Subscribe, hop.Unsubscribe: // to the tick, which is always had
		}
	}
	w.audible(s)
	w.tickOf(s)
}

// tickOf asks for the pair's next turn.
func (w *world) tickOf(s *speaker) {
	at, ok := s.pair.Deadline()
	if !ok || at == s.wakeAt {
		return
	}
	s.wakeAt = max(at, w.now)
	w.push(event{at: s.wakeAt, kind: chat, a: s.id})
}

// chatOf is a speaker's turn: it has had the ticks that came until now.
func (w *world) chatOf(s *speaker) {
	for i := 0; i < len(s.sessions); i++ {
		v := &s.sessions[i]
		r := w.relays[v.relay]
		if !v.up || v.life != r.life {
			continue
		}
		last := min(w.now-v.trip/2, r.mute)
		if tick := last - last%w.tickEvery + v.trip/2; tick > v.ticks && tick <= w.now {
			v.ticks = tick
			w.sayTo(s, hop.Event{Kind: hop.Ticked, Session: v.id})
		}
	}
	w.sayTo(s, hop.Event{})
}

// hush ends a session of a speaker.
func (w *world) hush(s *speaker, id hop.Session) {
	v := s.session(id)
	if v == nil {
		return
	}
	if r := w.relays[v.relay]; v.in && v.life == r.life {
		r.sessions--
		w.wants(r, s.rm, -1)
	}
	for i := range s.sessions {
		if s.sessions[i].id == id {
			s.sessions = append(s.sessions[:i], s.sessions[i+1:]...)
			break
		}
	}
	w.dirty(s.rm)
}

// knock is a speaker's handshake at a relay.
func (w *world) knock(s *speaker, id hop.Session) {
	v := s.session(id)
	if v == nil {
		return
	}
	r := w.relays[v.relay]
	switch {
	case !r.alive():
		w.after(dialFor, func() { w.refuse(s, id) })
		return
	case r.told.State != membership.Ready:
		w.after(v.trip/2, func() { w.refuse(s, id) })
		return
	}
	if !r.enter(w.now) && !r.reserved.Take(w.now-r.since) || !admission.Room(admission.Reserved, w.s.Network.Capacity, r.sessions) {
		w.res.Speakers.Refused++
		w.after(v.trip/2, func() { w.refuse(s, id) })
		return
	}
	v.in, v.life = true, r.life
	r.sessions++
	w.wants(r, s.rm, 1)
	w.after(time.Duration(setupTrips)*v.trip-v.trip/2+w.handshake(r), func() {
		v := s.session(id)
		if v == nil || v.life != r.life || !r.alive() {
			w.after(dialFor, func() { w.refuse(s, id) })
			return
		}
		v.up, v.ticks = true, w.now
		w.dirty(s.rm)
		w.sayTo(s, hop.Event{Kind: hop.Dialled, Session: id, Ticks: true})
		w.after(v.trip, func() { w.speakersList(s, r) })
	})
}

// refuse is an attempt that came to nothing.
func (w *world) refuse(s *speaker, id hop.Session) {
	if s.session(id) != nil {
		w.hush(s, id)
		w.sayTo(s, hop.Event{Kind: hop.DialFailed, Session: id})
	}
}

// askAsSpeaker asks a lobby.
func (w *world) askAsSpeaker(s *speaker) {
	if s.asking {
		return
	}
	s.asking = true
	w.after(w.askTime(), func() {
		s.asking = false
		at := w.lobbyAt(s.zone)
		if at == nil {
			return
		}
		places, _ := relay.Direct(s.rm.name, at.name, w.views[at.zone].reachable(w.byName), placement.Options{
			Purpose: placement.Speak, Zone: w.zones[s.zone], Count: lobbyCount, Roots: w.liveRoots(at, s.rm),
		}, 0, 0)
		w.sayTo(s, hop.Event{Kind: hop.Candidates, Candidates: w.candidates(places)})
	})
}

// speakersList is what a relay tells a speaker of the relays there are.
func (w *world) speakersList(s *speaker, r *node) {
	if !r.alive() {
		return
	}
	others := relay.StandIns(s.rm.name, w.views[r.zone].reachable(w.byName), placement.Options{
		Purpose: placement.Speak, Zone: w.zones[r.zone], Count: placement.DefaultCount, Exclude: []string{r.name}, Roots: w.liveRoots(r, s.rm),
	})
	list := w.candidates(others)
	if r.ready() {
		list = append([]hop.Candidate{r.candidate}, list...)
	}
	w.sayTo(s, hop.Event{Kind: hop.Candidates, Candidates: list})
}

// audible keeps count of how long nobody has a speaker.
func (w *world) audible(s *speaker) {
	is := len(s.ingests(w)) > 0
	switch {
	case is && s.outSince != never:
		w.out(w.now - s.outSince)
		s.outSince = never
	case is:
		s.begun = true
	case s.begun && s.outSince == never:
		s.outSince = w.now
	}
}

func (w *world) out(d time.Duration) {
	w.res.Speakers.OutMS = max(w.res.Speakers.OutMS, d.Milliseconds())
}

// askSpeakers asks the speakers at a relay to go elsewhere.
func (w *world) askSpeakers(r *node) {
	for _, s := range w.speakers {
		for i := range s.sessions {
			if v := s.sessions[i]; v.up && v.relay == r.id && v.life == r.life {
				w.after(v.trip/2, func() { w.sayTo(s, hop.Event{Kind: hop.Goaway, Session: v.id, Cause: hop.CauseDrain}) })
			}
		}
	}
}

// loseSpeakers ends the sessions of speakers with a relay that has gone; they hear
// of it after a while.
func (w *world) loseSpeakers(r *node, after time.Duration) {
	life := r.life
	for _, s := range w.speakers {
		for i := range s.sessions {
			v := s.sessions[i]
			if v.relay != r.id || v.life != life {
				continue
			}
			w.after(after, func() {
				if now := s.session(v.id); now != nil && (r.life != life || !r.alive()) {
					w.hush(s, v.id)
					w.sayTo(s, hop.Event{Kind: hop.Closed, Session: v.id})
				}
			})
		}
		w.audible(s)
	}
}
