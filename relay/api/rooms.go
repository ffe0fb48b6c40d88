package api

import (
	"cmp"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
)

// A Room is a room that somebody speaks in, or has made.
type Room struct {
	Room      string    `json:"room"`
	State     string    `json:"state"`
	Listeners int       `json:"listeners"`
	Speakers  []Speaker `json:"speakers"` // who publish now

	Title   string             `json:"title,omitempty"`
	Starts  *time.Time         `json:"starts,omitempty"`
	Version uint64             `json:"version"` // 0: nobody has made it
	Stage   []stage.PersonView `json:"stage"`
	Hands   int                `json:"hands"`
}

// See takes what the room's state says, if that is newer than what it has.
func (r *Room) See(v stage.View) {
	if v.Version <= r.Version {
		return
	}
	r.State, r.Title, r.Starts, r.Version = string(v.State), v.Title, v.Starts, v.Version
	r.Stage, r.Hands = v.Stage, v.Hands
}

// view is the opposite of See.
func (r *Room) view() stage.View {
	return stage.View{
		Room: r.Room, State: stage.Phase(r.State), Title: r.Title, Starts: r.Starts,
		Version: r.Version, Stage: r.Stage, Hands: r.Hands,
	}
}

// A Speaker publishes in a room.
type Speaker struct {
	Name   string   `json:"name"`
	Tracks []string `json:"tracks"` // somebody wants now
	// FirstHand says that it publishes at the relay that reports it. Relays tell
	// each other; nobody else is told.
	FirstHand bool `json:"first_hand,omitempty"`
}

// SumRooms puts together what several relays report of their rooms: listeners
// are added up, and a speaker is one who publishes at one relay at least. The
// rooms are in order of their names, and so are the speakers and their tracks.
func SumRooms(parts ...[]Room) []Room {
	sums := make(map[string]*sum)
	for _, rooms := range parts {
		for _, r := range rooms {
			s := sums[r.Room]
			if s == nil {
				s = &sum{tracks: make(map[string][]string), live: make(map[string]bool)}
				sums[r.Room] = s
			}
			s.listeners += r.Listeners
			s.seen.See(r.view())
			for _, speaker := range r.Speakers {
				s.live[speaker.Name] = s.live[speaker.Name] || speaker.FirstHand
				s.tracks[speaker.Name] = append(s.tracks[speaker.Name], speaker.Tracks...)
			}
		}
	}
	out := make([]Room, 0, len(sums))
	for name, s := range sums {
		out = append(out, s.room(name))
	}
	slices.SortFunc(out, func(a, b Room) int { return cmp.Compare(a.Room, b.Room) })
	return out
}

// RoomOf is a room whose tree is known.
func RoomOf(t Tree) Room {
	s := sum{tracks: make(map[string][]string), live: make(map[string]bool)}
	for _, n := range t.Nodes {
		s.listeners += n.Listeners
		for _, speaker := range n.Speakers {
			s.live[speaker] = true
		}
		for speaker, tracks := range n.Tracks {
			s.tracks[speaker] = append(s.tracks[speaker], tracks...)
		}
	}
	return s.room(t.Room)
}

// sum is a room of which several relays have told.
type sum struct {
	listeners int
	tracks    map[string][]string // by speaker
	live      map[string]bool     // speakers, whether they publish first-hand anywhere
	seen      Room                // of the room's state, the newest
}

func (s *sum) room(name string) Room {
	r := Room{Room: name, State: "live", Listeners: s.listeners, Speakers: []Speaker{}, Stage: []stage.PersonView{}}
	r.See(s.seen.view())
	for speaker, live := range s.live {
		if !live {
			continue
		}
		tracks := append([]string{}, s.tracks[speaker]...)
		slices.Sort(tracks)
		r.Speakers = append(r.Speakers, Speaker{Name: speaker, Tracks: slices.Compact(tracks)})
	}
	slices.SortFunc(r.Speakers, func(a, b Speaker) int { return cmp.Compare(a.Name, b.Name) })
	return r
}
