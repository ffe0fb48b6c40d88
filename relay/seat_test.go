package relay_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A seat is a session in the room town that notes all that comes, and what the relay
// says of whom it hears. It reads no datagrams: what was sent arrives, however busy
// the machine is, so what it has can be held against what it was told.
type seat struct {
	t       *testing.T
	relay   *member
	session *client.Session
	ears    map[string]*ear

	mu     sync.Mutex
	floors []*protocol.Floor // as they came
	told   chan struct{}     // closed with the first
}

// sit takes a seat in a room that is crowded; hopID is that of who sits there on
// stage, 0 for a listener. The relay knows that it is followed before the seat asks
// for anybody's sound: so nothing comes that is not for listeners.
func sit(t *testing.T, m *member, hopID uint64, actors map[string]*actor) *seat {
	t.Helper()
	s := &seat{t: t, relay: m, ears: make(map[string]*ear), told: make(chan struct{})}
	s.session = dial(t, m.URL(), client.Options{NoDatagrams: true, HopID: hopID})
	if _, err := s.session.Subscribe(within(t), protocol.Subscribe{
		Broadcast: ".stentor/rooms/town", Track: protocol.TrackLoudest,
	}, floorEar{s}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.told:
	case <-within(t).Done():
		t.Fatalf("%s does not say whom it sends", m.Name())
	}
	for name := range actors {
		if hopID != actors[name].hopID {
			s.ears[name], _ = subscribe(t, s.session, "town/"+protocol.Path(name), protocol.TrackAudio, protocol.Delivery{})
		}
	}
	return s
}

// floorEar takes what a relay says.
type floorEar struct{ *seat }

func (floorEar) Datagram(uint64, protocol.Frame) {}

func (e floorEar) Group(_ context.Context, g *session.GroupReader) {
	f, err := g.Next()
	if err != nil {
		return
	}
	floor, err := protocol.ParseFloor(f.Payload)
	if err != nil {
		e.t.Errorf("%s: %v", e.relay.Name(), err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.floors = append(e.floors, floor); len(e.floors) == 1 {
		close(e.told)
	}
}

func (s *seat) said() []*protocol.Floor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.floors)
}

// has are the groups that have come of somebody, in order.
func (s *seat) has(name string) []uint64 {
	e := s.ears[name]
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(maps.Keys(e.groups))
}

// mayMiss reports why a group that did not come need not have: a machine that stands
// still for a second drops what is older. Then it can be fetched, as long as the
// rings have it.
func (s *seat) mayMiss(name string, group uint64) bool {
	err := s.session.Fetch(within(s.t), protocol.Fetch{
		Broadcast: "town/" + protocol.Path(name), Track: protocol.TrackAudio, Group: group,
	}, func(protocol.Frame) error { return nil })
	var refused *session.ResetError
	return err == nil || errors.As(err, &refused) && refused.Code == protocol.CodeTooOld
}

// hasEverything waits until the seat has all that was spoken since it came. Some of
// that must not have been for listeners.
func (s *seat) hasEverything(actors map[string]*actor) {
	s.t.Helper()
	beside := 0
	defer func() {
		if beside == 0 {
			s.t.Errorf("%s: nothing came to the stage that is not for listeners", s.relay.Name())
		}
	}()
	for name := range s.ears {
		last := actors[name].Stats().Sent // its groups count from 0
		eventually(s.t, s.relay.Name()+" sends those on stage all of "+name, func() bool {
			has := s.has(name)
			return last == 0 || len(has) > 0 && has[len(has)-1] == last-1 || s.mayMiss(name, last-1)
		})
		has := s.has(name)
		if len(has) == 0 {
			continue
		}
		floors := s.said()
		for _, group := range has {
			if v := floors[len(floors)-1].Voice(protocol.Path(name), actors[name].hopID); v != nil && !v.Has(group) {
				beside++
			}
		}
		for group := has[0]; group < has[len(has)-1]; group++ {
			if _, ok := slices.BinarySearch(has, group); !ok && !s.mayMiss(name, group) {
				s.t.Errorf("%s: group %d of %s did not come to the stage", s.relay.Name(), group, name)
			}
		}
	}
}

// hasWhatIsSaid checks what a listener got against what it was told: no more than
// three at once, nothing beside it, and all of it.
func (s *seat) hasWhatIsSaid(actors map[string]*actor) {
	s.t.Helper()
	floors := s.said()
	for _, f := range floors {
		open := 0
		for _, v := range f.Voices {
			if n := len(v.Spans); n > 0 && v.Spans[n-1].Until == protocol.Forever {
				open++
			}
		}
		if open > 3 {
			s.t.Errorf("%s: %d voices at once: %+v", s.relay.Name(), open, f)
		}
		if len(f.Voices) == 0 {
			s.t.Logf("%s has heard of no root for seconds, and sent everything", s.relay.Name())
			return
		}
	}
	for name := range s.ears {
		has := s.has(name)
		isSaid := func(f *protocol.Floor, group uint64) bool {
			v := f.Voice(protocol.Path(name), actors[name].hopID)
			return v == nil || v.Has(group)
		}
		for _, group := range has {
			if !slices.ContainsFunc(floors, func(f *protocol.Floor) bool { return isSaid(f, group) }) {
				s.t.Errorf("%s: group %d of %s is not for listeners, and came", s.relay.Name(), group, name)
			}
		}
		if len(has) == 0 {
			continue
		}
		for group := has[0]; group < has[len(has)-1]; group++ {
			if _, ok := slices.BinarySearch(has, group); !ok && isSaid(floors[len(floors)-1], group) && !s.mayMiss(name, group) {
				s.t.Errorf("%s: group %d of %s is for listeners, and did not come", s.relay.Name(), group, name)
			}
		}
	}
}

// agrees waits until two relays say the same.
func (s *seat) agrees(other *seat) {
	s.t.Helper()
	newest := func(s *seat) string {
		floors := s.said()
		return string(floors[len(floors)-1].Append(nil))
	}
	eventually(s.t, s.relay.Name()+" and "+other.relay.Name()+" say the same", func() bool { return newest(s) == newest(other) })
}
