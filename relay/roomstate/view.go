package roomstate

import (
	"encoding/json"

	"github.com/stentor-audio/stentor/relay/stage"
)

// View is what everybody may know of a room, as JSON, and a channel that is closed
// when that may have changed. A room that nobody made is live.
func (r *Rooms) View(name string) (view []byte, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.room(name)
	if h.view == nil {
		v := h.state.View()
		if v.State == "" {
			v.Room, v.State = name, stage.Live
		}
		h.view, _ = json.Marshal(v) // of strings and numbers
	}
	return h.view, h.changed
}

// A Voice says under which name somebody on the stage may speak whose token does not
// say ([stage.You]).
type Voice func(stage.State, stage.Actor) string

// ViewFor is View for somebody, with what they are there ([stage.You]). Whoever has no
// subject is told what everybody is.
func (r *Rooms) ViewFor(name string, who stage.Actor, voice Voice) (view []byte, changed <-chan struct{}) {
	if who.Subject == "" {
		return r.View(name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.room(name)
	if h.places == nil {
		places := h.state.Places()
		h.places, h.personal = &places, make(map[stage.You][]byte)
	}
	you := h.state.You(who, *h.places)
	if voice != nil && you.Place > 0 {
		you.Voice = voice(h.state, who)
	}
	if said, ok := h.personal[you]; ok {
		return said, h.changed
	}
	v := h.state.ViewOf(you)
	if v.State == "" {
		v.Room, v.State = name, stage.Live
	}
	b, _ := json.Marshal(v) // of strings and numbers
	if you.Hand == 0 {      // else it is theirs alone
		h.personal[you] = b
	}
	return b, h.changed
}
