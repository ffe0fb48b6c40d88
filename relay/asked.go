package relay

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/stage"
)

// stageView is what everybody may know of a room, from wherever it is known. ok is
// false where nobody has made the room.
func (v view) stageView(ctx context.Context, name string) (out stage.View, ok bool) {
	if checkRoom(name) != nil {
		return out, false
	}
	if state := v.stages.rooms.State(name); state.Exists() {
		return state.View(), true
	}
	if v.mesh == nil {
		return out, false
	}
	return v.stages.asked.get(name, func() (out stage.View, ok bool) {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), reportPatience)
		defer stop()
		for _, root := range v.mesh.rootsToAsk(name) {
			if root == v.cfg.Name {
				continue
			}
			b, err := v.mesh.fetch(ctx, root, name, deliver.StateTrack)
			if err == nil {
				err = json.Unmarshal(b, &out)
			}
			if err == nil {
				return out, out.Version > 0
			}
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				break
			}
		}
		return stage.View{}, false
	})
}

// askedViews are views of rooms that other relays were asked for lately.
type askedViews struct {
	mu    sync.Mutex
	views map[string]askedView
}

type askedView struct {
	at   time.Time
	view stage.View
	ok   bool
}

// askedFor is how long such a view may be given again, and maxAsked how many are.
const (
	askedFor = 250 * time.Millisecond
	maxAsked = 1000
)

// last is what was last heard of a room, and how long ago.
func (a *askedViews) last(name string) (kept askedView, age time.Duration, found bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept, found = a.views[name]
	return kept, time.Since(kept.at), found
}

func (a *askedViews) get(name string, ask func() (stage.View, bool)) (stage.View, bool) {
	if kept, age, found := a.last(name); found && age < askedFor {
		return kept.view, kept.ok
	}
	view, ok := ask()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.views == nil || len(a.views) >= maxAsked {
		a.views = make(map[string]askedView)
	}
	a.views[name] = askedView{time.Now(), view, ok}
	return view, ok
}

const (
	// startsFor is how old the hour may be that the lobby names for a room of which
	// nothing is held here: it may be cached for as long, too.
	startsFor = time.Second
	// startsAtOnce is how many rooms the lobby has others asked about at a time.
	startsAtOnce = 4
)

// startsOf is when a room begins that has been announced and has not begun. The lobby
// does not wait for other relays: where only they know, it is in a later answer.
func (v view) startsOf(name string) *time.Time {
	s := v.stages
	state, holds := s.rooms.Held(name)
	switch {
	case holds && state.Phase.Value == stage.Announced:
		at := time.UnixMilli(state.Starts.Value).UTC()
		return &at
	case holds || v.mesh == nil:
		return nil
	}
	kept, age, found := s.asked.last(name)
	if !found || age >= startsFor {
		v.askAbout(name)
	}
	if kept.view.State != stage.Announced {
		return nil
	}
	return kept.view.Starts
}

// askAbout has other relays asked about a room, unless enough are being asked.
func (v view) askAbout(name string) {
	s := v.stages
	select {
	case s.asking <- struct{}{}:
	default:
		return
	}
	if !v.enter() {
		<-s.asking
		return
	}
	go func() {
		defer v.tasks.Done()
		defer func() { <-s.asking }()
		v.stageView(context.Background(), name)
	}()
}
