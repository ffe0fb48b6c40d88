package room

import (
	"context"
	"errors"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

var (
	// ErrComplete says that a group needs nothing more: another copy has brought
	// its end.
	ErrComplete = errors.New("the group is complete")
	// ErrTooLarge says that a group has grown beyond what a relay holds of one.
	ErrTooLarge = errors.New("group above 1024 frames or 32 MiB")
)

// A Copy is a growing group on its way from one source. A group may have several
// at a time: frame n is taken from the copy that brings it first, so when a source
// dies in the middle of a group the others go on with the next frame. It is used
// by one goroutine, and ends with End, Break or Cut.
type Copy struct {
	group   *Group
	track   *Track
	brought int // frames of the group that this copy has had
}

// Grow takes part in bringing a group that comes frame by frame. It returns nil
// if no copy of it is wanted: the track has it, or it is too late.
func (t *Track) Grow(sequence uint64, now time.Time) *Copy {
	if g := t.group(sequence); g == nil || !g.growing() {
		g = NewGroup(sequence, now)
		g.join()
		if t.Write(g) {
			return &Copy{group: g, track: t}
		}
	}
	// Held already, or begun by another source since that look.
	if g := t.group(sequence); g != nil && g.join() {
		t.duplicates.Add(1)
		return &Copy{group: g, track: t}
	}
	return nil
}

const (
	// resumeIdle is how long a group that is fetched may stay without its next
	// frame.
	resumeIdle = 5 * time.Second
	// maxResumed is how many groups of a track are fetched at a time: their
	// publisher may break one after the other.
	maxResumed = 16
)

// Append brings the copy's next frame. The error is [ErrComplete] or
// [ErrTooLarge].
func (c *Copy) Append(f protocol.Frame) error {
	err := c.group.appendAt(c.brought, f)
	if err == nil {
		c.brought++
	}
	return err
}

// Cut ends the group for all copies of it.
func (c *Copy) Cut(err error) {
	c.group.leave(-1)
	c.group.End(err)
}

// End says that the group is complete with what the copy has brought. A copy that
// is shorter than another has no say.
func (c *Copy) End() {
	if last := c.group.leave(c.brought); last {
		c.group.End(nil)
	}
}

// Break says that the copy ends here although the group may not. When it was the
// last, the sources are asked for the group; it is cut short, with err, if none of
// them has the rest.
func (c *Copy) Break(err error) {
	t := c.track
	if last := c.group.leave(-1); !last || !c.group.growing() {
		return
	}
	if !t.wanted() || t.resuming.Add(1) > maxResumed {
		c.group.abandon(err)
		return
	}
	t.broadcast.origin.tasks.Go(func() {
		defer t.resuming.Add(-1)
		t.resume(c.group)
		c.group.abandon(err)
	})
}

// wanted reports whether somebody takes the track.
func (t *Track) wanted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.ended && len(t.members) > 0
}

// resume fetches what a group lacks whose copies have all broken.
func (t *Track) resume(g *Group) {
	for _, src := range t.broadcast.snapshot() {
		for src.ctx.Err() == nil && g.join() {
			c := &Copy{group: g, track: t}
			held := g.length()
			err := t.fetchCopy(src, c)
			switch {
			case err == nil:
				c.End()
				return
			case errors.Is(err, ErrTooLarge):
				c.Cut(err)
				return
			}
			if last := g.leave(-1); !last {
				return // a feed has come that brings it, and breaks again if need be
			}
			if c.brought <= held {
				break // nothing new there
			}
		}
	}
}

// fetchCopy takes a copy of a group by FETCH, as it grows at its source.
func (t *Track) fetchCopy(src *source, c *Copy) error {
	ctx, stop := context.WithCancel(src.ctx)
	defer stop()
	idle := time.AfterFunc(repairFor, stop) // who has the group has its first frame
	defer idle.Stop()
	err := src.Fetch(ctx, t.Name, c.group.Sequence, func(f protocol.Frame) error {
		idle.Reset(resumeIdle)
		return c.Append(f)
	})
	if errors.Is(err, ErrComplete) {
		return nil
	}
	return err
}
