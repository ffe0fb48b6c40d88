package client

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay/stage"
)

// A scene publishes the broadcasts of a room to listeners, as a relay would:
// single packets and bundles, less what lose says. It has the tick, too.
type scene struct {
	mu       sync.Mutex
	voices   map[string]*voice
	changed  chan struct{}
	requests map[string]int  // by kind and track, counted
	floor    *protocol.Floor // whom listeners hear; nil: nothing is said
	room     *stage.View     // what everybody may know; nil: nothing is said
	own      ownTracks
}

// A voice is one broadcast.
type voice struct {
	name      string
	origin    uint64
	catalog   []byte
	ring      *broadcast
	lose      func(track string, group uint64) bool // not sent, but there to fetch
	gone      func(track string, group uint64) bool // not even to fetch
	hollow    func(seq uint64) bool                 // bundles were made without it
	streams   bool                                  // no datagrams
	raw       func(seq uint64, payload []byte) []byte
	noBundles bool
}

func newScene() *scene {
	return &scene{voices: make(map[string]*voice), changed: make(chan struct{}), requests: make(map[string]int)}
}

func (s *scene) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// enter lets a voice in.
func (s *scene) enter(v *voice) *voice {
	if v.origin == 0 {
		v.origin = NewHopID()
	}
	if v.catalog == nil {
		v.catalog = SpeakOptions{}.withDefaults().catalog().JSON()
	}
	if v.ring == nil {
		v.ring = newBroadcast(v.origin, protocol.Catalog{})
	}
	s.change(func() { s.voices[v.name] = v })
	return v
}

func (s *scene) leave(name string) { s.change(func() { delete(s.voices, name) }) }

// say publishes packets n to m-1 of a voice, a hundred times as fast as speech:
// at once, they would overflow the 32 datagrams that a WebTransport session
// holds for its reader.
func (v *voice) say(n, m int) {
	for i := n; i < m; i++ {
		v.ring.add(uint64(i)*20000+1_000_000, packet(i))
		time.Sleep(FrameDuration / 100)
	}
}

func (s *scene) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[what]
}

func (s *scene) voice(path protocol.Path, what, track string) (*voice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[what+" "+track]++
	name, below := path.TrimPrefix("town")
	v := s.voices[string(name)]
	if !below || v == nil {
		return nil, session.Refuse(protocol.CodeUnroutable, "nobody announces %s", path)
	}
	if protocol.BundleSize(track) > 1 && v.noBundles {
		return nil, session.Refuse(protocol.CodeNotFound, "no bundles here")
	}
	return v, nil
}

func (s *scene) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	known := make(map[string]uint64)
	first := true
	for {
		s.mu.Lock()
		var changes []protocol.Announce
		for name, v := range s.voices {
			path := protocol.Path("town").Join(protocol.Path(name))
			suffix, below := path.TrimPrefix(w.Request.Prefix)
			if below && known[name] != v.origin {
				known[name] = v.origin
				changes = append(changes, protocol.Announce{Status: protocol.AnnounceActive, Suffix: suffix, Hops: []uint64{v.origin}})
			}
		}
		for name := range known {
			if s.voices[name] == nil {
				delete(known, name)
				changes = append(changes, protocol.Announce{Status: protocol.AnnounceEnded, Suffix: protocol.Path(name)})
			}
		}
		changed := s.changed
		s.mu.Unlock()
		if first {
			if err := w.Initial(7777, changes); err != nil {
				return err
			}
			first, changes = false, nil
		}
		for _, a := range changes {
			if err := w.Announce(a); err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *scene) Track(_ context.Context, req protocol.TrackRequest) (protocol.TrackInfo, error) {
	if _, err := s.voice(req.Broadcast, "track", req.Track); err != nil {
		return protocol.TrackInfo{}, err
	}
	return audioInfo, nil
}

// group makes a group of a track out of the voice's ring.
func (v *voice) group(track string, n uint64) (protocol.Frame, bool) {
	size := uint64(protocol.BundleSize(track))
	if size == 1 {
		f, ok := v.ring.frame(n)
		payload := f.payload
		if ok && v.raw != nil {
			payload = v.raw(n, payload)
		}
		return protocol.Frame{Timestamp: f.timestamp, Payload: payload}, ok
	}
	packets := make([][]byte, size)
	var start uint64
	for i := range size {
		f, ok := v.ring.frame(n*size + i)
		if !ok {
			return protocol.Frame{}, false
		}
		if i == 0 {
			start = f.timestamp
		}
		if v.hollow == nil || !v.hollow(n*size+i) {
			_, packets[i], _ = protocol.ParseLegacy(f.payload)
		}
	}
	return protocol.Frame{Timestamp: start, Payload: protocol.AppendBundle(nil, packets)}, true
}

func (s *scene) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	track := sub.Request.Track
	if sub.Request.Broadcast == relayBroadcast {
		return s.own.Subscribe(ctx, sub)
	}
	if sub.Request.Broadcast == roomsOfRelays.Join("town") && track == protocol.TrackLoudest {
		return tell(ctx, s, sub, func() *protocol.Floor { return s.floor }, func(f *protocol.Floor) []byte { return f.Append(nil) })
	}
	if sub.Request.Broadcast == roomsOfRelays.Join("town") && track == stateTrack {
		return tell(ctx, s, sub, func() *stage.View { return s.room }, func(v *stage.View) []byte {
			b, _ := json.Marshal(v)
			return b
		})
	}
	v, err := s.voice(sub.Request.Broadcast, "subscribe", track)
	if err != nil {
		return err
	}
	if track == protocol.TrackCatalog {
		if _, err := sub.WriteGroup(0, protocol.Frame{Payload: v.catalog}, nil); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	size := uint64(protocol.BundleSize(track))
	next := v.ring.view().next / size
	if start := sub.Delivery().Start; start.OK {
		next = start.Value
	} else if next > 0 {
		next--
	}
	for {
		now := v.ring.view()
		for ; (next+1)*size <= now.next; next++ {
			f, ok := v.group(track, next)
			if !ok || v.lose != nil && v.lose(track, next) {
				continue
			}
			if err := send(sub, next, f, v.streams); err != nil {
				return err
			}
		}
		select {
		case <-now.changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// tell says what of the scene is so, whenever that changes.
func tell[T any](ctx context.Context, s *scene, sub *session.Subscriber, is func() *T, encode func(*T) []byte) error {
	var said *T
	for n := uint64(0); ; {
		s.mu.Lock()
		now, changed := is(), s.changed
		s.mu.Unlock()
		if now != said {
			if _, err := sub.WriteGroup(n, protocol.Frame{Payload: encode(now)}, nil); err != nil {
				return err
			}
			said = now
			n++
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// hears reports whether the floor has a group for listeners.
func (s *scene) hears(name string, origin uint64, track string, group uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.floor.Voice(protocol.Path(name), origin)
	return v == nil || v.Has(group*uint64(protocol.BundleSize(track)))
}

func send(sub *session.Subscriber, n uint64, f protocol.Frame, streams bool) error {
	if streams {
		_, err := sub.WriteGroup(n, f, nil)
		return err
	}
	return sub.SendDatagram(protocol.Datagram{SubscribeID: sub.Request.ID, Sequence: n, Timestamp: f.Timestamp, Payload: f.Payload}.Append(nil))
}

func (s *scene) Fetch(_ context.Context, req protocol.Fetch, w *session.GroupWriter) error {
	v, err := s.voice(req.Broadcast, "fetch", req.Track)
	if err != nil {
		return err
	}
	if v.gone != nil && v.gone(req.Track, req.Group) {
		return session.Refuse(protocol.CodeTooOld, "gone")
	}
	f, ok := v.group(req.Track, req.Group)
	if !ok {
		return session.Refuse(protocol.CodeNotFound, "not here")
	}
	return w.Write(f)
}

// ownTracks is a publisher of a relay's own tracks and of nothing else.
type ownTracks struct {
	relays func() []byte // a list of relays; nil: refuse
	still  bool          // no tick
}

func (o ownTracks) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	if err := w.Initial(7777, nil); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (o ownTracks) Track(context.Context, protocol.TrackRequest) (protocol.TrackInfo, error) {
	return protocol.TrackInfo{}, session.Refuse(protocol.CodeNotFound, "nothing is here")
}

func (o ownTracks) Fetch(context.Context, protocol.Fetch, *session.GroupWriter) error {
	return session.Refuse(protocol.CodeNotFound, "nothing is here")
}

func (o ownTracks) Subscribe(ctx context.Context, sub *session.Subscriber) error {
	switch {
	case sub.Request.Broadcast == relayBroadcast && sub.Request.Track == relaysTrack && o.relays != nil:
		said := ""
		for n := uint64(0); ctx.Err() == nil; _ = sleep(ctx, 100*time.Millisecond) {
			list := o.relays()
			if string(list) == said {
				continue
			}
			if _, err := sub.WriteGroup(n, protocol.Frame{Payload: list}, nil); err != nil {
				return err
			}
			said = string(list)
			n++
		}
		return nil
	case sub.Request.Broadcast == relayBroadcast && sub.Request.Track == tickTrack && !o.still:
		for n := uint64(0); ctx.Err() == nil; n++ {
			if _, err := sub.WriteGroup(n, protocol.Frame{}, nil); err != nil {
				return err
			}
			_ = sleep(ctx, 200*time.Millisecond)
		}
		return nil
	}
	return session.Refuse(protocol.CodeNotFound, "nothing is here")
}
